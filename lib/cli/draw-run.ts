/** A run that has been, drawn from its journal as the terminal drew it when it was. */
import type { HostOutcome, NewEvent, RunEvent, StepStatus } from '../events.ts'
import type { HostAccount, RunAccount } from '../rollout/journal/account.ts'
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
  await drawTree(account, state, place, host)
  if (account.last.first.kind === 'look' || state === 'running') return
  const hosts = [...account.hosts.values()].map(({ outcome, attempt }) => ({
    ...{ status: outcome?.status, error: outcome?.error, roundTrips: outcome?.roundTrips },
    attempt,
  }))
  for (const { why, command } of nextCommands(account.last.first.run, hosts))
    sayLine(stdout, `${why}:`, command)
}

/** Who, when, with what: a line each. */
function headOf({ attempts, last }: RunAccount, state: RunState): [string, string][] {
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
async function drawTree(
  account: RunAccount,
  state: RunState,
  { stdout, env }: Place,
  host: string | undefined,
): Promise<void> {
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
  for (const event of eventsOf(account, state, host)) renderer.subscriber(event)
  await renderer.end()
}

/** The events of a run as its journal has them: of each host those of the last attempt on it. */
function eventsOf(
  { last, hosts }: RunAccount,
  state: RunState,
  host: string | undefined,
): RunEvent[] {
  const { first, end } = last
  const shown = [...hosts.values()].filter(each => host === undefined || each.host === host)
  const outcomes = shown.flatMap(({ outcome }) => outcome ?? [])
  const start: NewEvent = {
    type: 'run.start',
    run: first.run,
    recipe: first.recipe,
    environment: first.environment,
    args: first.args,
    check: first.kind === 'look',
    hosts: shown.map(each => each.host),
    owner: first.owner,
    controller: first.controller.machine,
    attempt: first.attempt,
    batches: first.batches.map(batch => [...batch]),
  }
  return [
    { at: first.at, ...start },
    ...shown.flatMap(each => recordsOf(each, state)),
    ...(end ? [endEvent(first.run, end, outcomes)] : []),
  ]
}

/** What has no end in a run that is gone was interrupted; how a command ended that had begun, nobody knows. */
function recordsOf({ records, outcome }: HostAccount, state: RunState): RunEvent[] {
  const events = records.filter((record): record is typeof record & RunEvent => 'host' in record)
  if (outcome) return [...events, ...endsOfTasks(events)]
  if (state === 'running') return events
  const ended = new Set(events.flatMap(event => (event.type === 'step.end' ? [event.step] : [])))
  const unknown = events.flatMap(event =>
    event.type === 'step.start' && !ended.has(event.step)
      ? [{ ...event, type: 'step.end', status: 'unknown', durationMs: 0 } as const]
      : [],
  )
  return [...events, ...unknown]
}

/** How tasks ended that have no more steps to come: a journal keeps no end of theirs. */
function endsOfTasks(events: readonly RunEvent[]): RunEvent[] {
  const ends = events.filter(event => event.type === 'step.end')
  return events.flatMap(event => {
    if (event.type !== 'task.start') return []
    const { at: began, host, task, title } = event
    const own = ends.filter(each => each.host === host && each.task === task)
    const has = (...statuses: readonly StepStatus[]) =>
      own.some(({ status }) => statuses.includes(status))
    const status = has('failed', 'unknown') ? 'failed' : has('changed') ? 'changed' : 'ok'
    const at = Math.max(began, ...own.map(each => each.at))
    return [{ at, type: 'task.end', host, task, title, status, durationMs: at - began }]
  })
}

const endEvent = (run: string, { at, exitCode, durationMs }: EndRecord, hosts: HostOutcome[]) =>
  ({ at, type: 'run.end', run, ok: exitCode === 0, exitCode, durationMs, hosts }) satisfies RunEvent
