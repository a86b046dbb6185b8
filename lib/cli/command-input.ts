/** The standard input of `exec`, for the command on the host. */
import { fstatSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { UsageError } from '../errors.ts'

/** In bytes: up to this it goes to the host with the command; what is longer flows over a shell of its own. */
const most = 1_048_576

/** Milliseconds until the command starts without knowing the end of its input. */
const patience = 2000

/** Milliseconds for the first byte, where there may well be none. */
const glance = 500

export interface CommandInputOptions {
  /** How many hosts run the command. */
  hosts: number
  /** Shows a note at once. */
  note: (text: string) => void
}

/** What the command reads: all of it, or what comes while it runs. */
export type CommandInput = { input: Buffer } | { stream: Readable }

/**
 * Reads the beginning of the standard input, which may be all of it.
 * @returns undefined: there is none, as with a terminal or a device
 * @throws {UsageError} usage: there is some and several hosts; before a host is touched
 */
export async function readCommandInput({
  hosts,
  note,
}: CommandInputOptions): Promise<CommandInput | undefined> {
  const kind = kindOfInput()
  if (kind === undefined) return undefined
  const { stdin } = process
  if (hosts === 1 && kind === 'pipe') return begin(stdin, note)
  // Programs that start others often leave a socket open behind them, and never write to it.
  if (!(await speaks(stdin, note))) return undefined
  if (hosts === 1) return begin(stdin, note)
  throw new UsageError('usage', `standard input can’t go to ${hosts} hosts`, {
    hint: 'Name one host with --on, or leave the input out: < /dev/null.',
  })
}

/** A file counts as a pipe: both end. */
function kindOfInput(): 'pipe' | 'socket' | undefined {
  try {
    const found = fstatSync(0)
    if (found.isFile() || found.isFIFO()) return 'pipe'
    return found.isSocket() ? 'socket' : undefined
  } catch {
    // It is closed.
    return undefined
  }
}

function begin(
  stdin: NodeJS.ReadStream,
  note: (text: string) => void,
): Promise<CommandInput | undefined> {
  return new Promise((resolve, reject) => {
    const pieces: Buffer[] = []
    let size = 0
    const settle = (found?: CommandInput) => {
      clearTimeout(timer)
      stdin.off('data', data)
      stdin.off('end', end)
      stdin.off('error', reject)
      resolve(found)
    }
    const flow = () => {
      stdin.pause()
      if (size === 0) note('waiting for the end of standard input; without one, add < /dev/null')
      else stdin.unshift(Buffer.concat(pieces))
      settle({ stream: stdin })
    }
    const data = (piece: Buffer) => {
      pieces.push(piece)
      size += piece.length
      if (size > most) flow()
    }
    const end = () => settle(size === 0 ? undefined : { input: Buffer.concat(pieces) })
    const timer = setTimeout(flow, patience)
    stdin.on('data', data)
    stdin.on('end', end)
    stdin.on('error', reject)
  })
}

/** Whether anything comes in soon. What comes later is said to be left out. */
function speaks(stdin: NodeJS.ReadStream, note: (text: string) => void): Promise<boolean> {
  return new Promise(resolve => {
    let late = false
    const settle = (said: boolean) => {
      clearTimeout(timer)
      stdin.off('readable', first)
      stdin.off('end', none)
      stdin.off('error', none)
      resolve(said)
    }
    const none = () => settle(false)
    const first = () => {
      // At the end, it is readable too, but there is nothing.
      if (stdin.readableLength === 0) return void stdin.read()
      if (late) note('standard input came too late, and was not passed on')
      settle(true)
    }
    const timer = setTimeout(() => {
      late = true
      // What never ends must not keep the process.
      stdin.unref()
      resolve(false)
    }, glance)
    stdin.on('readable', first)
    stdin.on('end', none)
    stdin.on('error', none)
  })
}
