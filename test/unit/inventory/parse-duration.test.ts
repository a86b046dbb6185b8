import { expect, test } from 'vitest'
import { parseDuration } from '../../../lib/inventory/parse-duration.ts'

test.each([
  ['500ms', 500],
  ['1s', 1000],
  ['1.5s', 1500],
  ['5m', 300_000],
  ['1h', 3_600_000],
  ['90', 90_000],
  [' 0 ', 0],
])('reads %s as %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms)
})

test.each(['', 's', '-1s', '1d', '1 s', '5m30s', '1e3', 'Infinity'])('refuses %j', text => {
  expect(() => parseDuration(text)).toThrow(
    expect.objectContaining({ code: 'invalid_value', message: expect.stringContaining('30s') }),
  )
})

test('refuses what a timer can’t wait for', () => {
  expect(() => parseDuration('600h')).toThrow('at most 24 days')
})
