/**
 * Models of the line and the block editor that share nothing with them: what a file must be after an
 * edit, byte for byte.
 */
import type { BlockOptions } from '../../lib/resources/editing/block.ts'
import type { LineOptions } from '../../lib/resources/editing/line.ts'

const bom = '\ufeff'

/** A file as lines with their line ends. */
interface Text {
  bom: string
  lines: { text: string; end: string }[]
  /** What a new line ends with. */
  newline: string
  /** Whether the last line ends with a newline. */
  final: boolean
}

function read(file: string): Text {
  const start = file.startsWith(bom) ? bom : ''
  const body = file.slice(start.length)
  // A byte order mark is a line without its newline, though an empty one.
  const final = body.endsWith('\n') || file === ''
  const lines = body.split('\n').map(line => ({
    text: line.replace(/\r$/, ''),
    end: line.endsWith('\r') ? '\r\n' : '\n',
  }))
  if (final) lines.pop()
  const newline = lines[0]?.end ?? '\n'
  if (!final && lines.length > 1) lines.at(-1)!.end = newline
  return { bom: start, lines, newline, final }
}

/** @param last the last line before the edit: any other ends with a newline */
function write({ bom, lines, final }: Text, last: Text['lines'][number] | undefined): string {
  if (lines.at(-1) !== last) final = true
  const text = lines.map(line => line.text + line.end).join('')
  return bom + (final ? text : text.replace(/\r?\n$/, ''))
}

const like = (pattern: string | RegExp, text: string) =>
  typeof pattern === 'string' ? pattern === text : pattern.test(text)

/** The index at which something new comes. */
function placeIn(
  { lines }: Text,
  { before, after }: Pick<LineOptions, 'before' | 'after'>,
): number {
  if (after !== undefined) {
    const found = lines.findLastIndex(({ text }) => like(after, text))
    return found < 0 ? lines.length : found + 1
  }
  if (before !== undefined) {
    const found = lines.findIndex(({ text }) => like(before, text))
    return found < 0 ? lines.length : found
  }
  return lines.length
}

/** The lines that are looked at, and where a new one comes. */
function boundsIn({ lines }: Text, isMeant: (text: string) => boolean, options: LineOptions) {
  const { after, before } = options
  const bounds = (pattern: string | RegExp) => (each: Text['lines'][number]) =>
    like(pattern, each.text) && !isMeant(each.text)
  const anchor = after === undefined ? -1 : lines.findLastIndex(bounds(after))
  const from = anchor + 1
  const found = before === undefined ? -1 : lines.slice(from).findIndex(bounds(before))
  const to = found < 0 ? lines.length : from + found
  return { looked: lines.slice(from, to), place: from > 0 ? from : to }
}

export function lineEdit(file: string, options: LineOptions): string {
  const text = read(file)
  const { match, absent, replace = 'last' } = options
  const line = options.line as string | undefined
  const last = text.lines.at(-1)
  const isMeant = (each: string) => each === line || (match !== undefined && like(match, each))
  const { looked, place } = boundsIn(text, isMeant, options)
  const meant = looked.filter(each => isMeant(each.text))
  if (absent) {
    // A byte order mark and nothing else has no line to remove.
    if (text.bom !== '' && /^\r?\n?$/.test(file.slice(1))) return file
    text.lines = text.lines.filter(each => !meant.includes(each))
    return meant.length === 0 ? file : write(text, last)
  }
  if (meant.length === 0) {
    text.lines.splice(place, 0, { text: line!, end: text.newline })
    return write(text, last)
  }
  const chosen = replace === 'all' ? meant : [replace === 'first' ? meant[0]! : meant.at(-1)!]
  for (const each of chosen) each.text = line!
  if (replace === 'only')
    text.lines = text.lines.filter(each => !meant.includes(each) || chosen.includes(each))
  return write(text, last)
}

/** The file after the edit, or nothing where its markers are not in pairs or stand there twice. */
export function blockEdit(file: string, options: BlockOptions): string | undefined {
  const text = read(file)
  const { marker = 'hostwright', absent } = options
  const last = text.lines.at(-1)
  const trimmed = text.lines.map(each => each.text.replace(/^[ \t]+|[ \t]+$/g, ''))
  const marks = trimmed.flatMap((line, index) => {
    const [, word, name] = /^#[ \t]*(BEGIN|END)[ \t]+(.*)$/.exec(line) ?? []
    return name === marker ? [{ begin: word === 'BEGIN', index }] : []
  })
  const paired = marks.every(({ begin }, index) => begin === (index % 2 === 0))
  if (!paired || marks.length % 2 === 1) return undefined
  const content = ((options.content as string) ?? '').replace(/\n$/, '')
  const inner = (content === '' ? [] : content.split('\n')).map(line => ({
    text: line,
    end: text.newline,
  }))
  if (absent) {
    for (let at = marks.length - 2; at >= 0; at -= 2)
      text.lines.splice(marks[at]!.index, marks[at + 1]!.index - marks[at]!.index + 1)
    return marks.length === 0 ? file : write(text, last)
  }
  if (marks.length > 2) return undefined
  if (marks.length === 0) {
    const [begin, end] = ['BEGIN', 'END'].map(word => ({
      text: `# ${word} ${marker}`,
      end: text.newline,
    }))
    text.lines.splice(placeIn(text, options), 0, begin!, ...inner, end!)
    return write(text, last)
  }
  const [begin, end] = marks.map(({ index }) => index)
  const old = text.lines.slice(begin! + 1, end!)
  // Lines that are right at the block's beginning stay as they are, line ends and all.
  if (old.length === inner.length && old.every((each, index) => each.text === inner[index]!.text))
    return file
  let same = 0
  while (same < old.length && same < inner.length && old[same]!.text === inner[same]!.text) same++
  text.lines.splice(begin! + 1, old.length, ...old.slice(0, same), ...inner.slice(same))
  return write(text, last)
}
