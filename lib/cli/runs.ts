/** `hostwright runs`, and `runs show`: what was run from this machine. */
import { existsSync } from 'node:fs'
import { UsageError } from '../errors.ts'
import type { RunAccount } from '../rollout/journal/account.ts'
import { eventsOf } from '../rollout/journal/events.ts'
import type { RunState } from '../rollout/journal/read.ts'
import type { JournalRecord } from '../rollout/journal/record.ts'
import { unknownName } from '../shell/nearest.ts'
import { chooseMode } from '../ui/choose-renderer.ts'
import { escapeControls } from '../ui/escape.ts'
import { toJson } from '../ui/json.ts'
import { accountOfEvents } from '../ui/reports/account.ts'
import { formatRuns, resultWord } from '../ui/run-table.ts'
import { themeFor } from '../ui/theme.ts'
import type { Place, RunCommand } from './command.ts'
import { findRun, findRuns, oneRun } from './find-runs.ts'
import type { OptionValues } from './options/option.ts'

export const runs: RunCommand = async ([what, ...words], options, place) => {
  if (what === undefined) return listRuns(options, place)
  if (what === 'show') return showRun(oneRun('runs show', words), options, place)
  throw unknownName('runs', what, ['show'])
}

function listRuns(options: OptionValues, place: Place): number {
  const mode = chooseMode(options.output as string | undefined, place)
  const found = findRuns(options, place)
  if (mode === 'json') {
    const lines = found.map(
      ({ run, kind, first, attempts, state, end, statuses }) =>
        `${toJson({
          run,
          kind,
          result: resultWord({ first, state, end }),
          recipe: first?.recipe,
          args: first?.args,
          environment: first?.environment,
          owner: first?.owner,
          controller: first?.controller.machine,
          startedAt: first && new Date(first.at).toISOString(),
          endedAt: end && new Date(end.at).toISOString(),
          attempts,
          exitCode: end?.exitCode,
          statuses,
          hosts: first?.batches.flat(),
        })}\n`,
    )
    place.stdout.write(lines.join(''))
    return 0
  }
  if (found.length === 0) {
    place.stderr.write('No such runs.\n')
    return 0
  }
  const { color, unicode } = themeFor(place.stdout, place.env)
  const { columns } = place.stdout
  place.stdout.write(`${formatRuns(found, Date.now(), { color, unicode, columns })}\n`)
  return 0
}

async function showRun(wanted: string, options: OptionValues, place: Place): Promise<number> {
  const mode = chooseMode(options.output as string | undefined, place)
  if (options.html === true) checkPage(options, place)
  const { name, journal } = findRun(wanted, place)
  if (mode === 'json') {
    for (const record of journal.records) place.stdout.write(`${toJson(shownRecord(record))}\n`)
    return 0
  }
  for (const { line, why } of journal.damaged)
    place.stderr.write(`${escapeControls(name.file)}:${line}: damaged: ${escapeControls(why)}\n`)
  if (!journal.account) {
    throw new UsageError('invalid_value', `the journal of ${name.run} is damaged: ${name.file}`, {
      hint: 'Its log may still be there: see docs/output.md.',
    })
  }
  if (options.html === true) return writePage(journal.account, journal.state, place)
  const { drawRun } = await import('./draw-run.ts')
  await drawRun(journal.account, journal.state, { place, host: options.host as string | undefined })
  return 0
}

/** Of the URL of callbacks no more than where it is: its path may be what lets one in. */
function shownRecord(record: JournalRecord): JournalRecord {
  if (record.type !== 'attempt' || record.asked.options.callbackUrl === undefined) return record
  const { asked } = record
  const callbackUrl = new URL(String(asked.options.callbackUrl)).origin
  return { ...record, asked: { ...asked, options: { ...asked.options, callbackUrl } } }
}

/** @throws {UsageError} usage */
function checkPage({ host, output }: OptionValues, { stdout }: Place): void {
  if (stdout.isTTY)
    throw new UsageError('usage', '--html writes a page, which a terminal can’t show', {
      hint: 'Write it to a file: hostwright runs show last --html > run.html',
    })
  if (host !== undefined || output !== undefined)
    throw new UsageError('usage', '--html is all of the run: leave out --host and --output')
}

/** From the run’s log, which has every step; else from its journal. */
async function writePage(account: RunAccount, state: RunState, place: Place): Promise<number> {
  const { log, run } = account.last.first
  const { readLog } = await import('./report.ts')
  const logged = log && existsSync(log) ? (await readLog(log, place, 'account')).found : undefined
  const report = logged?.run === run ? logged : accountOfEvents(eventsOf(account, state))
  const { htmlOf } = await import('../ui/reports/html/page.ts')
  place.stdout.write(htmlOf(report!))
  return 0
}
