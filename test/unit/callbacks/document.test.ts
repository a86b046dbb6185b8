import { describe, expect, it } from 'vitest'
import { createDocumentCollector } from '../../../lib/callbacks/document.ts'
import {
  createEventStream,
  type ErrorReport,
  type HostOutcome,
  type NewEvent,
} from '../../../lib/events.ts'

const counts = { ok: 3, changed: 1, failed: 0, unknown: 0, skipped: 0 }
const outcome = (host: string, rest: Partial<HostOutcome> = {}): HostOutcome => ({
  host,
  status: 'changed',
  counts,
  durationMs: 900,
  roundTrips: 2,
  data: { private: 'to the recipe' },
  ...rest,
})

const start: NewEvent = {
  type: 'run.start',
  run: 'run-1',
  recipe: 'server.provision',
  environment: 'production',
  args: { role: 'web' },
  check: false,
  hosts: ['web1', 'web2'],
  owner: 'alice',
  controller: 'ops1',
  attempt: 1,
  batches: [['web1', 'web2']],
}

function collect(hosts: HostOutcome[], before: NewEvent[] = []) {
  let now = Date.UTC(2026, 7, 4, 10, 15)
  const stream = createEventStream(() => now)
  const collector = createDocumentCollector()
  stream.subscribe(collector.subscriber)
  const ok = hosts.every(({ error }) => !error)
  stream.emit(start)
  for (const event of before) stream.emit(event)
  for (const host of hosts) stream.emit({ type: 'host.end', ...host })
  expect(collector.document()).toBeUndefined()
  now += 4200
  stream.emit({ type: 'run.end', run: 'run-1', ok, exitCode: ok ? 0 : 4, durationMs: 4200, hosts })
  return collector.document()
}

const stepFailed = (error: ErrorReport, host = 'web2'): NewEvent => ({
  type: 'step.end',
  host,
  task: 't',
  step: 's',
  title: 'service haproxy',
  status: 'failed',
  durationMs: 5,
  error,
})

const failure: ErrorReport = {
  code: 'step_failed',
  message: 'exit status 1',
  step: 'service haproxy',
}

describe('the callback document', () => {
  it('describes a whole run', () => {
    expect(
      collect([outcome('web1'), outcome('web2', { status: 'failed', error: failure })]),
    ).toEqual({
      version: 1,
      type: 'run.completed',
      run: 'run-1',
      recipe: 'server.provision',
      environment: 'production',
      args: { role: 'web' },
      check: false,
      startedAt: '2026-08-04T10:15:00.000Z',
      endedAt: '2026-08-04T10:15:04.200Z',
      durationMs: 4200,
      ok: false,
      exitCode: 4,
      hosts: [
        { host: 'web1', status: 'changed', counts, durationMs: 900 },
        { host: 'web2', status: 'failed', counts, durationMs: 900, error: failure },
      ],
      errors: [{ host: 'web2', ...failure }],
    })
  })

  it('lists an error once if both a step and its host ended with it', () => {
    const document = collect(
      [outcome('web2', { status: 'failed', error: failure })],
      [stepFailed(failure)],
    )
    expect(document?.errors).toEqual([{ host: 'web2', ...failure }])
  })

  it('lists what failed first, then the consequences', () => {
    const rolledBack: ErrorReport = { code: 'rolled_back', message: '1.2 runs again' }
    const document = collect(
      [outcome('web2', { status: 'failed', error: rolledBack })],
      [stepFailed(failure)],
    )
    expect(document?.errors.map(({ code }) => code)).toEqual(['step_failed', 'rolled_back'])
  })

  it('leaves out errors that the recipe handled', () => {
    expect(collect([outcome('web2')], [stepFailed(failure)])?.errors).toEqual([])
  })
})
