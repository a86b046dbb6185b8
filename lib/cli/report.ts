/** `hostwright report <log>`: a run that has been, from its log, as a tree or as reports. */
import { resolve } from 'node:path'
import { exitCodes, UsageError } from '../errors.ts'
import type { RunEvent } from '../events.ts'
import { exitCodeOfErrors } from '../report/exit-code.ts'
import { printable } from '../shell/nearest.ts'
import { createRunAccount, type RunReport } from '../ui/reports/account.ts'
import { sayLine } from '../ui/say-line.ts'
import type { Place, RunCommand } from './command.ts'
import { eventsOfLog } from './read-log.ts'
import { readReports, writeReports } from './reports.ts'
import { showError } from './show-error.ts'

export const report: RunCommand = async (words, options, place) => {
  const [file, ...more] = words
  if (file === undefined || more.length > 0) {
    throw new UsageError('usage', 'which log? report takes one file', {
      hint: 'For example: hostwright report run.jsonl. For a run of this machine: hostwright runs show last --html.',
    })
  }
  const wanted = readReports(options, place.cwd)
  const kept = wanted.length > 0 ? 'account' : options.verbose === true ? 'all' : 'events'
  const { found, events } = await readLog(file, place, kept)
  if (!found) {
    throw new UsageError('invalid_value', `${printable(file)} has no events of a run`, {
      hint: 'A log is what is in ~/.local/state/hostwright/runs/*.jsonl, or what --output json wrote.',
    })
  }
  if (wanted.length === 0) {
    const { drawTree } = await import('./draw-run.ts')
    await drawTree(events, place)
    return exitCodes.ok
  }
  const errors = (await writeReports(wanted, found)).map(error => showError(error, place, false))
  return exitCodeOfErrors(errors, true)
}

/**
 * The account of the last run in a log, and the events of its last attempt.
 * @param kept whether events are kept at all, and the output of steps too
 */
export async function readLog(
  file: string,
  { cwd, stderr }: Pick<Place, 'cwd' | 'stderr'>,
  kept: 'account' | 'events' | 'all',
): Promise<{ found: RunReport | undefined; events: readonly RunEvent[] }> {
  const account = createRunAccount()
  let events: RunEvent[] = []
  const strange = (lines: readonly number[]) => {
    if (lines.length > 0)
      sayLine(
        stderr,
        `${printable(file)}: not events: line ${lines.slice(0, 5).join(', ')}${lines.length > 5 ? ` and ${lines.length - 5} more` : ''}`,
      )
  }
  for await (const { event, line } of eventsOfLog(resolve(cwd, file), strange)) {
    try {
      account.subscriber(event)
    } catch {
      throw new UsageError('invalid_value', `${printable(file)}:${line}: not an event of a run`)
    }
    if (event.type === 'run.start') events = []
    if (kept !== 'account' && (kept === 'all' || event.type !== 'step.output')) events.push(event)
  }
  return { found: account.report(), events }
}
