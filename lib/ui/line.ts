/** One line of the terminal, built from parts and fitted to the width before it is coloured. */
import { type Look, paint, type Theme } from './theme.ts'
import { textWidth, truncate } from './width.ts'

export interface Part {
  text: string
  look?: Look
  /**
   * May be truncated if the line is too long: parts with the highest number first, down to `keep` columns.
   */
  shrink?: number
  keep?: number
  /** Not broken where the line is wrapped: a number and its unit. */
  whole?: boolean
}

/**
 * The parts in order, in at most `columns` columns (no limit if undefined). Parts are truncated in the order
 * of their `shrink`; if the line is still too long, its end is cut off.
 */
export function layoutLine(parts: readonly Part[], theme: Theme, columns?: number): string {
  return squeeze(parts, theme, columns)
    .map(part => paint(theme, part.text, part.look))
    .join('')
}

function squeeze(parts: readonly Part[], theme: Theme, columns?: number): readonly Part[] {
  if (columns === undefined) return parts
  const cut = (part: Part, width: number): Part => ({
    ...part,
    text: truncate(part.text, width, theme.symbols.ellipsis),
  })
  const fitted = [...parts]
  let excess = fitted.reduce((sum, part) => sum + textWidth(part.text), 0) - columns
  const order = fitted.map((part, index) => ({ index, shrink: part.shrink ?? 0 }))
  order.sort((a, b) => b.shrink - a.shrink)
  for (const { index, shrink } of order) {
    if (excess <= 0 || shrink === 0) break
    const part = fitted[index]!
    const width = textWidth(part.text)
    const shorter = cut(part, Math.min(width, Math.max(part.keep ?? 0, width - excess)))
    fitted[index] = shorter
    excess -= width - textWidth(shorter.text)
  }
  if (excess <= 0) return fitted
  let room = columns
  return fitted.map(part => {
    const cutPart = cut(part, room)
    room -= textWidth(cutPart.text)
    return cutPart
  })
}

/**
 * The parts in order, in lines of at most `columns` columns, broken at spaces; the next ones begin with `indent`
 * spaces. What is longer than a line gets its own.
 */
export function wrapLine(
  parts: readonly Part[],
  theme: Theme,
  columns: number,
  indent: number,
): string[] {
  // Parts need not end at a space: a piece goes where the one before it went, unless there is one between.
  const pieces = parts.flatMap(({ text, look, whole }) => {
    const [, lead = '', rest = ''] = /^( *)(.*)$/s.exec(text) ?? []
    const inside = whole ? [rest] : rest.split(/( +)/)
    return [lead, ...inside].filter(piece => piece !== '').map(piece => ({ text: piece, look }))
  })
  const lines: string[] = []
  let line = ''
  let width = 0
  let gap = ''
  let word: typeof pieces = []
  const put = () => {
    const size = word.reduce((sum, piece) => sum + textWidth(piece.text), 0)
    if (size === 0) return
    if (line.trim() !== '' && width + gap.length + size > columns) {
      lines.push(line)
      gap = ' '.repeat(indent)
      line = ''
      width = 0
    }
    line += gap + word.map(piece => paint(theme, piece.text, piece.look)).join('')
    width += gap.length + size
    gap = ''
    word = []
  }
  for (const piece of pieces) {
    if (/^ +$/.test(piece.text)) {
      put()
      gap += piece.text
    } else word.push(piece)
  }
  put()
  return [...lines, line]
}
