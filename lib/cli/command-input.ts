/** The standard input of `exec`, for the command on the host. */
import { fstatSync } from 'node:fs'
import { UsageError } from '../errors.ts'

/** What is read from. */
type Input = Pick<NodeJS.ReadStream, 'on' | 'off' | 'pause' | 'resume'> & { unref?(): unknown }

/** In bytes: it is held in memory, and goes to the host with the command. */
const most = 64 * 1_048_576

/** Milliseconds until somebody is told what exec waits for. */
const patience = 2000

/** Milliseconds for the first byte, where there must be none: whoever has something to say has said it. */
const glance = 200

export interface CommandInputOptions {
  /** How many hosts run the command. */
  hosts: number
  /** Shows a note at once. */
  note: (text: string) => void
  /** Default: this process’s standard input; nothing if that is a terminal or a device. */
  stdin?: Input
}

/**
 * Reads the standard input to its end.
 * @returns undefined: there is none
 * @throws {UsageError} usage: there is some and several hosts, or too much; before a host is touched
 */
export async function readCommandInput({
  hosts,
  note,
  stdin = ownInput(),
}: CommandInputOptions): Promise<Buffer | undefined> {
  if (stdin === undefined) return undefined
  if (hosts > 1) return refuseInput(stdin, hosts, note)
  const timer = setTimeout(
    () => note('waiting for the end of standard input; without one, add < /dev/null'),
    patience,
  )
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

function ownInput(): Input | undefined {
  try {
    const found = fstatSync(0)
    return found.isCharacterDevice() ? undefined : process.stdin
  } catch {
    // It is closed.
    return undefined
  }
}

/** Standard input can be read once, so it can’t go to several hosts. An open pipe that says nothing is none. */
async function refuseInput(
  stdin: Input,
  hosts: number,
  note: CommandInputOptions['note'],
): Promise<undefined> {
  let late = false
  const said = await new Promise<boolean>((resolve, reject) => {
    const timer = setTimeout(() => {
      late = true
      resolve(false)
    }, glance)
    const first = () => {
      if (late) note('standard input is not passed on to several hosts')
      throw stop
    }
    eachPiece(stdin, first)
      .then(
        () => resolve(false),
        error => (error === stop ? resolve(true) : reject(error)),
      )
      .finally(() => clearTimeout(timer))
  })
  // What never ends must not keep the process.
  if (late) stdin.unref?.()
  if (!said || late) return undefined
  throw new UsageError('usage', `standard input can’t go to ${hosts} hosts`, {
    hint: 'Name one host with --on, or leave the input out: < /dev/null.',
  })
}

const stop = new Error('enough')

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
