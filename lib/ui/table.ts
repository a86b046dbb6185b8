/** Tables as text, aligned by visible width. */
import { escapeControls } from './escape.ts'
import { createTheme, paint } from './theme.ts'
import { pad, textWidth, truncate } from './width.ts'

export interface TableFormat {
  /** Bold header. */
  color?: boolean
  /** Width that the table must fit; the widest columns are truncated. No limit if undefined. */
  columns?: number
  /** Whether `…` may mark truncated text; default: yes. */
  unicode?: boolean
}

/** Columns are not narrowed below this to fit the table. */
const narrowest = 8
const gap = '  '

/**
 * A table with a header line; two spaces between columns, no tabs, no trailing spaces, no final line end.
 * Control characters in cells become visible; missing cells are empty.
 * @example formatTable(['host', 'up'], [['web1', 'yes']]) // 'host  up\nweb1  yes'
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  format: TableFormat = {},
): string {
  const theme = createTheme({ color: format.color ?? false, unicode: format.unicode ?? true })
  const cells = [header, ...rows].map(row =>
    header.map((_, index) => escapeControls(row[index] ?? '')),
  )
  const natural = header.map((_, index) => Math.max(...cells.map(row => textWidth(row[index]!))))
  const widths = narrow(natural, format.columns)
  const lines = cells.map(row => {
    const cut = row.map((cell, index) => truncate(cell, widths[index]!, theme.symbols.ellipsis))
    return cut
      .map((cell, index) => pad(cell, widths[index]!))
      .join(gap)
      .trimEnd()
  })
  return lines.map((line, index) => (index === 0 ? paint(theme, line, 'bold') : line)).join('\n')
}

/** Narrows the widest column, step by step, until all fit. */
function narrow(natural: readonly number[], columns = Number.POSITIVE_INFINITY): number[] {
  const widths = [...natural]
  const total = () => widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1))
  while (total() > columns) {
    const widest = widths.indexOf(Math.max(...widths))
    if (widths[widest]! <= narrowest) break
    widths[widest]!--
  }
  return widths
}
