/** The transport to this machine: a child process. */
import { spawn } from 'node:child_process'
import { finished } from 'node:stream/promises'
import { UnreachableError } from '../errors.ts'
import type { ShellEnd, ShellStream, Transport } from './transport.ts'

/**
 * @param options.shell program that speaks POSIX shell, with its arguments; `['sh']` unless a test
 *   wants another
 */
export function connectLocal(options: { shell?: readonly string[] } = {}): Transport {
  const shell = options.shell ?? ['sh']
  const open = new Set<() => void>()
  return {
    kind: 'local',
    open: (command = shell) =>
      new Promise<ShellStream>((resolve, reject) => {
        const [program, ...args] = command
        // A process group of its own: Ctrl-C in the terminal is the controller's to handle.
        const child = spawn(program!, args, { stdio: 'pipe', detached: true })
        const end = () => {
          // A process that the shell left behind may hold the outputs open, and with them ours.
          for (const stream of child.stdio) stream?.destroy()
        }
        child.once('error', cause => {
          reject(new UnreachableError('shell_failed', `can’t start ${program}`, { cause }))
        })
        child.once('spawn', () => {
          open.add(end)
          // The shell may end before it has read all: that shows in `ended`.
          child.stdin.on('error', () => {})
          const exit = new Promise<ShellEnd>(settle => {
            child.once('exit', (code, signal) => settle({ lost: false, code, signal }))
          })
          const read = (stream: NodeJS.ReadableStream) => finished(stream).catch(() => {})
          const ended = Promise.all([exit, read(child.stdout), read(child.stderr)]).then(
            ([how]) => {
              open.delete(end)
              return how
            },
          )
          resolve({ stdin: child.stdin, stdout: child.stdout, stderr: child.stderr, ended })
        })
      }),
    close: () => {
      for (const end of open) end()
    },
  }
}
