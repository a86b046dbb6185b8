/** The account of a run that reports are made of. */
import { describe, expect, it, test } from 'vitest'
import type { RunEvent } from '../../../../lib/events.ts'
import { command } from '../../../../lib/resources/commands/command.ts'
import { file } from '../../../../lib/resources/files/file.ts'
import { secret } from '../../../../lib/shell/secret.ts'
import { accountOfEvents } from '../../../../lib/ui/reports/account.ts'
import { htmlOf } from '../../../../lib/ui/reports/html/page.ts'
import { junitOf } from '../../../../lib/ui/reports/junit.ts'
import { markdownOf } from '../../../../lib/ui/reports/markdown.ts'
import { local } from '../../../support/local-run.ts'
import { fakeRun, ordinaryRun } from './awkward-run.ts'

describe('the account of a run', () => {
  it('has hosts, batches, steps with their times, and failures with cause and hint', () => {
    const report = accountOfEvents(ordinaryRun())!
    expect(report).toMatchObject({ recipe: 'app', exitCode: 4, args: { version: '2.4.1' } })
    expect(report.hosts.map(({ host, status }) => `${host} ${status}`)).toEqual([
      ...['web1 changed', 'web2 changed', 'web3 failed', 'web4 failed'],
      ...['web5 unreachable', 'web6 changed'],
    ])
    expect(report.batches.map(({ hosts }) => hosts)).toEqual([
      ['web1', 'web2'],
      ['web3', 'web4'],
      ['web5', 'web6'],
    ])
    for (const { startedAt, endedAt } of report.batches)
      expect(endedAt! - startedAt).toBeGreaterThan(0)
    const [pkg, config] = report.hosts[0]!.tasks[0]!.steps
    expect(pkg).toMatchObject({ title: 'pkg haproxy', status: 'ok', durationMs: 900 })
    expect(config!.startedAt).toBe(pkg!.startedAt + 900)
    expect(config!.diff).toContain('+  maxconn 4000')
    expect(report.failures.map(({ host, code, hint }) => [host, code, typeof hint])).toEqual([
      ['web3', 'step_failed', 'string'],
      ['web4', 'step_failed', 'string'],
      ['web5', 'connect_failed', 'string'],
    ])
  })

  it('has no exit code of a run that was cut off, and its last step runs', () => {
    const steps = [{ title: 'first' }, { title: 'second' }]
    const events = fakeRun({ hosts: [{ host: 'web1', steps }], cut: true })
    const last = events.findLastIndex(event => event.type === 'step.start')
    const report = accountOfEvents(events.slice(0, last + 1))!
    expect(report.exitCode).toBeUndefined()
    expect(report.hosts[0]).toMatchObject({ status: 'running' })
    expect(report.hosts[0]!.tasks[0]!.steps.map(({ status }) => status)).toEqual(['ok', 'running'])
  })

  it('joins the attempts of a run, where a host begins again from the top', () => {
    const hosts = ['web1', 'web2'].map(host => ({ host, steps: [{ title: 'step' }] }))
    const first = fakeRun({ hosts, batch: 1, exitCode: 130 })
    const cut = first.slice(0, first.findLastIndex(event => event.type === 'step.start') + 1)
    const again = first.flatMap((event): RunEvent[] => {
      if (event.type === 'run.start') return [{ ...event, at: event.at + 9000, attempt: 2 }]
      if (event.type === 'host.end' && event.host === 'web1') return [{ ...event, earlier: true }]
      if ('host' in event && event.host === 'web1') return []
      if (event.type === 'run.end') return [{ ...event, ok: true, exitCode: 0 }]
      return [{ ...event, at: event.at + 9000 }]
    })
    const report = accountOfEvents([...cut, ...again])!
    expect(report).toMatchObject({ attempt: 2, exitCode: 0, startedAt: first[0]!.at })
    for (const host of report.hosts) {
      expect(host.status).toBe('ok')
      expect(host.tasks.map(({ steps }) => steps.map(({ status }) => status))).toEqual([['ok']])
    }
    expect(report.hosts[0]!.endedAt).toBeLessThan(report.hosts[1]!.startedAt!)
  })

  it('has how long a rollout baked, asked its gate and paused, and what came of it', () => {
    const events = ordinaryRun()
    const { at } = events.findLast(event => event.type === 'batch.end' && event.number === 1)!
    const stage = (kind: string, after: number, more = {}) => ({
      ...{ type: 'rollout.stage', at: at + after, of: 3, stage: { kind, batch: 0, ...more } },
    })
    const seen = [
      stage('baking', 0),
      { type: 'verdict', at: at + 5, of: 3, number: 1, verdict: 'unknown', why: 'no answer' },
      stage('judging', 300),
      stage('paused', 400, { why: 'the gate does not know' }),
      stage('working', 900, { batch: 1 }),
    ] as unknown as RunEvent[]
    const report = accountOfEvents([...events, ...seen])!
    expect(
      report.marks.map(({ kind, text, at: from, until }) => [kind, text, from - at, until! - from]),
    ).toEqual([
      ['bake', 'batch 1 of 3', 0, 300],
      ['gate', 'batch 1 of 3: unknown: no answer', 5, 0],
      ['gate', 'batch 1 of 3', 300, 100],
      ['pause', 'batch 1 of 3, the gate does not know', 400, 500],
    ])
    const page = htmlOf(report)
    for (const kind of ['bake', 'gate', 'pause']) expect(page).toContain(`<rect class="${kind}"`)
  })

  it('is of the last run where a log has several', () => {
    const other = fakeRun({ recipe: 'other', hosts: [{ host: 'db1', steps: [] }] }).map(event =>
      'run' in event ? { ...event, run: 'other' } : event,
    )
    const report = accountOfEvents([...other, ...ordinaryRun()])!
    expect(report.recipe).toBe('app')
    expect(report.hosts.map(({ host }) => host)).not.toContain('db1')
  })
})

test('no report has a secret of the run, wherever it appeared', { timeout: 60_000 }, async () => {
  const token = secret('hunter2-hunter2')
  const { run, at } = await local()
  const { seen } = await run(
    async ({ converge, output, secrets }) => {
      const { token: known } = secrets as { token: typeof token }
      output({ token: known.reveal() })
      await converge(
        file(at('config'), { content: `token=hunter2-hunter2\n` }),
        command('echo "$T"; echo "$T" >&2; exit 3', {
          title: 'send hunter2-hunter2',
          env: { T: known },
        }),
      )
    },
    { secrets: { token }, diff: true, args: { note: 'hunter2-hunter2' } },
  )
  const report = accountOfEvents(seen)!
  const texts = [junitOf(report), markdownOf(report), htmlOf(report)]
  for (const text of texts) {
    expect(text).not.toContain('hunter2')
    expect(text).toContain('********')
  }
})
