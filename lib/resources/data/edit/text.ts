/** Text files as they are edited: encoding, line endings, lines. Pure. */
import { isUtf8 } from 'node:buffer'
import { StepError } from '../../../errors.ts'

const bom = '\uFEFF'

/**
 * The text of a file without its byte order mark, and how to make a file of a text again.
 * @throws {StepError} file_invalid: it is not UTF-8
 */
export function readText(bytes: Buffer): { text: string; write(text: string): Buffer } {
  if (!isUtf8(bytes)) {
    const good = bytes.subarray(0, firstBad(bytes)).toString('utf8')
    throw invalidAt(good, good.length, 'the file is not UTF-8')
  }
  const whole = bytes.toString('utf8')
  // A text in UTF-16 is UTF-8 too, where it has no mark.
  const nul = whole.indexOf('\0')
  if (nul >= 0) throw invalidAt(whole, nul, 'the file is not UTF-8, but holds NUL bytes')
  const mark = whole.startsWith(bom) ? bom : ''
  return {
    text: whole.slice(mark.length),
    write: text => Buffer.from(mark + text),
  }
}

/** How many bytes at the beginning are UTF-8: as many as come back the same. */
function firstBad(bytes: Buffer): number {
  const again = Buffer.from(bytes.toString('utf8'))
  return bytes.findIndex((byte, index) => byte !== again[index])
}

/** The error of a text that is not in its format, at an offset. */
export function invalidAt(text: string, offset: number, message: string): StepError {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  return invalid(line, offset - before.lastIndexOf('\n'), message)
}

/** The same, both counted from 1. */
export const invalid = (line: number, column: number, message: string): StepError =>
  new StepError('file_invalid', `line ${line}, column ${column}: ${message}`)

/** How the text's lines end. */
export const eolOf = (text: string): string => (/\r?\n/.exec(text)?.[0] === '\r\n' ? '\r\n' : '\n')

/** Where the line begins that holds an offset. */
export const lineStart = (text: string, offset: number): number =>
  text.lastIndexOf('\n', offset - 1) + 1

/** Where the line ends that holds an offset, before its line ending. */
export function lineEnd(text: string, offset: number): number {
  const end = text.indexOf('\n', offset)
  if (end === -1) return text.length
  return end > offset && text[end - 1] === '\r' ? end - 1 : end
}

/** The same, behind its line ending. */
export function nextLine(text: string, offset: number): number {
  const end = text.indexOf('\n', offset)
  return end === -1 ? text.length : end + 1
}

/** The blanks at the beginning of the line that holds an offset. */
export const indentAt = (text: string, offset: number): string =>
  /[ \t]*/y.exec(text.slice(lineStart(text, offset), offset))?.[0] ?? ''

/** Whether nothing but blanks stands before an offset in its line. */
export const beginsLine = (text: string, offset: number): boolean =>
  text.slice(lineStart(text, offset), offset).trim() === ''

export const splice = (text: string, start: number, end: number, insert: string): string =>
  text.slice(0, start) + insert + text.slice(end)

/** What one more level is indented by: as the first line that is, else `usual`. */
export function indentStep(text: string, usual = '  '): string {
  return /^(?:\t|[ ]{1,8})(?=[^\s#/*])/m.exec(text)?.[0] ?? usual
}
