/** The standard input of `exec`, for the command on the host. */
import { fstatSync } from 'node:fs'
import { UsageError } from '../errors.ts'

/** What is read from. */
type Input = Pick<NodeJS.ReadStream, 'on' | 'off' | 'pause' | 'resume'>

/** In bytes: it is held in memory, and goes to the host with the command. */
const most = 64 * 1_048_576

/** Milliseconds until exec says what it waits for. */
const patience = 2000

/** Milliseconds for the first byte, where there may well be none. */
const glance = 500

export interface CommandInputOptions {
  /** How many hosts run the command. */
  hosts: number
  /** Shows a note at once. */
  note: (text: string) => void
}

/**
 * Reads the standard input to its end.
 * @returns undefined: there is none, as with a terminal or a device
 * @throws {UsageError} usage: there is some and several hosts, or too much; before a host is touched
 */
export async function readCommandInput({
  hosts,
  note,
}: CommandInputOptions): Promise<Buffer | undefined> {
  const kind = kindOfInput()
  if (kind === undefined) return undefined
  const { stdin } = process
  if (hosts === 1 && kind === 'pipe') return readAll(stdin, note)
  // Programs that start others often leave a socket open behind them, and never write to it.
  if (!(await speaks(stdin, note))) return undefined
  if (hosts === 1) return readAll(stdin, note)
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

async function readAll(stdin: Input, note: (text: string) => void): Promise<Buffer | undefined> {
  const wait = () => note('waiting for the end of standard input; without one, add < /dev/null')
  const timer = setTimeout(wait, patience)
  const pieces: Buffer[] = []
  let size = 0
  try {
    await eachPiece(stdin, piece => {
      clearTimeout(timer)
      pieces.push(piece)
      size += piece.length
      if (size <= most) return
      throw new UsageError('usage', 'standard input is over 64 MiB', {
        hint: 'Copy it as a file first: file() takes any size.',
      })
    })
  } finally {
    clearTimeout(timer)
  }
  return size === 0 ? undefined : Buffer.concat(pieces)
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

/** Calls `take` with each piece, up to the end; an error that it throws ends it. */
function eachPiece(stdin: Input, take: (piece: Buffer) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: unknown) => {
      stdin.off('data', data)
      stdin.off('end', settle)
      stdin.off('error', settle)
      stdin.pause()
      if (error === undefined) resolve()
      else reject(error)
    }
    const data = (piece: Buffer) => {
      try {
        take(piece)
      } catch (error) {
        settle(error)
      }
    }
    stdin.on('data', data)
    stdin.on('end', settle)
    stdin.on('error', settle)
    stdin.resume()
  })
}
