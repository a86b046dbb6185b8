/** The table of runs, and the words for how they ended. Pure. */
import { type ExitCode, exitCodes } from '../errors.ts'
import type { RunSummary } from '../rollout/journal/read.ts'
import { formatTable, type TableFormat } from './table.ts'
import { wrapWords } from './width.ts'

/** How a run ended, or how it is with it, in a word. */
export type RunResultWord =
  | 'ok'
  | 'would change'
  | 'failed'
  | 'unreachable'
  | 'locked'
  | 'uncertain'
  | 'interrupted'
  | 'paused'
  | 'fault'
  | 'running'
  | 'lost'
  | 'unknown'
  | 'damaged'

/** Of runs that have ended; `failed` for every other exit code. */
export const byExitCode: Readonly<Partial<Record<number, RunResultWord>>> = {
  [exitCodes.ok]: 'ok',
  [exitCodes.drift]: 'would change',
  [exitCodes.unreachable]: 'unreachable',
  [exitCodes.locked]: 'locked',
  [exitCodes.uncertain]: 'uncertain',
  [exitCodes.interrupted]: 'interrupted',
  [exitCodes.paused]: 'paused',
  [exitCodes.fault]: 'fault',
} satisfies Partial<Record<ExitCode, RunResultWord>>

export function resultWord({ first, state, end }: Pick<RunSummary, 'first' | 'state' | 'end'>) {
  if (!first) return 'damaged'
  if (state !== 'ended' || !end) return state === 'ended' ? 'unknown' : state
  return byExitCode[end.exitCode] ?? 'failed'
}

/** Whether a run did what it should, as far as that is known. */
export const succeeded = (run: Parameters<typeof resultWord>[0]): boolean =>
  ['ok', 'would change', 'running'].includes(resultWord(run))

/** A row for each run. */
export function formatRuns(runs: readonly RunSummary[], now: number, format: TableFormat): string {
  return formatTable(
    ['RUN', 'BEGAN', 'BY', 'RECIPE', 'RESULT', 'HOSTS'],
    runs.map(run => [
      run.run,
      run.first ? formatAgo(now - run.first.at) : '-',
      run.first?.owner ?? '-',
      run.first ? recipeOf(run.first) : '-',
      resultWord(run),
      run.first ? hostsOf(run) : '-',
    ]),
    format,
  )
}

/** What was run: `product.upgrade`, `exec uptime`, `site --check`. */
function recipeOf({ recipe, kind, args, asked }: NonNullable<RunSummary['first']>): string {
  const check = kind === 'look' && asked.options.check === true ? ' --check' : ''
  const command = recipe === 'exec' ? String(args.command ?? '') : ''
  return `${recipe}${command && ` ${firstWords(command)}`}${check}`
}

/** The most characters of a command in the table; its table wraps. */
const longestCommand = 40

/** As many whole words as fit, and `...` if there are more. */
function firstWords(command: string): string {
  const [first = '', ...more] = wrapWords(command.trim().replace(/\s+/g, ' '), longestCommand)
  return more.length === 0 ? first : `${first} ...`
}

/** How many hosts are as they should be, of how many. */
function hostsOf({ first, statuses }: RunSummary): string {
  const all = first!.batches.flat().length
  const good = (statuses.ok ?? 0) + (statuses.changed ?? 0)
  return good === all ? String(all) : `${good} of ${all}`
}

/** @example formatAgo(7_200_000) // '2 h ago' */
export function formatAgo(milliseconds: number): string {
  const minutes = Math.floor(Math.max(0, milliseconds) / 60_000)
  if (minutes < 1) return 'just now'
  if (minutes < 60) return `${minutes} min ago`
  if (minutes < 48 * 60) return `${Math.floor(minutes / 60)} h ago`
  return `${Math.floor(minutes / 1440)} d ago`
}
