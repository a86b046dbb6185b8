import { exitCodes } from '../../../lib/errors.ts'
import type { ErrorReport, HostOutcome, NewEvent, StepStatus } from '../../../lib/events.ts'

export interface FakeStep {
  title: string
  /** The host where it is done. */
  on?: string
  status?: StepStatus
  note?: string
  diff?: string
  output?: string[]
  error?: ErrorReport
}

export interface FakeHost {
  host: string
  status?: HostOutcome['status']
  error?: ErrorReport
  /** Steps of each task. */
  tasks?: Record<string, FakeStep[]>
}

export const runStart = (hosts: string[], check = false): NewEvent => ({
  type: 'run.start',
  run: 'run-1',
  recipe: 'server.provision',
  environment: 'production',
  args: {},
  check,
  hosts,
  owner: 'alice',
  controller: 'ops1',
  attempt: 1,
  batches: [hosts],
})

/** The events of one host, each step taking 100 ms and each host 1 s. */
export function hostEvents(fake: FakeHost): { events: NewEvent[]; outcome: HostOutcome } {
  const { host } = fake
  const counts = { ok: 0, changed: 0, failed: 0, unknown: 0, skipped: 0 }
  const events: NewEvent[] = [{ type: 'host.start', host }]
  for (const [title, steps] of Object.entries(fake.tasks ?? {})) {
    const task = `task ${title}`
    events.push({ type: 'task.start', host, task, title })
    for (const [index, { output = [], status = 'ok', ...rest }] of steps.entries()) {
      const ids = { host, task, step: `${task} ${index}` }
      counts[status]++
      events.push({ type: 'step.start', ...ids, title: rest.title })
      for (const text of output)
        events.push({ type: 'step.output', ...ids, stream: 'stdout', text })
      events.push({ type: 'step.end', ...ids, status, durationMs: 100, ...rest })
    }
    const status = worst(steps)
    events.push({ type: 'task.end', host, task, title, status, durationMs: 500 })
  }
  const status =
    fake.status ?? (counts.failed > 0 ? 'failed' : counts.changed > 0 ? 'changed' : 'ok')
  const error = fake.error
  const outcome = { host, status, counts, durationMs: 1000, roundTrips: 2, ...(error && { error }) }
  return { events: [...events, { type: 'host.end', ...outcome }], outcome }
}

/** A whole run, one host after the other, taking 4.2 s. */
export function runEvents(fakes: FakeHost[], check = false): NewEvent[] {
  const hosts = fakes.map(hostEvents)
  const outcomes = hosts.map(({ outcome }) => outcome)
  const good = outcomes.every(({ status }) => status === 'ok' || status === 'changed')
  const drift = check && outcomes.some(({ status }) => status === 'changed')
  const exitCode = good ? (drift ? exitCodes.drift : 0) : exitCodes.failed
  const ok = exitCode === 0
  return [
    runStart(
      fakes.map(({ host }) => host),
      check,
    ),
    ...hosts.flatMap(({ events }) => events),
    { type: 'run.end', run: 'run-1', ok, exitCode, durationMs: 4200, hosts: outcomes },
  ]
}

function worst(steps: FakeStep[]): StepStatus {
  const statuses = steps.map(({ status }) => status)
  return statuses.includes('failed') ? 'failed' : statuses.includes('changed') ? 'changed' : 'ok'
}
