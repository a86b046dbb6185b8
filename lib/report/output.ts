/** The output of a step, as it can be shown: in whole lines, and without secrets. Pure. */
import { isUtf8 } from 'node:buffer'
import { type Redactor, withStars } from '../shell/redact.ts'
import type { Found } from '../shell/search.ts'

/** A text without secrets, and its exact bytes if they are not UTF-8. */
export interface Shown {
  text: string
  base64?: string
}

export interface Output {
  /** Takes the next bytes; returns what can be shown. */
  push(chunk: Buffer): Shown | undefined
  /** Returns what is left. */
  rest(): Shown | undefined
}

/** A line longer than this is passed on in parts. */
const longestLine = 65_536

/** How much of a long line is kept at least: more than a character, or what decides whether a secret begins. */
const kept = 64

/**
 * Whole lines of a stream, so that no secret or character is cut in two by a packet. A long line is passed on in parts,
 * which cut neither. A line that may end within a secret waits for the next one.
 */
export function createOutput(redactor: Pick<Redactor, 'find' | 'forms'>): Output {
  let held: Buffer = Buffer.alloc(0)
  // The end of what was shown: a secret may have begun with its last characters.
  let before = ''
  const show = (length: number, hidden: Found, text: string): Shown | undefined => {
    if (length === 0) return undefined
    const bytes = held.subarray(0, length)
    held = held.subarray(length)
    const raw = text.slice(before.length)
    const clean = withStars(text, hidden, before.length)
    before = redactor.forms.length === 0 ? '' : text.slice(-kept)
    // The bytes would contain the secret too.
    return isUtf8(bytes) || clean !== raw
      ? { text: clean }
      : { text: clean, base64: bytes.toString('base64') }
  }
  const wholeLines = (end: number) => {
    const text = before + held.toString('utf8', 0, end)
    const found = redactor.find(text)
    const lineStart = (at: number) => (at === 0 ? 0 : text.lastIndexOf('\n', at - 1) + 1)
    const to = uncut(found, found.open, lineStart)
    if (to <= before.length) return undefined
    // Bytes that are no UTF-8 are other characters in the text, but line ends are the same.
    let length = end
    for (let at = text.indexOf('\n', to); at >= 0; at = text.indexOf('\n', at + 1))
      length = held.lastIndexOf(10, length - 2) + 1
    return show(length, found, text.slice(0, to))
  }
  const partOfLine = () => {
    const cut = wholeCharacters(held, held.length - kept)
    const [first, last] = [held.toString('utf8', 0, cut), held.toString('utf8', cut)]
    const found = redactor.find(before + first + last)
    const to = uncut(found, Math.min(found.open, before.length + first.length), at => at)
    if (to <= before.length) return undefined
    // What stays behind was found: it is UTF-8.
    const length = cut - Buffer.byteLength((before + first).slice(to))
    return show(length, found, (before + first).slice(0, to))
  }
  return {
    push: chunk => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const end = held.lastIndexOf(10) + 1
      if (held.length - end > longestLine) return partOfLine()
      return end === 0 ? undefined : wholeLines(end)
    },
    rest: () => {
      const text = before + held.toString('utf8')
      return show(held.length, redactor.find(text), text)
    },
  }
}

/** The last place up to `to` where a cut is allowed, and nothing that was found is cut in two. */
function uncut({ spans }: Found, to: number, allowed: (at: number) => number): number {
  let at = allowed(to)
  for (let index = spans.length - 1; index >= 0; index--) {
    const [start, end] = spans[index]!
    // A span that begins earlier may reach further: look at all of them again.
    if (start < at && at < end) {
      at = allowed(start)
      index = spans.length
    }
  }
  return at
}

/** The last end of a character up to here: bytes within one are 10xxxxxx. */
function wholeCharacters(bytes: Buffer, from: number): number {
  let cut = from
  while (cut > 0 && cut > from - 4 && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut--
  return cut
}
