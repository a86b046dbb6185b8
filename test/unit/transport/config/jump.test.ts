import { expect, test } from 'vitest'
import { jumpWords, parseJump } from '../../../../lib/transport/config/jump.ts'

test('hops are separated by commas; none means no hops', () => {
  expect(jumpWords('a, b@c:22')).toEqual(['a', 'b@c:22'])
  expect(jumpWords('none')).toEqual([])
  expect(jumpWords(undefined)).toEqual([])
})

test.each([
  ['gw', { host: 'gw' }],
  ['me@gw', { host: 'gw', user: 'me' }],
  ['gw:2222', { host: 'gw', port: 2222 }],
  ['me@corp@gw:22', { host: 'gw', user: 'me@corp', port: 22 }],
  ['[fe80::1%eth0]:44', { host: 'fe80::1%eth0', port: 44 }],
  ['me@[::1]', { host: '::1', user: 'me' }],
  ['ssh://me@gw:22/', { host: 'gw', user: 'me', port: 22 }],
])('%s is a jump host', (word, jump) => {
  expect(parseJump(word)).toEqual({ user: undefined, port: undefined, ...jump })
})

test.each([
  '',
  'a b',
  '-oProxyCommand=x',
  'me@-x',
  '@gw',
  '-l@gw',
  'gw:0',
  'gw:65536',
  'gw:x',
  'gw:',
  '::1',
  'a\nb',
])('%j is not a jump host', word => {
  expect(() => parseJump(word)).toThrow('is not a jump host')
})
