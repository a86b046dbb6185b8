/** The events of runs for tests of reports: an ordinary rollout, and a large one. */

import type {
  ErrorReport,
  HostOutcome,
  NewEvent,
  RunEvent,
  StepStatus,
} from '../../../../lib/events.ts'
import { countStatuses } from '../../../../lib/rollout/journal/record.ts'

type Timed = NewEvent & { at: number }

export interface FakeStep {
  title: string
  status?: StepStatus
  note?: string
  diff?: string
  error?: ErrorReport
  durationMs?: number
}

/** What nobody expects in a name, an output or a diff. */
export const awkward = [
  'plain',
  `"quoted" & 'single' <b>bold</b>`,
  '</script><script>alert(1)</script>',
  ']]> <![CDATA[ ]]>',
  '\x00\x01\x08\x0b\x0c\x1b[31mred\x7f\x85\ufffe\uffff\ud800',
  '::set-output name=x::y\r::stop-commands::z ##[error]w',
  '| table | `code` ``` ~~~ [link](javascript:alert(1)) <img src=x onerror=alert(1)>',
  '%0A%25 100% , : = {{7*7}} $(id)',
  '\u202egnp.exe \u200b',
  '&amp; &#60; &lt;',
]

/** The events of one host, its steps one after the other in one task. */
function* hostEvents(
  host: string,
  task: string,
  steps: readonly FakeStep[],
  { at: from, error }: { at: number; error?: ErrorReport },
): Generator<Timed, HostOutcome> {
  const counts = { ok: 0, changed: 0, failed: 0, unknown: 0, skipped: 0 }
  let at = from
  yield { at, type: 'host.start', host }
  yield { at, type: 'task.start', host, task: 't1', title: task }
  for (const [index, { title, status = 'ok', durationMs = 100, ...more }] of steps.entries()) {
    const ids = { host, task: 't1', step: `s${index}`, title }
    yield { at, type: 'step.start', ...ids }
    at += durationMs
    counts[status]++
    yield { at, type: 'step.end', ...ids, status, durationMs, ...more }
  }
  const bad = error ? (counts.failed > 0 ? 'failed' : 'unreachable') : undefined
  const status = bad ?? (counts.changed > 0 ? 'changed' : 'ok')
  const outcome: HostOutcome = { host, status, counts, durationMs: at - from, roundTrips: 2, error }
  yield { at, type: 'host.end', ...outcome }
  return outcome
}

export interface FakeRun {
  hosts: readonly { host: string; steps: readonly FakeStep[]; error?: ErrorReport }[]
  task?: string
  recipe?: string
  args?: Record<string, unknown>
  /** Hosts of a batch; default: all. */
  batch?: number
  exitCode?: number
  /** Without an end. */
  cut?: boolean
}

/** A whole run, batch after batch, the hosts of a batch beside each other. */
export function fakeRun(run: FakeRun): RunEvent[] {
  const { hosts, task = 'web server', recipe = 'app', args = {}, exitCode = 0 } = run
  const size = run.batch ?? hosts.length
  const batches = Array.from({ length: Math.ceil(hosts.length / size) }, (_, index) =>
    hosts.slice(index * size, (index + 1) * size),
  )
  const names = batches.map(batch => batch.map(({ host }) => host))
  let at = 1_767_225_600_000
  const events: Timed[] = [
    {
      ...{
        at,
        type: 'run.start',
        run: '20260101T000000Z-4f3a9c',
        recipe,
        environment: 'production',
      },
      ...{
        args,
        check: false,
        hosts: names.flat(),
        owner: 'alice',
        controller: 'ops1',
        attempt: 1,
      },
      batches: names,
    },
  ]
  const outcomes: HostOutcome[] = []
  for (const [index, batch] of batches.entries()) {
    const place = { number: index + 1, of: batches.length }
    events.push({ at, type: 'batch.start', ...place, hosts: names[index]! })
    const beside: Timed[] = []
    for (const { host, steps, error } of batch) {
      const made = hostEvents(host, task, steps, { at: at + 20, error })
      for (let next = made.next(); ; next = made.next()) {
        if (next.done) {
          outcomes.push(next.value)
          break
        }
        beside.push(next.value)
      }
    }
    beside.sort((a, b) => a.at - b.at)
    events.push(...beside)
    at = Math.max(at, ...beside.slice(-1).map(event => event.at)) + 20
    events.push({
      at,
      type: 'batch.end',
      ...place,
      statuses: countStatuses(outcomes.slice(-batch.length)),
    })
  }
  if (!run.cut)
    events.push({
      ...{ at, type: 'run.end', run: '20260101T000000Z-4f3a9c', ok: exitCode === 0, exitCode },
      ...{ durationMs: 1000, hosts: outcomes },
    })
  return events as RunEvent[]
}

export const failure: ErrorReport = {
  code: 'step_failed',
  message: 'haproxy did not start',
  task: 'web server',
  step: 'service haproxy',
  command: 'systemctl start haproxy',
  exitStatus: 1,
  output: 'Job failed.\nSee journalctl -xeu haproxy.\n',
  at: 'recipes/app.ts:12',
  hint: 'Look at `journalctl -u haproxy` there.',
}

/** Six hosts in three batches: changes with diffs, a failure on two hosts, one that is not reached. */
export const ordinaryRun = (): RunEvent[] =>
  fakeRun({
    exitCode: 4,
    batch: 2,
    args: { version: '2.4.1' },
    hosts: ['web1', 'web2', 'web3', 'web4', 'web5', 'web6'].map((host, index) => ({
      host,
      steps:
        index === 4
          ? []
          : [
              { title: 'pkg haproxy', durationMs: 900 },
              {
                title: 'file /etc/haproxy/haproxy.cfg',
                status: 'changed' as const,
                note: 'content',
                durationMs: 120,
                diff: '--- /etc/haproxy/haproxy.cfg\n+++ /etc/haproxy/haproxy.cfg\n@@ -1,3 +1,3 @@\n global\n-  maxconn 1000\n+  maxconn 4000\n   daemon\n',
              },
              index === 2 || index === 3
                ? {
                    title: 'service haproxy',
                    status: 'failed' as const,
                    error: failure,
                    durationMs: 1500,
                  }
                : {
                    title: 'service haproxy',
                    status: 'changed' as const,
                    note: 'restarted',
                    durationMs: 700,
                  },
            ],
      error:
        index === 4
          ? {
              code: 'connect_failed',
              message: 'connection refused',
              hint: 'Is sshd running there?',
            }
          : index === 2 || index === 3
            ? failure
            : undefined,
    })),
  })

/** @param each the steps of host N */
export const largeRun = (hosts: number, each: (host: number) => readonly FakeStep[]): RunEvent[] =>
  fakeRun({
    batch: Math.ceil(hosts / 4),
    hosts: Array.from({ length: hosts }, (_, index) => ({
      host: `web${index + 1}.eu-west-1.example.com`,
      steps: each(index),
    })),
  })
