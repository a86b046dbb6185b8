import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HostStatus } from '../../../lib/events.ts'
import { batches, limitPassed, parseHostLimit, parseSizes } from '../../../lib/rollout/batches.ts'
import { inOrder } from '../../../lib/rollout/order.ts'
import { planBatches } from '../../../lib/rollout/plan-batches.ts'
import { localHost } from '../../support/local-run.ts'

const hosts = (count: number) => Array.from({ length: count }, (_, index) => index)
const sizesOf = (count: number, serial: string) =>
  batches(hosts(count), parseSizes('--serial', serial)).map(batch => batch.length)

describe('batches', () => {
  test.each([
    [4, '100%', [4]],
    [8, '1,25%,100%', [1, 2, 5]],
    [10, '3', [3, 3, 3, 1]],
    [10, '50%', [5, 5]],
    [3, '25%', [1, 1, 1]],
    [10, '33%', [3, 3, 3, 1]],
    [2, '5', [2]],
    [5, '1, 2', [1, 2, 2]],
    [7, '1,100%', [1, 6]],
    [0, '1', []],
  ])('%i hosts are split by %s', (count, serial, expected) => {
    expect(sizesOf(count, serial)).toEqual(expected)
  })

  test('contain every host once, in order', () => {
    const size = fc.oneof(
      fc.integer({ min: 1, max: 100 }).map(n => `${n}%`),
      fc.integer({ min: 1, max: 9 }).map(String),
    )
    fc.assert(
      fc.property(fc.nat(60), fc.array(size, { minLength: 1, maxLength: 4 }), (count, sizes) => {
        const found = batches(hosts(count), sizes)
        expect(found.flat()).toEqual(hosts(count))
        expect(found.every(batch => batch.length > 0)).toBe(true)
      }),
    )
  })
})

test.each(['', '0', '0%', '101%', '-1', '1.5', 'x', '1,,2', '1,', '50 %', '1e3', '%'])(
  '--serial %j is refused',
  text => {
    expect(() => parseSizes('--serial', text)).toThrow(
      expect.objectContaining({ code: 'invalid_value' }),
    )
  },
)

describe('how many hosts may fail', () => {
  const statuses = (failed: number, unreachable: number): HostStatus[] => [
    'ok',
    'changed',
    ...Array<HostStatus>(failed).fill('failed'),
    ...Array<HostStatus>(unreachable).fill('unreachable'),
  ]

  test.each<[number, number, object, string | undefined]>([
    [0, 0, {}, undefined],
    [1, 0, {}, '1 host failed, and --max-fail is 0'],
    [0, 1, {}, '1 host is unreachable, and --max-unreachable is 0'],
    [2, 0, { fail: '2' }, undefined],
    [3, 0, { fail: '2' }, '3 hosts failed, and --max-fail is 2'],
    [2, 1, { fail: '2' }, '1 host is unreachable, and --max-unreachable is 0'],
    [0, 3, { unreachable: '2' }, '3 hosts are unreachable, and --max-unreachable is 2'],
    [0, 5, { unreachable: '25%' }, undefined],
    [0, 6, { unreachable: '25%' }, '6 hosts are unreachable, and --max-unreachable is 25%'],
    [1, 0, { fail: '4%' }, '1 host failed, and --max-fail is 4%'],
    [9, 9, { fail: '100%', unreachable: '100%' }, undefined],
  ])(
    'are checked with %i failed and %i unreachable of 20, and limits %j',
    (failed, unreachable, limits, expected) => {
      expect(limitPassed(statuses(failed, unreachable), limits, 20)).toBe(expected)
    },
  )

  test('are checked within a batch only if limits were set', () => {
    expect(limitPassed(statuses(3, 3), {}, 20, true)).toBeUndefined()
    expect(limitPassed(statuses(3, 3), { unreachable: '9' }, 20, true)).toBeUndefined()
    expect(limitPassed(statuses(3, 3), { fail: '0' }, 20, true)).toContain('3 hosts failed')
  })

  test('include locked and interrupted hosts, but not skipped ones', () => {
    expect(limitPassed(['locked', 'interrupted', 'skipped'], {}, 20)).toContain('2 hosts failed')
  })

  test.each(['', '-1', '1.5', '101%', 'x', '%', '1,2'])('must not be %j', text => {
    expect(() => parseHostLimit('--max-fail', text)).toThrow(
      expect.objectContaining({ code: 'invalid_value' }),
    )
  })
})

describe('groups in order', () => {
  const host = (name: string, ...groups: string[]) => ({ ...localHost(name, '/state'), groups })
  const all = [
    host('lb1', 'lb'),
    host('app1', 'app'),
    host('db1', 'db', 'app'),
    host('app2', 'app'),
    host('x'),
  ]
  const names = (groups: readonly (readonly { name: string }[])[]) =>
    groups.map(group => group.map(({ name }) => name))

  test('come one after the other, a host of several with the first, and hosts of none last', () => {
    expect(names(inOrder(all, ['db', 'app', 'lb']))).toEqual([
      ['db1'],
      ['app1', 'app2'],
      ['lb1'],
      ['x'],
    ])
    expect(names(inOrder(all, ['none']))).toEqual([['lb1', 'app1', 'db1', 'app2', 'x']])
  })

  test('are each split into batches', () => {
    const policy = { order: { by: 'inventory' }, waves: ['1', '100%'] } as const
    const { batches: planned } = planBatches(all, policy, () => [], ['app', 'lb'])
    expect(names(planned)).toEqual([['app1'], ['db1', 'app2'], ['lb1'], ['x']])
  })
})
