/** A run that has been, drawn from its journal as the terminal drew it when it was. */
import type { RunEvent } from '../events.ts'
import type { RunAccount } from '../rollout/journal/account.ts'
import { eventsOf } from '../rollout/journal/events.ts'
import type { RunState } from '../rollout/journal/read.ts'
import type { EndRecord } from '../rollout/journal/record.ts'
import { unknownName } from '../shell/nearest.ts'
import { createRenderer } from '../ui/choose-renderer.ts'
import { escapeControls } from '../ui/escape.ts'
import { formatDuration } from '../ui/format-duration.ts'
import { wrapLine } from '../ui/line.ts'
import { resultWord } from '../ui/run-table.ts'
import { sayLine } from '../ui/say-line.ts'
import { themeFor } from '../ui/theme.ts'
import type { Place } from './command.ts'
import { nextCommands } from './next-commands.ts'
import { timeOf } from './time-of.ts'

/** @throws {UsageError} unknown_name: the run has no such host */
export async function drawRun(
  account: RunAccount,
  state: RunState,
  { place, host }: { place: Place; host?: string },
): Promise<void> {
  const { stdout, env } = place
  if (host !== undefined && !account.hosts.has(host))
    throw unknownName('host of this run', host, [...account.hosts.keys()])
  const theme = themeFor(stdout, env)
  const head = headOf(account, state)
  const width = Math.max(...head.map(([name]) => name.length))
  for (const [name, text] of head) {
    const parts = [
      { text: name.padEnd(width), look: 'bold' } as const,
      { text: `  ${escapeControls(text)}` },
    ]
    const columns = stdout.columns ?? Number.POSITIVE_INFINITY
    for (const line of wrapLine(parts, theme, columns, width + 2)) stdout.write(`${line}\n`)
  }
  stdout.write('\n')
  await drawTree(eventsOf(account, state, host), place)
  if (account.last.first.kind === 'look' || state === 'running') return
  const hosts = [...account.hosts.values()].map(({ outcome, attempt }) => ({
    ...{ status: outcome?.status, error: outcome?.error, roundTrips: outcome?.roundTrips },
    attempt,
  }))
  const { stage } = account.stage ?? {}
  const lost = account.last.end === undefined
  const over = !lost && stage?.kind === 'ended' && stage.final
  const paused = stage?.kind === 'paused' ? stage.why : undefined
  const left = { paused, lost, due: account.due, over }
  for (const { why, command } of nextCommands(account.last.first.run, hosts, left))
    sayLine(stdout, `${why}:`, command)
}

/** Who, when, with what: a line each. */
function headOf({ attempts, last, drained }: RunAccount, state: RunState): [string, string][] {
  const { first } = attempts[0]!
  const { run, recipe, environment, args, version } = first
  const shown = Object.entries(args).flatMap(([name, value]) =>
    value === undefined
      ? []
      : [`${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`],
  )
  const batches = last.first.batches.length
  return [
    ['run', `${run}: ${resultWord({ first, state, end: last.end })}`],
    ['recipe', [recipe, ...shown].join(' ')],
    ['on', `${environment}${batches > 1 ? `, in ${batches} batches` : ''}`],
    ...attempts.map(({ first: begun, end }): [string, string] => [
      attempts.length > 1 ? `attempt ${begun.attempt}` : 'by',
      `${begun.owner} on ${begun.controller.machine}, ${timeOf(begun.at)}${endOf(begun.at, end)}`,
    ]),
    ...decisionsOf({ attempts }),
    ...drained.map(({ host, product, server, balancers, since, by }): [string, string] => [
      'drained',
      `${host} for ${product}: ${server} at ${balancers.join(', ')}, since ${since}, by ${by}`,
    ]),
    ['hostwright', version],
  ]
}

const endOf = (began: number, end: EndRecord | undefined) =>
  end ? `, took ${formatDuration(end.at - began)}, exit code ${end.exitCode}` : ', has no end'

function decisionsOf({ attempts }: Pick<RunAccount, 'attempts'>): [string, string][] {
  return attempts.flatMap(({ records }) =>
    records.flatMap((record): [string, string][] =>
      record.type === 'decision'
        ? [['decision', `${timeOf(record.at)}: ${record.message}, by ${record.by}`]]
        : [],
    ),
  )
}

/** The tree as it is drawn at the end of a run, on standard output. */
export async function drawTree(events: Iterable<RunEvent>, { stdout, env }: Place): Promise<void> {
  const { color } = themeFor(stdout, env)
  // As if it was no terminal: nothing is drawn while the records are read.
  const stream = {
    write: stdout.write.bind(stdout),
    on: stdout.on.bind(stdout),
    columns: stdout.columns,
    isTTY: false,
  } as unknown as typeof stdout
  const renderer = await createRenderer('pretty', {
    output: { stdout: stream, stderr: stream, env: { ...env, FORCE_COLOR: color ? '1' : '0' } },
    verbose: true,
    diff: true,
  })
  for (const event of events) renderer.subscriber(event)
  await renderer.end()
}
