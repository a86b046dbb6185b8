import { expect, test } from 'vitest'
import { expandTokens, homeIn } from '../../../../lib/transport/config/tokens.ts'

const tokens = {
  percent: { h: 'web1.example.com', r: 'ops' },
  env: { KEYS: '/keys' },
  homeOf: (user: string) => ({ '': '/home/me', bob: '/home/bob' })[user],
}
const expand = (value: string) => expandTokens('IdentityFile', value, tokens)

test.each([
  ['/plain', '/plain'],
  ['~', '/home/me'],
  ['~/.ssh/%h_%r', '/home/me/.ssh/web1.example.com_ops'],
  ['~bob/id', '/home/bob/id'],
  ['/a/~/b', '/a/~/b'],
  ['%%h', '%h'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: ssh's own syntax
  ['${KEYS}/%h', '/keys/web1.example.com'],
  ['$KEYS', '$KEYS'],
])('%s is %s', (value, expanded) => {
  expect(expand(value)).toBe(expanded)
})

test.each([
  ['%q', '%q is unknown'],
  ['a%', '% is unknown'],
  ['%constructor', '%c is unknown'],
  // biome-ignore lint/suspicious/noTemplateCurlyInString: ssh's own syntax
  ['${NOPE}/id', '${NOPE} is not set'],
  ['~eve/id', 'there is no user eve'],
])('%s is refused, as ssh does', (value, why) => {
  expect(() => expand(value)).toThrow(`IdentityFile ${value} in the ssh configuration: ${why}`)
})

test('the home directory is the sixth field of a passwd line', () => {
  const passwd = 'root:x:0:0:root:/root:/bin/sh\nbob:x:7:7::/home/bob:/bin/sh\n'
  expect(homeIn(passwd, 'bob')).toBe('/home/bob')
  expect(homeIn(passwd, 'bo')).toBeUndefined()
})
