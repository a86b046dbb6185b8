/** Tables as text, aligned by visible width. */
import { escapeControls } from './escape.ts'
import { wrapLine } from './line.ts'
import { createTheme, paint, type Theme } from './theme.ts'
import { pad, textWidth, wrapWords } from './width.ts'

export interface TableFormat {
  /** Bold header. */
  color?: boolean
  /** Width that the table must fit; the widest columns are wrapped. No limit if undefined. */
  columns?: number
  /** Whether more than ASCII may be drawn; default: yes. */
  unicode?: boolean
}

const gap = '  '

/**
 * A table with a header line; two spaces between columns, no tabs, no trailing spaces, no final line end. Cells
 * that do not fit are wrapped at spaces, and no word is broken; where even the longest words do not fit beside
 * each other, each row is a block with a line for each column. Control characters in cells become visible;
 * missing cells are empty.
 * @example formatTable(['host', 'up'], [['web1', 'yes']]) // 'host  up\nweb1  yes'
 */
export function formatTable(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  format: TableFormat = {},
): string {
  const theme = createTheme({ color: format.color ?? false, unicode: format.unicode ?? true })
  const { columns = Number.POSITIVE_INFINITY } = format
  const cells = [header, ...rows].map(row =>
    header.map((_, index) => escapeControls(row[index] ?? '')),
  )
  const widest = (width: (cell: string) => number) =>
    header.map((_, index) => Math.max(...cells.map(row => width(row[index]!))))
  const widths = narrow(widest(textWidth), widest(longestWord), columns)
  if (!widths) return asBlocks(cells, theme, columns)
  return cells
    .flatMap((row, index) =>
      rowLines(row, widths).map(line => (index === 0 ? paint(theme, line, 'bold') : line)),
    )
    .join('\n')
}

/** The lines of a row: as many as its longest cell needs. */
function rowLines(row: readonly string[], widths: readonly number[]): string[] {
  const wrapped = row.map((cell, index) => wrapWords(cell, widths[index]!))
  const height = Math.max(...wrapped.map(lines => lines.length))
  return Array.from({ length: height }, (_, line) =>
    wrapped
      .map((lines, index) => pad(lines[line] ?? '', widths[index]!))
      .join(gap)
      .trimEnd(),
  )
}

/** A line for each cell, after the name of its column; an empty line between rows. */
function asBlocks([header, ...rows]: string[][], theme: Theme, columns: number): string {
  const indent = Math.max(...header!.map(textWidth)) + gap.length
  return rows
    .map(row =>
      row
        .flatMap((cell, index) =>
          wrapLine(
            [
              { text: pad(header![index]!, indent - gap.length), look: 'bold' },
              { text: gap + cell },
            ],
            theme,
            columns,
            indent,
          ),
        )
        .map(line => line.trimEnd())
        .join('\n'),
    )
    .join('\n\n')
}

const longestWord = (cell: string) => Math.max(...cell.split(' ').map(textWidth))

/** Narrows the widest column, step by step, until all fit; undefined if their longest words do not. */
function narrow(
  natural: readonly number[],
  least: readonly number[],
  columns: number,
): number[] | undefined {
  const widths = [...natural]
  let excess =
    widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1)) - columns
  for (; excess > 0; excess--) {
    const spare = widths.map((width, index) => (width > least[index]! ? width : 0))
    const most = Math.max(...spare)
    if (most === 0) return undefined
    widths[spare.indexOf(most)]!--
  }
  return widths
}
