/** Which runs of this machine are meant. */
import { UsageError } from '../errors.ts'
import { globMatcher, type NameMatcher } from '../inventory/name-matcher.ts'
import { runsDirectory } from '../private-file.ts'
import { type JournalName, listJournals, startOfRun } from '../rollout/journal/files.ts'
import {
  type ReadJournal,
  type RunSummary,
  readJournal,
  readSummary,
} from '../rollout/journal/read.ts'
import { printable } from '../shell/nearest.ts'
import { succeeded } from '../ui/run-table.ts'
import type { Place } from './command.ts'
import type { OptionValues } from './options/option.ts'

/**
 * Summaries of the runs that the options name, the newest first.
 * @throws {UsageError} invalid_value: a time that is none
 */
export function findRuns(options: OptionValues, { env }: Pick<Place, 'env'>): RunSummary[] {
  const text = (key: string) => options[key] as string | undefined
  const since = text('since') === undefined ? 0 : parseSince(text('since')!, Date.now())
  const hosts = text('on') === undefined ? undefined : anyOf(text('on')!)
  const recipe = text('recipe') === undefined ? undefined : anyOf(text('recipe')!)
  return listJournals(runsDirectory(env))
    .filter(({ run }) => startOfRun(run) >= since)
    .map(readSummary)
    .sort((a, b) => beganAt(b) - beganAt(a))
    .filter(
      run =>
        (!hosts || run.first?.batches.some(names => names.some(hosts))) &&
        (!recipe || (run.first && recipe(run.first.recipe))) &&
        (options.failed !== true || !succeeded(run)),
    )
}

/** Ids say it by the second only. */
const beganAt = ({ first, run }: RunSummary) => first?.at ?? startOfRun(run)

/** Names and globs, joined by : or a comma. */
function anyOf(pattern: string): NameMatcher {
  const matchers = pattern
    .split(/[:,]/)
    .filter(each => each !== '' && each !== 'all')
    .map(globMatcher)
  return name => matchers.length === 0 || matchers.some(matches => matches(name))
}

const units: Readonly<Record<string, number>> = {
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/**
 * @returns milliseconds since 1970
 * @throws {UsageError} invalid_value
 */
export function parseSince(text: string, now: number): number {
  const [, amount, unit] = /^(\d{1,9}(?:\.\d+)?)([smhdw])$/.exec(text.trim()) ?? []
  if (amount !== undefined) return now - Number(amount) * units[unit!]!
  const time = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(localTime(text)) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw new UsageError('invalid_value', `--since ${printable(text)}: not a time`, {
    hint: 'For example --since 90m, --since 2d, or --since 2026-01-31.',
  })
}

/** A date alone is one of here, as the day begins here. */
const localTime = (text: string) => (/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00` : text)

/**
 * The run of an id, of the end of one, or `last`, with all of its journal.
 * @throws {UsageError} unknown_name: there is none, or there are several
 */
export function findRun(
  wanted: string,
  { env }: Pick<Place, 'env'>,
): { name: JournalName; journal: ReadJournal } {
  const all = listJournals(runsDirectory(env))
  const found = wanted === 'last' ? lastOf(all) : all.filter(({ run }) => isMeant(run, wanted))
  const [name] = found
  if (!name || found.length > 1) {
    const what = name
      ? `${printable(wanted)} means ${found.length} runs: ${found
          .slice(0, 5)
          .map(({ run }) => run)
          .join(', ')}`
      : `there is no run ${printable(wanted)} in the journals of this user on this machine`
    throw new UsageError('unknown_name', what, { hint: 'See `hostwright runs`.' })
  }
  return { name, journal: readJournal(name) }
}

function lastOf([newest, ...others]: readonly JournalName[]): JournalName[] {
  if (!newest) return []
  const second = startOfRun(newest.run)
  return [newest, ...others.filter(({ run }) => startOfRun(run) === second)]
    .map(readSummary)
    .sort((a, b) => beganAt(b) - beganAt(a))
    .slice(0, 1)
}

const isMeant = (run: string, wanted: string) =>
  run === wanted || (wanted.length >= 4 && run.endsWith(wanted))

/** The one word of a command: a run. @throws {UsageError} usage */
export function oneRun(command: string, words: readonly string[]): string {
  const [run, ...more] = words
  if (run !== undefined && more.length === 0) return run
  throw new UsageError('usage', `which run? ${command} takes one`, {
    hint: `For example: hostwright ${command} last. \`hostwright runs\` shows them.`,
  })
}
