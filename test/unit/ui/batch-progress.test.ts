/** How far a run of several batches is. */
import { describe, expect, it } from 'vitest'
import { createBatchProgress } from '../../../lib/ui/batch-progress.ts'
import { createPlainRenderer } from '../../../lib/ui/plain.ts'
import { fakeOutput } from './fake-output.ts'
import { fakeRun, ordinaryRun } from './reports/awkward-run.ts'

describe('the progress of batches', () => {
  it('is a line at the end of each batch in plain output, which fits 80 columns', async () => {
    const output = fakeOutput()
    const renderer = createPlainRenderer({ output, verbose: false, diff: false })
    for (const event of ordinaryRun()) renderer.subscriber(event)
    await renderer.end()
    const lines = output.stderr
      .text()
      .split('\n')
      .filter(line => / batch \d of \d done/.test(line))
    expect(lines.map(line => line.slice(9))).toEqual([
      'batch 1 of 3 done: 2 changed; 4 of 6 hosts left, about 3.5 s',
      'batch 2 of 3 done: 2 failed; 2 of 6 hosts left, about 2.2 s',
      'batch 3 of 3 done: 1 changed, 1 unreachable; 0 of 6 hosts left',
    ])
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(80)
  })

  it('counts hosts, and estimates by those that are done', () => {
    const progress = createBatchProgress()
    const events = ordinaryRun()
    const second = events.findIndex(event => event.type === 'batch.start' && event.number === 2)
    for (const event of events.slice(0, second + 1)) progress.add(event)
    expect(progress.line(events[0]!.at + 2000)).toBe(
      'batch 2 of 3, 2 ok, 0 failed, 0 unreachable, 4 of 6 hosts left, about 4.0 s',
    )
    for (const event of events.slice(second + 1)) progress.add(event)
    expect(progress.line(events.at(-1)!.at)).toBe(
      'batch 3 of 3, 3 ok, 2 failed, 1 unreachable, 0 of 6 hosts left',
    )
  })

  it('counts down a bake, and says how many more hosts may fail where a limit was set', () => {
    const progress = createBatchProgress()
    const [start, ...events] = ordinaryRun()
    if (start?.type !== 'run.start') throw new Error('no start')
    progress.add({ ...start, limits: { fail: 3 } })
    for (const event of events) progress.add(event)
    const { at } = events.at(-1)!
    const stage = { kind: 'baking', batch: 2, leftMs: 120_000 } as const
    progress.add({ at, type: 'rollout.stage', stage, of: 3, passed: 2, accepted: [] })
    expect(progress.line(at + 50_000)).toBe(
      'batch 3 of 3 bakes, 1 min 10 s left, 3 ok, 2 failed (1 more may), 1 unreachable, 0 of 6 hosts left',
    )
  })

  it('says nothing of a run with one batch', () => {
    const progress = createBatchProgress()
    const events = fakeRun({ hosts: [{ host: 'web1', steps: [{ title: 'step' }] }] })
    for (const event of events) expect(progress.add(event)).toBeUndefined()
    expect(progress.line(0)).toBeUndefined()
  })
})
