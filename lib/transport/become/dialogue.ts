/** The dialogue before a shell’s streams belong to its user: read, answered, and the rest put back. */
import { Readable } from 'node:stream'
import type { ShellStream } from '../transport.ts'

/** Output of one stream that has not been handled yet, one character per byte (latin1). */
export interface Heard {
  text: string
}

/** Why listening ended. */
export type Outcome<Result> = Result | 'ended' | 'late'

/**
 * Listens until `judge` has a result. What is left in `heard` is put back (see putBack).
 * @param judge called after each chunk with the output of each stream; it removes what it has handled
 * @param until.ended settles when there will be no more output
 * @param until.limitMs timeout in milliseconds
 */
export async function listen<Result>(
  streams: readonly Readable[],
  judge: (heard: readonly Heard[]) => Result | undefined,
  until: { ended: Promise<unknown>; limitMs: number },
): Promise<{ outcome: Outcome<Result>; heard: readonly Heard[] }> {
  const heard = streams.map(() => ({ text: '' }))
  let timer: NodeJS.Timeout | undefined
  const listeners = new Map<Readable, () => void>()
  const outcome = await new Promise<Outcome<Result>>(resolve => {
    timer = setTimeout(() => resolve('late'), until.limitMs)
    until.ended.then(() => resolve('ended'))
    let over = false
    streams.forEach((stream, index) => {
      const take = () => {
        // `readable` instead of `data`, so that the next reader gets the rest.
        while (!over) {
          const chunk: Buffer | null = stream.read()
          if (chunk === null) return
          const each = heard[index]!
          each.text = (each.text + chunk.toString('latin1')).slice(-heardBytes)
          const result = judge(heard)
          if (result === undefined) continue
          over = true
          resolve(result)
        }
      }
      listeners.set(stream, take)
      stream.on('readable', take)
    })
  }).finally(() => {
    clearTimeout(timer)
    for (const [stream, take] of listeners) stream.off('readable', take)
  })
  streams.forEach((stream, index) => {
    const { text } = heard[index]!
    if (text !== '' && !isOver(stream)) stream.unshift(Buffer.from(text, 'latin1'))
  })
  return { outcome, heard }
}

const isOver = (stream: Readable) => stream.readableEnded || stream.destroyed

/**
 * The shell for its next reader, who gets what is left in `heard` and everything after it: also where a stream
 * was over before the result, as with a shell that fails at once, whose two outputs may come in any order.
 */
export function putBack(shell: ShellStream, heard: readonly Heard[]): ShellStream {
  const [stdout, stderr] = [shell.stdout, shell.stderr].map((stream, index) => {
    const { text } = heard[index]!
    return text !== '' && isOver(stream) ? Readable.from(Buffer.from(text, 'latin1')) : stream
  }) as [Readable, Readable]
  const made = [stdout, stderr].filter(each => each !== shell.stdout && each !== shell.stderr)
  const read = made.map(each => new Promise(resolve => each.once('close', resolve)))
  const ended = Promise.all([shell.ended, ...read]).then(([end]) => end)
  return { ...shell, stdout, stderr, ended }
}

/** How much unhandled output is kept: a login may print a lot. */
const heardBytes = 65_536

/**
 * Removes everything up to the end of `mark`.
 * @returns whether it was found
 */
export function takeUpTo(heard: Heard, mark: string | RegExp): boolean {
  const match = typeof mark === 'string' ? indexOf(heard.text, mark) : mark.exec(heard.text)
  if (!match) return false
  heard.text = heard.text.slice(match.index + match[0].length)
  return true
}

const indexOf = (text: string, mark: string) => {
  const index = text.indexOf(mark)
  return index < 0 ? undefined : { index, 0: mark }
}
