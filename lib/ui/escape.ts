/**
 * Makes text from hosts safe to show. A terminal obeys control characters wherever they come from, so they
 * must never reach it: ESC and its C1 equivalents could move the cursor or set the title, CR and BS could
 * overwrite earlier text, bidirectional controls could reorder it, and invisible characters could make two
 * names look the same. The length of lines is limited, too.
 */
import { textWidth } from './width.ts'

// Cc: C0, DEL and C1. Cs: half a surrogate pair, which can’t be encoded. Cf and default-ignorable characters:
// bidirectional controls (UAX #9), zero-width and tag characters. Zl, Zp: Unicode’s line breaks. Exceptions
// are variation selectors, which only choose a form, and the joiner within an emoji.
const unsafe =
  /(?![\ufe00-\ufe0f]|(?<=\p{Extended_Pictographic}|\p{Emoji_Modifier}|\ufe0f)\u200d)[\p{Cc}\p{Cs}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** Most text has none of these, which is faster to check. */
const plain = /^[\x20-\x7e]*$/

const short: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** The maximum number of UTF-16 units shown of a line. */
export const longestShown = 2000

/**
 * Returns `text` on one line, with visible control characters: `\n`, `\x1b`, `\u202e`; truncated if it is
 * longer than `longestShown`. Pure; short text without control characters is returned unchanged.
 * @example escapeControls('a\x1b[2Jb\n') // 'a\\x1b[2Jb\\n'
 */
export function escapeControls(text: string): string {
  const { kept, cut } = cutText(text)
  return escaped(kept) + cutMark(cut)
}

/**
 * The lines of `text`, each safe to show. Lines end with LF or CR LF, tabs become spaces, all other control
 * characters become visible. A final line end adds no empty line.
 */
export function escapeLines(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map(line => escapeLine(line))
}

/**
 * One line of output, without its line end, safe to show: tabs become spaces, a CR at the end is removed.
 * @param more bytes of the line that were already cut off
 */
export function escapeLine(line: string, more = 0): string {
  const { kept, cut } = cutText(line.replace(/\r$/, ''))
  return escaped(expandTabs(kept)) + cutMark(cut + more)
}

const escaped = (text: string) =>
  plain.test(text) ? text : text.replace(unsafe, char => short[char] ?? hexadecimal(char))

/** The beginning of a text, in whole characters, and the number of missing bytes. */
function cutText(text: string): { kept: string; cut: number } {
  if (text.length <= longestShown) return { kept: text, cut: 0 }
  const half = /[\ud800-\udbff]/.test(text[longestShown - 1]!) ? 1 : 0
  const kept = text.slice(0, longestShown - half)
  return { kept, cut: Buffer.byteLength(text) - Buffer.byteLength(kept) }
}

// In ASCII, because the caller need not know the terminal’s character set.
const cutMark = (bytes: number) =>
  bytes === 0 ? '' : ` ... (${bytes} more ${bytes === 1 ? 'byte' : 'bytes'})`

function hexadecimal(char: string): string {
  const code = char.codePointAt(0)!
  const digits = code.toString(16)
  if (code > 0xffff) return `\\u{${digits}}`
  return code < 0x100 ? `\\x${digits.padStart(2, '0')}` : `\\u${digits.padStart(4, '0')}`
}

/** Measuring the width takes time, so only this many tabs per line are expanded. */
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
