import { expect, test } from 'vitest'
import type { RunSummary } from '../../../lib/rollout/journal/read.ts'
import { formatAgo, formatRuns, resultWord } from '../../../lib/ui/run-table.ts'

const now = Date.UTC(2026, 0, 31, 12)
const summary = (more: object, first: object = {}) =>
  ({
    run: '20260131T020000Z-4f3a9c',
    kind: 'apply',
    file: '',
    attempts: 1,
    state: 'ended',
    end: { exitCode: 0 },
    statuses: { changed: 2, failed: 1 },
    first: {
      at: now - 7_200_000,
      owner: 'alice',
      recipe: 'product.upgrade',
      kind: 'apply',
      args: {},
      asked: { options: {} },
      batches: [['web1'], ['web2', 'web3']],
      ...first,
    },
    ...more,
  }) as unknown as RunSummary

test('the table of runs fits 80 columns and aligns', () => {
  const runs = [
    summary({ end: { exitCode: 130 }, state: 'ended' }),
    summary({ statuses: { ok: 1 } }, { batches: [['web1']], owner: 'bob' }),
    summary({ end: undefined, state: 'lost', statuses: {} }),
  ]
  const lines = formatRuns(runs, now, { columns: 80 }).split('\n')
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80)
  const at = lines[0]!.indexOf('RECIPE')
  expect(lines.filter(line => line.slice(at).startsWith('product.upgrade'))).toHaveLength(3)
  expect(lines.join('\n')).toMatchInlineSnapshot(`
    "RUN                      BEGAN    BY     RECIPE           RESULT       HOSTS
    20260131T020000Z-4f3a9c  2 h ago  alice  product.upgrade  interrupted  2 of 3
    20260131T020000Z-4f3a9c  2 h ago  bob    product.upgrade  ok           1
    20260131T020000Z-4f3a9c  2 h ago  alice  product.upgrade  lost         0 of 3"
  `)
})

test('a long command is shown by its first words, none of them cut', () => {
  const command = 'systemctl is-active haproxy.service\n&& systemctl restart nginx.service'
  const table = formatRuns([summary({}, { recipe: 'exec', args: { command } })], now, {})
  expect(table).toContain(' exec systemctl is-active haproxy.service && ...  ')
  const wrapped = formatRuns([summary({}, { recipe: 'exec', args: { command } })], now, {
    columns: 80,
  })
  for (const word of ['systemctl', 'is-active', 'haproxy.service'])
    expect(wrapped.split(/\s+/)).toContain(word)
  for (const line of wrapped.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
})

test.each([
  [{ end: { exitCode: 4 } }, 'failed'],
  [{ end: { exitCode: 6 } }, 'would change'],
  [{ end: undefined, state: 'running' }, 'running'],
  [{ end: undefined, state: 'lost' }, 'lost'],
  [{ first: undefined }, 'damaged'],
])('a run %j is called %s', (more, word) => {
  expect(resultWord(summary(more))).toBe(word)
})

test.each([
  [20_000, 'just now'],
  [59 * 60_000, '59 min ago'],
  [47 * 3_600_000, '47 h ago'],
  [49 * 3_600_000, '2 d ago'],
])('%i ms are %s', (milliseconds, text) => {
  expect(formatAgo(milliseconds)).toBe(text)
})
