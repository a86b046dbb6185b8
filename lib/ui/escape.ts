/**
 * Text from hosts made safe to show. A terminal obeys control characters wherever they come from, so
 * none of them reaches it: ESC and its C1 twins would move the cursor or set the title, CR and BS
 * would overwrite what was told before, and the bidirectional controls would reorder it.
 */
import { textWidth } from './width.ts'

// Cc: C0, DEL and C1. Cs: half a surrogate pair, which no encoding can carry. Then: the
// bidirectional controls (UAX #9) and the two Unicode line breaks.
const unsafe = /[\p{Cc}\p{Cs}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu

const short: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/**
 * `text` on one line, its control characters visible: `\n`, `\x1b`, `\u202e`. Pure; text without
 * control characters comes back as it is.
 * @example escapeControls('a\x1b[2Jb\n') // 'a\\x1b[2Jb\\n'
 */
export function escapeControls(text: string): string {
  return text.replace(unsafe, char => short[char] ?? hexadecimal(char))
}

/**
 * The lines of `text`, each safe to show. Line ends (LF, CR LF) separate, tabs become spaces, every
 * other control character is made visible. A last line end adds no empty line.
 */
export function escapeLines(text: string): string[] {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  return lines.map(escapeLine)
}

function hexadecimal(char: string): string {
  const code = char.charCodeAt(0)
  const digits = code.toString(16)
  return code < 0x100 ? `\\x${digits.padStart(2, '0')}` : `\\u${digits.padStart(4, '0')}`
}

/** One line of output, without its line end, safe to show: tabs become spaces, CR before the end goes. */
export function escapeLine(line: string): string {
  return escapeControls(expandTabs(line.replace(/\r$/, '')))
}

/** A tab reaches to the next multiple of eight columns. */
function expandTabs(line: string): string {
  const [first = '', ...rest] = line.split('\t')
  return rest.reduce((done, part) => done + ' '.repeat(8 - (textWidth(done) % 8)) + part, first)
}
