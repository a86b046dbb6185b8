import { describe, expect, it } from 'vitest'
import { alikeForAll, isPlainName } from '../../../lib/transport/ssh-alike.ts'

const keywords =
  'user port identityfile identityagent userknownhostsfile controlpath proxycommand hostkeyalias sendenv ciphers hostname canonicaldomains canonicalizehostname'
const answer = new Map(keywords.split(' ').map(keyword => [keyword, ['']]))
const alike = (...texts: string[]) => alikeForAll(texts, answer)

describe('a configuration that says the same of all hosts', () => {
  it.each([
    '',
    '# Host web\n',
    'Host *\n  User ops\r\n  Port=22\n  IdentityFile ~/.ssh/%h\n',
    'Include conf.d/*\n',
    'HOST *\n\tSendEnv LANG LC_*\n',
    'ControlPath ~/.ssh/%r@%h:%p\nProxyCommand nc %h %p\n',
    'UserKnownHostsFile %d/known ~/%u\n',
    'CanonicalizeHostname no\n',
  ])('%j', text => {
    expect(alike(text)).toBe(true)
    expect(alike('', text)).toBe(true)
  })
})

describe('a configuration that may tell hosts apart', () => {
  it.each([
    'Host web',
    'Host * !web',
    'Host * # all',
    'host=web',
    'Match all',
    'Match exec "true"',
    'HostName %h.example.com',
    'UserKnownHostsFile ~/known_%h',
    'IdentityAgent /run/%r',
    'IdentityFile ~/%C',
    'CanonicalizeHostname yes',
    'CanonicalDomains example.com',
    'SomethingNew x',
    '"Host" web',
    '???',
  ])('%j', text => {
    expect(alike('User ops\n', text)).toBe(false)
  })
})

describe('a name that ssh takes as it is', () => {
  it.each(['web1', 'Web1.example.com', 'a_b', 'x', 'web-1.eu', '127.0.0.1', '10.20.30.255'])(
    '%s',
    name => expect(isPlainName(name)).toBe(true),
  )
  it.each([
    '::1',
    '127.1',
    '010.0.0.1',
    '0x7f.1',
    '2130706433',
    'a@b',
    'ssh://a',
    'a b',
    '-a',
    'a.',
    '',
  ])('not %j', name => expect(isPlainName(name)).toBe(false))
})
