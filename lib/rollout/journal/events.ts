/** The events of a run that has been, from its journal, for whatever draws runs. Pure. */
import type { HostOutcome, NewEvent, RunEvent, StepStatus } from '../../events.ts'
import type { HostAccount, RunAccount } from './account.ts'
import type { RunState } from './read.ts'
import type { EndRecord, JournalRecord } from './record.ts'

/** The events of a run as its journal has them: of each host those of the last attempt on it. */
export function eventsOf(
  { last, hosts, others }: RunAccount,
  state: RunState,
  host?: string,
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
    ...(host === undefined ? endsOfHooks(others) : []),
    ...(end ? [endEvent(first.run, end, outcomes)] : []),
  ]
}

/** What was done before and after. Warnings about other hosts are in its log. */
function endsOfHooks(records: readonly JournalRecord[]): RunEvent[] {
  const events = records.filter((record): record is typeof record & RunEvent => {
    return record.type !== 'warning' && record.type !== 'decision'
  })
  return [...events, ...endsOfTasks(events)]
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
