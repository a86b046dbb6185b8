import { describe, expect, it } from 'vitest'
import { createEventStream, type ErrorReport, type NewEvent } from '../../../lib/events.ts'
import { createRenderer } from '../../../lib/ui/choose-renderer.ts'
import type { Environment } from '../../../lib/ui/theme.ts'
import { fakeOutput } from './fake-output.ts'
import { runEvents } from './fake-run.ts'

async function draw(
  events: NewEvent[],
  options: { verbose?: boolean; diff?: boolean; env?: Environment } = {},
): Promise<string> {
  const { verbose = false, diff = false, env } = options
  const output = fakeOutput(undefined, env)
  const renderer = await createRenderer('plain', { output, verbose, diff })
  const stream = createEventStream()
  stream.subscribe(renderer.subscriber)
  for (const event of events) stream.emit(event)
  await renderer.end()
  expect(output.stdout.text()).toBe('')
  return `\n${withoutTimes(output.stderr.text())}`
}

/** Without the time at the beginning of lines about events; a test of its own is about those. */
const withoutTimes = (text: string) =>
  text.replaceAll(/^(\x1b\[2m)?\d\d:\d\d:\d\d(\x1b\[22m)? /gm, '')

const failure: ErrorReport = {
  code: 'step_failed',
  message: 'haproxy did not start',
  task: 'web server',
  step: 'service haproxy',
  exitStatus: 1,
}

const changing = (host: string) => ({
  host,
  tasks: {
    'web server': [
      { title: 'pkg haproxy' },
      { title: 'file /etc/x', status: 'changed' as const, note: 'content, mode', diff: '-a\n+b\n' },
    ],
  },
})

const failing = (host: string) => ({
  host,
  error: failure,
  tasks: {
    'web server': [{ title: 'service haproxy', status: 'failed' as const, error: failure }],
  },
})

describe('plain output', () => {
  it('says of work at another host where it was done', async () => {
    const steps = [{ title: 'drain', on: 'lb1', status: 'changed' as const, note: 'once' }]
    expect(await draw(runEvents([{ host: 'web1', tasks: { 'on lb1': steps } }]))).toContain(
      '\nweb1 | changed | on lb1: drain (once)  0.1 s\n',
    )
  })

  it('shows each change in a line, then a summary', async () => {
    expect(await draw(runEvents([changing('web1'), changing('web2')]))).toBe(`
web1 | changed | file /etc/x (content, mode)  0.1 s
web2 | changed | file /etc/x (content, mode)  0.1 s
web1 | changed | 1 changed, 1 ok  1.0 s
web2 | changed | 1 changed, 1 ok  1.0 s
2 hosts: 2 changed · 2 steps changed · 4.2 s
`)
  })

  it('has the time of this machine on each line about an event, and no more on the others', async () => {
    const output = fakeOutput()
    const renderer = await createRenderer('plain', { output, verbose: false, diff: false })
    let now = new Date(2026, 10, 30, 4, 7, 9).getTime()
    const stream = createEventStream(() => now)
    stream.subscribe(renderer.subscriber)
    for (const event of runEvents([failing('web1')])) {
      if (event.type === 'run.end') now += 61_000
      stream.emit(event)
    }
    await renderer.end()
    expect(
      output.stderr.text(),
    ).toBe(`04:07:09 web1 | failed | service haproxy: haproxy did not start  0.1 s

✗ step_failed  web1 › web server › service haproxy
  haproxy did not start

04:08:10 web1 | failed | 1 failed  1.0 s
1 host: 1 failed · 0 steps changed · 4.2 s
`)
  })

  it('shows each failure at once in a line, and the same failure of many hosts in one block', async () => {
    expect(await draw(runEvents([failing('web1'), changing('web2'), failing('web3')]))).toBe(`
web1 | failed | service haproxy: haproxy did not start  0.1 s
web2 | changed | file /etc/x (content, mode)  0.1 s
web3 | failed | service haproxy: haproxy did not start  0.1 s

✗ step_failed  web1, web3 › web server › service haproxy
  haproxy did not start

web1 | failed | 1 failed  1.0 s
web2 | changed | 1 changed, 1 ok  1.0 s
web3 | failed | 1 failed  1.0 s
3 hosts: 1 changed, 2 failed · 1 step changed · 4.2 s
`)
  })

  it('lists hosts that were never reached', async () => {
    const error: ErrorReport = {
      code: 'connect_failed',
      message: 'connection refused',
      hint: 'Try ssh.',
    }
    expect(await draw(runEvents([{ host: 'web1', status: 'unreachable', error }]))).toBe(`
web1 | unreachable | connection refused

✗ connect_failed  web1
  connection refused
  → Try ssh.

web1 | unreachable | no steps  1.0 s
1 host: 1 unreachable · 0 steps changed · 4.2 s
`)
  })

  it('reports no change in a dry run', async () => {
    const text = await draw(runEvents([changing('web1')], true))
    expect(text).toContain('web1 | would change | file /etc/x (content, mode)  0.1 s\n')
    expect(text).toContain('1 host: 1 would change · 1 step would change · 4.2 s\n')
  })

  it('shows diffs under their step, with the host on every line', async () => {
    expect(await draw(runEvents([changing('web1')]), { diff: true })).toContain(`
web1 | changed | file /etc/x (content, mode)  0.1 s
web1 |   -a
web1 |   +b
`)
  })

  it('shows unchanged steps and whole lines of output when verbose', async () => {
    const output = ['Unpack', 'ing\r\n\n', 'done\x1b[2J\nlast']
    const events = runEvents([
      { host: 'web1', tasks: { base: [{ title: 'pkg haproxy', output }] } },
    ])
    expect(await draw(events, { verbose: true })).toBe(`
web1 |   Unpacking
web1 |   ${''}
web1 |   done\\x1b[2J
web1 |   last
web1 | ok | pkg haproxy  0.1 s
web1 | ok | 1 ok  1.0 s
1 host: 1 ok · 0 steps changed · 4.2 s
`)
    expect(await draw(events)).not.toContain('Unpacking')
  })

  it('shows warnings and batches', async () => {
    expect(
      await draw([
        { type: 'batch.start', number: 1, of: 2, hosts: ['web1', 'web2'] },
        { type: 'warning', host: 'web1', message: 'clock is off\nby a year' },
        { type: 'warning', message: 'no callback' },
      ]),
    ).toBe(`
batch 1 of 2: web1, web2
web1 | warning | clock is off\\nby a year
warning | no callback
`)
  })

  it('is ASCII in an ASCII locale, and coloured if that is forced', async () => {
    expect(await draw(runEvents([failing('web1')]), { env: {} })).toMatch(/^[\x20-\x7e\n]*$/)
    const colored = await draw(runEvents([failing('web1')]), { env: { FORCE_COLOR: '1' } })
    expect(colored).toContain('web1 | \x1b[31mfailed\x1b[39m | service haproxy')
  })

  it('goes on after the reader of its output has gone', async () => {
    const output = fakeOutput()
    const renderer = await createRenderer('plain', { output, verbose: false, diff: false })
    output.stderr.emit('error', Object.assign(new Error('write EPIPE'), { code: 'EPIPE' }))
    renderer.subscriber({ at: 0, type: 'warning', message: 'nobody reads this' })
    await renderer.end()
    expect(output.stderr.text()).toBe('')
  })
})
