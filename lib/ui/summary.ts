/** One-line summaries of runs and hosts. */
import type { HostOutcome, HostStatus, StepCounts, StepStatus } from '../events.ts'
import { countStatuses } from '../rollout/journal/record.ts'
import { formatDuration } from './format-duration.ts'
import { wrapLine } from './line.ts'
import { statusWord, type Theme } from './theme.ts'

const hostOrder: readonly HostStatus[] = [
  'ok',
  'changed',
  'failed',
  'uncertain',
  'unreachable',
  'locked',
  'interrupted',
  'skipped',
]
const stepOrder: readonly StepStatus[] = ['changed', 'ok', 'failed', 'unknown', 'skipped']

/** @example count(1, 'host') // '1 host' */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`
}

/** The summary in bold, in lines of at most `columns` columns. */
export function summaryLines(
  run: Parameters<typeof summaryLine>[0],
  theme: Theme,
  columns = Number.POSITIVE_INFINITY,
): string[] {
  const dot = ` ${theme.symbols.dot}`
  const parts = summaryLine(run, theme)
    .split(`${dot} `)
    .map((text, index, all) => {
      const last = index === all.length - 1
      return {
        text: `${index === 0 ? '' : ' '}${text}${last ? '' : dot}`,
        look: 'bold',
        whole: index > 0,
      } as const
    })
  return wrapLine(parts, theme, columns, 2)
}

/** @example `3 hosts: 2 changed, 1 failed · 12 steps changed · 4.2 s` */
export function summaryLine(
  run: { hosts: readonly HostOutcome[]; durationMs: number; check: boolean },
  theme: Theme,
): string {
  const statuses = countsOfHosts(countStatuses(run.hosts), run.check)
  const changed = run.hosts.reduce((sum, host) => sum + host.counts.changed, 0)
  return [
    `${count(run.hosts.length, 'host')}${statuses && `: ${statuses}`}`,
    `${count(changed, 'step')} ${statusWord('changed', run.check)}`,
    formatDuration(run.durationMs),
  ].join(` ${theme.symbols.dot} `)
}

/** @example `2 changed, 1 failed` */
export const countsOfHosts = (
  counts: Partial<Record<HostStatus, number>>,
  check: boolean,
): string =>
  hostOrder
    .filter(status => counts[status])
    .map(status => `${counts[status]} ${statusWord(status, check)}`)
    .join(', ')

/** The number of steps by status: `2 changed, 8 ok`; zero counts are left out. */
export function countsText(counts: StepCounts, check: boolean): string {
  const present = stepOrder.filter(status => counts[status] > 0)
  return (
    present.map(status => `${counts[status]} ${statusWord(status, check)}`).join(', ') || 'no steps'
  )
}
