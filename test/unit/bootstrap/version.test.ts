import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { compareVersions, isVersion } from '../../../lib/bootstrap/version.ts'

const pairs = [
  ['1.0.0', '1.1.0'],
  ['1.9', '1.10'],
  ['2.6.12-1+deb12u1', '2.6.12-1+deb12u2'],
  ['2.6.12-1', '2.6.12-1+deb12u1'],
  ['2.0~rc1', '2.0'],
  ['1.0', '1.0.1'],
  ['1.0a', '1.0b'],
  ['1.0a', '1.0+a'],
  ['9', '1:1'],
  ['1.99999999999999999998', '1.99999999999999999999'],
  ['2.6.12', '2.6.12'],
  ['1.01', '1.1'],
  ['1.0', '1.0~'],
  ['1.0-r2', '1.0-r10'],
] as const

test('versions are compared as dpkg compares them', { tags: ['dpkg'] }, async () => {
  const dpkg = async (one: string, relation: string, other: string) =>
    promisify(execFile)('dpkg', ['--compare-versions', one, relation, other]).then(
      () => true,
      () => false,
    )
  for (const [one, other] of pairs)
    for (const [a, b] of [
      [one, other],
      [other, one],
    ] as const) {
      const found = compareVersions(a, b)
      const expected = (await dpkg(a, 'lt', b)) ? -1 : (await dpkg(a, 'gt', b)) ? 1 : 0
      expect({ a, b, order: Math.sign(found) }).toEqual({ a, b, order: expected })
    }
})

test.each([
  ['2.0.0-rc.1', '2.0.0'],
  ['2.0.0-beta', '2.0.0-rc.1'],
  ['1.0.1-broken', '1.1.0'],
])('%s is older than %s', (one, other) => {
  expect(compareVersions(one, other)).toBeLessThan(0)
  expect(compareVersions(other, one)).toBeGreaterThan(0)
})

test.each([
  ['2.6', '2.6', true],
  ['2.6', '2.6-1.el9', true],
  ['2.6', '1:2.6-1.el9', true],
  ['1:2.6', '1:2.6-1.el9', true],
  ['2.6-1.el9', '1:2.6-1.el9', true],
  ['2.6', '2.6.1-1', false],
  ['2', '2.6-1', false],
  ['2:2.6', '1:2.6-1', false],
  ['2.6-1', '2.6-1-2', false],
])('the version %s is that of an installed %s: %j', (wanted, installed, same) => {
  expect(isVersion(wanted, installed)).toBe(same)
})
