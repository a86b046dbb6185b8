import { stripVTControlCharacters } from 'node:util'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { createEventStream } from '../../../lib/events.ts'
import { createRenderer } from '../../../lib/ui/choose-renderer.ts'
import { formatTransfer } from '../../../lib/ui/transfer.ts'
import { fakeOutput } from './fake-output.ts'
import { runStart } from './fake-run.ts'

const mebi = 1_048_576

describe('the progress of a transfer', () => {
  it.each([
    [0, 0, '0 of 0 bytes'],
    [512, 1023, '512 of 1023 bytes'],
    [1500, 10_000, '1 of 9 KiB'],
    [312.9 * mebi, 1024 * mebi, '312 of 1024 MiB'],
  ])('%d of %d', (done, total, text) => expect(formatTransfer({ done, total })).toBe(text))
})

describe('a transfer on the screen', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  const play = async (mode: 'pretty' | 'plain') => {
    const output = fakeOutput({ columns: 80, rows: 24 }, {})
    const renderer = await createRenderer(mode, { output, verbose: false, diff: false })
    const stream = createEventStream()
    stream.subscribe(renderer.subscriber)
    const of = { host: 'web1', task: 't1', step: 's1' }
    stream.emit(runStart(['web1']))
    stream.emit({ type: 'host.start', host: 'web1' })
    stream.emit({ type: 'task.start', ...of, title: 'images' })
    stream.emit({ type: 'step.start', ...of, title: 'file /srv/image.iso' })
    const frames: string[] = []
    for (let second = 1; second <= 25; second++) {
      stream.emit({ type: 'step.progress', ...of, done: second * mebi, total: 25 * mebi })
      await vi.advanceTimersByTimeAsync(1000)
      frames.push(stripVTControlCharacters(output.stderr.writes.at(-1) ?? ''))
    }
    const said = stripVTControlCharacters(output.stderr.text())
    const end = { title: 'file /srv/image.iso', status: 'changed', durationMs: 25_000 } as const
    stream.emit({ type: 'step.end', ...of, ...end })
    await vi.advanceTimersByTimeAsync(1000)
    const after = stripVTControlCharacters(output.stderr.writes.at(-1) ?? '')
    const over = renderer.end()
    await vi.advanceTimersByTimeAsync(1000)
    await over
    return { frames, said, after }
  }

  it('is shown next to the step in the tree while it lasts', async () => {
    const { frames, after } = await play('pretty')
    expect(frames[11]).toMatch(/file \/srv\/image\.iso 12 of 25 MiB {2}\d+\.\d s/)
    expect(after).not.toContain('MiB')
  })

  it('is logged every ten seconds', async () => {
    const { said } = await play('plain')
    expect(
      said
        .split('\n')
        .filter(line => line.includes('MiB'))
        .map(line => line.replace(/^\S+ /, '')),
    ).toEqual([
      'web1 | sending | file /srv/image.iso 11 of 25 MiB',
      'web1 | sending | file /srv/image.iso 21 of 25 MiB',
    ])
  })
})
