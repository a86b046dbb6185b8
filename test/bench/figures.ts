/** Figures as rows of a table in Markdown, which is readable as it is and goes into docs/performance.md. */
import type { Cost } from './measure.ts'

/** One line of the result: our figure compared with a peer’s. */
export interface Figure {
  what: string
  ours?: Cost
  /** Instead of a cost: a count, or why there is none. */
  said?: string
  peer?: string
  theirs?: Cost
  /** The ratio, the target, and whether it is met. */
  ratio?: string
  wanted?: string
  met?: boolean
}

/** The limit as a multiple of the peer’s figure; without a limit it is only reported. */
export function atMost(
  what: string,
  ours: Cost,
  peer: string,
  theirs: Cost,
  limit?: number,
): Figure {
  const ratio = ours.wallMs / theirs.wallMs
  const wanted = limit === undefined ? {} : { wanted: `≤ ${limit}`, met: ratio <= limit }
  return { what, ours, peer, theirs, ratio: ratio.toFixed(2), ...wanted }
}

/** At least this many times as fast. */
export function timesFaster(
  what: string,
  ours: Cost,
  peer: string,
  theirs: Cost,
  least: number,
): Figure {
  const times = theirs.wallMs / ours.wallMs
  const met = times >= least
  return { what, ours, peer, theirs, ratio: `${times.toFixed(1)} ×`, wanted: `≥ ${least} ×`, met }
}

/** At most this many milliseconds more. */
export function atMostMore(
  what: string,
  ours: Cost,
  peer: string,
  theirs: Cost,
  limitMs: number,
): Figure {
  const more = Math.round(ours.wallMs - theirs.wallMs)
  const ratio = `${more < 0 ? '−' : '+'}${Math.abs(more)} ms`
  return { what, ours, peer, theirs, ratio, wanted: `≤ +${limitMs} ms`, met: more <= limitMs }
}

/** At most this many milliseconds more for each of so many steps. */
export function atMostMoreEach(
  what: string,
  ours: Cost,
  peer: string,
  theirs: Cost,
  count: number,
  limitMs: number,
): Figure {
  const more = (ours.wallMs - theirs.wallMs) / count
  const ratio = `${more < 0 ? '−' : '+'}${Math.abs(more).toFixed(1)} ms each`
  return { what, ours, peer, theirs, ratio, wanted: `≤ +${limitMs} ms`, met: more <= limitMs }
}

export const ms = (value: number) => `${Math.round(value)} ms`
const seconds = (value: number) => `${(value / 1000).toFixed(2)} s`

/** Wall time, processor time and memory of the controller. */
const cells = (cost?: Cost) => [
  cost ? ms(cost.wallMs) : '',
  cost?.cpuMs === undefined ? '' : seconds(cost.cpuMs),
  cost?.memoryMib === undefined ? '' : `${Math.round(cost.memoryMib)} MiB`,
]

export function figureTable(figures: readonly Figure[]): string {
  const header = [
    ...['', 'hostwright', 'CPU', 'memory', 'against', 'takes', 'CPU', 'memory'],
    ...['ratio', 'wanted', 'met'],
  ]
  const rows = figures.map(({ what, ours, said, peer, theirs, ratio, wanted, met }) => {
    const [first, ...rest] = cells(ours)
    return [
      what,
      said ?? first!,
      ...rest,
      peer ?? '',
      ...cells(theirs),
      ratio ?? '',
      wanted ?? '',
      met === undefined ? '' : met ? 'yes' : 'no',
    ]
  })
  return markdown(header, rows)
}

/** A table whose columns align. */
export function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows]
  const widths = header.map((_, index) => Math.max(3, ...all.map(row => row[index]!.length)))
  const line = (row: readonly string[]) =>
    `| ${row.map((cell, index) => cell.padEnd(widths[index]!)).join(' | ')} |`
  return [
    line(header),
    `|${widths.map(width => '-'.repeat(width + 2)).join('|')}|`,
    ...rows.map(line),
  ].join('\n')
}
