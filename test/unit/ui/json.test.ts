import { Writable } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { createEventStream, type RunEvent } from '../../../lib/events.ts'
import { createRenderer } from '../../../lib/ui/choose-renderer.ts'
import { jsonLine } from '../../../lib/ui/json.ts'
import { fakeOutput } from './fake-output.ts'
import { runEvents } from './fake-run.ts'

describe('JSON output', () => {
  it('is one event per line on standard output, and nothing else', async () => {
    const output = fakeOutput({ columns: 80, rows: 24 })
    const renderer = await createRenderer('json', { output, verbose: true, diff: true })
    const stream = createEventStream(() => 1000)
    stream.subscribe(renderer.subscriber)
    const events = runEvents([
      { host: 'web1', tasks: { base: [{ title: 'a\nb', output: ['x\u2028\n'] }] } },
    ])
    for (const event of events) stream.emit(event)
    await renderer.end()
    const lines = output.stdout.text().split('\n')
    expect(lines.pop()).toBe('')
    expect(lines.map(line => JSON.parse(line))).toEqual(
      events.map(event => ({ at: 1000, ...event })),
    )
    expect(output.stderr.text()).toBe('')
  })

  it('accepts any data that a recipe returns', () => {
    const circle: Record<string, unknown> = {}
    circle.self = circle
    const end = (data: unknown): RunEvent => ({
      at: 1,
      type: 'host.end',
      host: 'web1',
      status: 'ok',
      counts: { ok: 0, changed: 0, failed: 0, unknown: 0, skipped: 0 },
      durationMs: 1,
      roundTrips: 1,
      data,
    })
    expect(JSON.parse(jsonLine(end({ size: 2n ** 64n, none: undefined }))).data).toEqual({
      size: '18446744073709551616',
    })
    expect(JSON.parse(jsonLine(end(circle)))).toMatchObject({ host: 'web1', data: null })
  })

  it('ends only after a slow reader has read everything', async () => {
    const received: string[] = []
    const slow = new Writable({
      highWaterMark: 1,
      write: (chunk, _encoding, done) => {
        setImmediate(() => {
          received.push(String(chunk))
          done()
        })
      },
    })
    const output = { ...fakeOutput(), stdout: slow }
    const renderer = await createRenderer('json', { output, verbose: false, diff: false })
    for (let at = 0; at < 200; at++) renderer.subscriber({ at, type: 'warning', message: 'x' })
    await renderer.end()
    expect(received.join('').trimEnd().split('\n')).toHaveLength(200)
  })
})
