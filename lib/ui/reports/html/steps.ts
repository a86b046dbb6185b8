/**
 * All steps of all hosts as data, which the page’s script shows of one host at a time: as markup, 20,000 steps would
 * be megabytes. Pure.
 */
import type { HostReport, RunReport } from '../account.ts'
import { oneLine } from '../texts.ts'
import type { Budget } from './markup.ts'

/** In this order, as the script has them. */
export const stepStatuses = ['ok', 'changed', 'failed', 'unknown', 'skipped', 'running'] as const

/**
 * `titles`, each once, and for each host a list of numbers: for each task its title and how many steps follow; for
 * each step its title, status, start after that of the step before, and duration, in milliseconds.
 */
export function stepData(report: RunReport, budget: Budget): string {
  const titles = new Map<string, number>()
  const numberOf = (title: string) => {
    const known = titles.get(title)
    if (known !== undefined) return known
    // What does not fit has no title.
    if (!budget.takes(`${JSON.stringify(title)},`)) return -1
    titles.set(title, titles.size)
    return titles.size - 1
  }
  const hosts = report.hosts.map(host => {
    const numbers = numbersOf(host, report, numberOf)
    return budget.takes(JSON.stringify(numbers)) ? numbers : []
  })
  const data = {
    start: report.startedAt,
    span: report.endedAt - report.startedAt,
    titles: [...titles.keys()],
    hosts,
  }
  return JSON.stringify(data).replaceAll('<', '\\u003c')
}

function numbersOf(
  { tasks }: HostReport,
  { startedAt }: RunReport,
  numberOf: (title: string) => number,
): number[] {
  let before = startedAt
  return tasks.flatMap(({ title: task, steps }) => [
    numberOf(oneLine(task)),
    steps.length,
    ...steps.flatMap(({ title, status, startedAt: at, durationMs }) => {
      const after = at - before
      before = at
      return [numberOf(oneLine(title)), stepStatuses.indexOf(status), after, durationMs]
    }),
  ])
}
