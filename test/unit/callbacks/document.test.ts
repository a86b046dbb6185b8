import { describe, expect, it } from 'vitest'
import {
  type CallbackDocument,
  createMessages,
  type Ends,
} from '../../../lib/callbacks/document.ts'
import {
  callbackEvents,
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
  const messages = createMessages(['run.completed'])
  const bodies: string[] = []
  stream.subscribe(event => void bodies.push(...messages(event).map(({ body }) => body)))
  const ok = hosts.every(({ error }) => !error)
  stream.emit(start)
  for (const event of before) stream.emit(event)
  for (const host of hosts) stream.emit({ type: 'host.end', ...host })
  expect(bodies).toEqual([])
  now += 4200
  stream.emit({ type: 'run.end', run: 'run-1', ok, exitCode: ok ? 0 : 4, durationMs: 4200, hosts })
  return bodies.map(body => JSON.parse(body) as CallbackDocument)[0]
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
      decisions: [],
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

describe('the callbacks of a run', () => {
  const stopped: ErrorReport = { code: 'interrupted', message: 'interrupted' }
  const run: NewEvent[] = [
    { ...start, attempt: 2 },
    { type: 'batch.start', number: 1, of: 2, hosts: ['web1'] },
    { type: 'approval.needed', host: 'web1', title: 'service haproxy' },
    { type: 'host.end', ...outcome('web1') },
    { type: 'batch.end', number: 1, of: 2, statuses: { changed: 1 } },
    { type: 'batch.start', number: 2, of: 2, hosts: ['web2', 'web3', 'web4'] },
    stepFailed(failure),
    { type: 'host.end', ...outcome('web2', { status: 'failed', error: failure }) },
    { type: 'host.end', ...outcome('web3', { status: 'interrupted', error: stopped }) },
    // In an earlier attempt, which has posted it.
    { type: 'host.end', earlier: true, ...outcome('web4', { status: 'unreachable' }) },
    {
      type: 'batch.end',
      number: 2,
      of: 2,
      statuses: { failed: 1, interrupted: 1, unreachable: 1 },
    },
    { type: 'run.end', run: 'run-1', ok: false, exitCode: 4, durationMs: 1, hosts: [] },
  ]
  const post = (wanted = [...callbackEvents], before?: Ends) => {
    const stream = createEventStream(() => Date.UTC(2026, 7, 4, 10, 15))
    const messages = createMessages(wanted, before)
    const posted: { id: string; document: Record<string, unknown> }[] = []
    stream.subscribe(event => {
      for (const { id, body } of messages(event)) posted.push({ id, document: JSON.parse(body) })
    })
    for (const event of run) stream.emit(event)
    return posted
  }

  it('come in the order of what happened, each under an id of its own', () => {
    const before = { run: 1, batches: new Map([[2, 1]]) }
    expect(post(undefined, before).map(({ id, document }) => [document.type, id])).toEqual([
      ['run.started', 'msg_run-1-2-started'],
      ['approval.needed', 'msg_run-1-2-approval-1'],
      ['batch.completed', 'msg_run-1-batch-1'],
      ['host.failed', 'msg_run-1-2-failed-1'],
      ['batch.completed', 'msg_run-1-2-batch-2'],
      ['run.completed', 'msg_run-1-2'],
    ])
  })

  it('have the id of the first end, where an attempt was killed before it', () => {
    const ids = post().map(({ id }) => id)
    expect(ids.slice(-2)).toEqual(['msg_run-1-batch-2', 'msg_run-1'])
  })

  it('say of a batch and of a host what has become of them', () => {
    const [, approval, first, host, second] = post().map(({ document }) => document)
    expect(approval).toMatchObject({ hosts: [{ host: 'web1' }], step: 'service haproxy' })
    expect(first).toMatchObject({
      batch: { number: 1, of: 2 },
      hosts: [{ host: 'web1' }],
      errors: [],
    })
    expect(host).toMatchObject({
      recipe: 'server.provision',
      attempt: 2,
      hosts: [{ host: 'web2', status: 'failed', error: failure }],
      errors: [{ host: 'web2', ...failure }],
    })
    expect(second).toMatchObject({
      hosts: [{ host: 'web2' }, { host: 'web3' }, { host: 'web4' }],
      errors: [{ host: 'web2' }, { host: 'web3' }],
    })
  })

  it('are only those that are wanted', () => {
    const types = (...wanted: Parameters<typeof post>) => post(...wanted).map(({ id }) => id)
    expect(types(['host.failed'])).toEqual(['msg_run-1-2-failed-1'])
    expect(types([])).toEqual([])
  })
})
