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
