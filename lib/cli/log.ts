/** `hostwright log --on web1`: who changed what on hosts, and when, as the hosts have written it down. */
import { UsageError } from '../errors.ts'
import { hostLog, type LoggedChange } from '../host/host-log.ts'
import { recipe } from '../recipe/recipe.ts'
import type { RunCommand } from './command.ts'
import { parseSince } from './find-runs.ts'
import { parseCount } from './targets.ts'
import { timeOf } from './time-of.ts'

export const log: RunCommand = async (words, options, place) => {
  if (words.length > 0)
    throw new UsageError('usage', `log takes no arguments: ${words.join(' ')}`, {
      hint: 'Name hosts with --on <pattern>.',
    })
  const limit = parseCount('--limit', options.limit as string)
  const since = options.since as string | undefined
  const after = since === undefined ? 0 : parseSince(since, Date.now())
  const { runCommand } = await import('./run.ts')
  return runCommand({
    ...{ name: 'log', words: [], options, place, command: { name: 'log', words } },
    recipe: logRecipe(limit, after),
    quiet: true,
  })
}

/** Each run in the log has a change at least: of the newest changes, none is in an older one. */
const logRecipe = (limit: number, after: number) =>
  recipe({
    description: 'Show who changed what, and when',
    lock: false,
    show: () => ({}),
    async run({ facts, output }) {
      const all = await facts(hostLog(limit))
      const newest = all.filter(({ at }) => Date.parse(at) >= after).slice(-limit)
      output({ changes: newest.reverse() })
    },
    report: outcomes => ({
      header: ['WHEN', ...(outcomes.length > 1 ? ['HOST'] : []), 'BY', 'RECIPE', 'RUN', 'WHAT'],
      rows: outcomes
        .flatMap(({ host, data }) =>
          ((data as { changes: LoggedChange[] } | undefined)?.changes ?? []).map(change => ({
            host,
            change,
          })),
        )
        .sort((a, b) => (a.change.at < b.change.at ? 1 : a.change.at > b.change.at ? -1 : 0))
        .map(({ host, change }) => [
          timeOf(Date.parse(change.at)),
          ...(outcomes.length > 1 ? [host] : []),
          `${change.owner} on ${change.controller}`,
          change.recipe,
          change.run,
          describe(change),
        ]),
    }),
  })

function describe({ how, title, note }: LoggedChange): string {
  const more = note === undefined || title.endsWith(note) ? '' : ` (${note})`
  return `${how === 'changed' ? '' : `${how}: `}${title}${more}`
}
