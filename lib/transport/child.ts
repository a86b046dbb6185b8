/** Shells that are child processes of this one: on this machine, or carried by a program. */
import { spawn } from 'node:child_process'
import { finished } from 'node:stream/promises'
import { outOfFiles, UnreachableError } from '../errors.ts'
import type { ShellEnd, ShellStream } from './transport.ts'

/** The shells of one transport. */
export interface ChildShells {
  /**
   * Starts a program that becomes a shell or carries one.
   * @throws {UnreachableError} shell_failed: there is no such program
   */
  start(words: readonly string[]): Promise<ShellStream>
  /** Ends all shells and closes their streams. */
  close(): void
}

/** @param meaning maps the end of the program to that of the shell; default: they are the same */
export function createChildShells(meaning: (end: ShellEnd) => ShellEnd = end => end): ChildShells {
  const open = new Set<() => void>()
  return {
    start: ([program, ...args]) =>
      new Promise<ShellStream>((resolve, reject) => {
        // In its own process group: Ctrl-C in the terminal is the controller’s to handle.
        const child = spawn(program!, args, { stdio: 'pipe', detached: true })
        let close = () => {}
        const closed = new Promise<ShellEnd>(settle => {
          close = () => settle({ lost: true, reason: 'it was closed' })
        })
        const end = () => {
          // A stopped process would never report its end.
          close()
          // A process left behind by the shell may hold the outputs open, and ours with them.
          for (const stream of child.stdio) stream?.destroy()
        }
        child.once('error', cause => {
          reject(
            outOfFiles(cause) ??
              new UnreachableError('shell_failed', `can’t start ${program}`, { cause }),
          )
        })
        child.once('spawn', () => {
          open.add(end)
          // The shell may end before it has read everything: that shows in `ended`.
          child.stdin.on('error', () => {})
          const exit = new Promise<ShellEnd>(settle => {
            child.once('exit', (code, signal) => settle({ lost: false, code, signal }))
          })
          const read = (stream: NodeJS.ReadableStream) => finished(stream).catch(() => {})
          const all = Promise.all([exit, read(child.stdout), read(child.stderr)])
          const ended = Promise.race([all.then(([how]) => meaning(how)), closed]).finally(() =>
            open.delete(end),
          )
          resolve({ stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended })
        })
      }),
    close: () => {
      for (const end of open) end()
    },
  }
}
