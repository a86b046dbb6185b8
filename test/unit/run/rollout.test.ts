import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { batches, parseSerial } from '../../../lib/run/rollout.ts'

const hosts = (count: number) => Array.from({ length: count }, (_, index) => index)
const sizesOf = (count: number, serial: string) =>
  batches(hosts(count), parseSerial(serial)).map(batch => batch.length)

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
  ])('%i hosts by %s', (count, serial, expected) => {
    expect(sizesOf(count, serial)).toEqual(expected)
  })

  test('hold every host once, in order', () => {
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
    expect(() => parseSerial(text)).toThrow(expect.objectContaining({ code: 'invalid_value' }))
  },
)
