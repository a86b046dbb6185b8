/** What is said before a shell's streams are its user's: listened to, answered, and given back. */
import type { Readable } from 'node:stream'

/** What was heard of one stream and not dealt with yet: a character a byte (latin1). */
export interface Heard {
  text: string
}

/** Why nobody listens any more. */
export type Outcome<Result> = Result | 'ended' | 'late'

/**
 * Listens until `judge` has a result. What is left in `heard` then goes back: whoever reads the streams
 * next finds it, and what comes after it.
 * @param judge called at each chunk with what was heard of each stream; it takes out what it deals with
 * @param until.ended settles when nothing more will come
 * @param until.limitMs how long, in milliseconds
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
        // `readable` and not `data`: who listens to that next gets what is still to come.
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
    if (text !== '' && !stream.readableEnded && !stream.destroyed) {
      stream.unshift(Buffer.from(text, 'latin1'))
    }
  })
  return { outcome, heard }
}

/** How much of what nobody dealt with is kept: a login may say a lot. */
const heardBytes = 65_536

/** Cuts off everything up to the end of `mark`. @returns whether it was there */
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
