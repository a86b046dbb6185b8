/**
 * Text from hosts made safe to show. A terminal obeys control characters wherever they come from, so
 * none of them reaches it: ESC and its C1 twins would move the cursor or set the title, CR and BS
 * would overwrite what was told before, the bidirectional controls would reorder it, and what is
 * invisible would make two names look the same. Nor does a line without end.
 */
import { textWidth } from './width.ts'

// Cc: C0, DEL and C1. Cs: half a surrogate pair, which no encoding can carry. Cf and what is ignorable by
// default: bidirectional controls (UAX #9), zero-width and tag characters. Zl, Zp: Unicode's line breaks.
// Left are variation selectors, which only choose a form, and the joiner within an emoji.
const unsafe =
  /(?![\ufe00-\ufe0f]|(?<=\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)\u200d)[\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** Most text holds none of these, which is faster to see. */
const plain = /^[\x20-\x7e]*$/

const short: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Of a line, so many UTF-16 units are shown. */
export const longestShown = 2000

/**
 * `text` on one line, its control characters visible: `\n`, `\x1b`, `\u202e`; cut where it is longer than
 * `longestShown`. Pure; short text without control characters comes back as it is.
 * @example escapeControls('a\x1b[2Jb\n') // 'a\\x1b[2Jb\\n'
 */
export function escapeControls(text: string): string {
  const { kept, cut } = cutText(text)
  return escaped(kept) + cutMark(cut)
}

/**
 * The lines of `text`, each safe to show. Line ends (LF, CR LF) separate, tabs become spaces, every
 * other control character is made visible. A last line end adds no empty line.
 */
export function escapeLines(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map(line => escapeLine(line))
}

/**
 * One line of output, without its line end, safe to show: tabs become spaces, CR before the end goes.
 * @param more bytes of the line that were cut off before
 */
export function escapeLine(line: string, more = 0): string {
  const { kept, cut } = cutText(line.replace(/\r$/, ''))
  return escaped(expandTabs(kept)) + cutMark(cut + more)
}

const escaped = (text: string) =>
  plain.test(text) ? text : text.replace(unsafe, char => short[char] ?? hexadecimal(char))

/** The beginning of a text, whole characters, and how many bytes it lacks. */
function cutText(text: string): { kept: string; cut: number } {
  if (text.length <= longestShown) return { kept: text, cut: 0 }
  const half = /[\ud800-\udbff]/.test(text[longestShown - 1]!) ? 1 : 0
  const kept = text.slice(0, longestShown - half)
  return { kept, cut: Buffer.byteLength(text) - Buffer.byteLength(kept) }
}

// In ASCII, as whoever asks for a safe text need not know the terminal's character set.
const cutMark = (bytes: number) =>
  bytes === 0 ? '' : ` ... (${bytes} more ${bytes === 1 ? 'byte' : 'bytes'})`

function hexadecimal(char: string): string {
  const code = char.codePointAt(0)!
  const digits = code.toString(16)
  if (code > 0xffff) return `\\u{${digits}}`
  return code < 0x100 ? `\\x${digits.padStart(2, '0')}` : `\\u${digits.padStart(4, '0')}`
}

/** To know the width of a piece takes its time: a line has so many that count. */
const mostTabs = 64

/** A tab reaches to the next multiple of eight columns. */
function expandTabs(line: string): string {
  const [first = '', ...rest] = line.split('\t')
  if (rest.length === 0) return line
  let column = textWidth(first)
  let done = first
  for (const [index, part] of rest.entries()) {
    if (index >= mostTabs) return [done, ...rest.slice(index)].join(' ')
    const blanks = 8 - (column % 8)
    done += ' '.repeat(blanks) + part
    column += blanks + textWidth(part)
  }
  return done
}
