import { expect, test } from 'vitest'
import { matchesHost } from '../../../../lib/transport/config/host-patterns.ts'

test.each([
  ['web1', '*', true],
  ['web1', 'web?', true],
  ['web10', 'web?', false],
  ['web1', 'w*1 db', true],
  ['web1', 'WEB1', false],
  ['web1', '* !web1', false],
  ['web2', '!web1', false],
  ['web2', '!web1 *', true],
  ['a.b', 'a?b', true],
  ['axb', 'a.b', false],
  ['a[1]', 'a[1]', true],
  ['a1', 'a[1]', false],
  ['a+b|c', 'a+b|c', true],
])('%s by %s: %s', (name, patterns, matches) => {
  expect(matchesHost(patterns.split(' '), name)).toBe(matches)
})
