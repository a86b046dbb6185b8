import { describe, expect, it } from 'vitest'
import {
  answerFor,
  isPlainName,
  kindOf,
  tellingOf,
} from '../../../../lib/transport/config/alike.ts'

const keywords =
  'user port identityfile identityagent userknownhostsfile controlpath proxycommand hostkeyalias sendenv ciphers hostname canonicaldomains canonicalizehostname'
const answer = new Map(keywords.split(' ').map(keyword => [keyword, ['']]))
const telling = (...texts: string[]) => tellingOf(texts, answer)

describe('a configuration that treats all hosts alike', () => {
  it.each([
    '',
    '# Host web\n',
    'Host *\n  User ops\r\n  Port=22\n  IdentityFile ~/.ssh/%h\n',
    'Include conf.d/*\n',
    'HOST *\n\tSendEnv LANG LC_*\n',
    'ControlPath ~/.ssh/%r@%h:%p\nProxyCommand nc %h %p\n',
    'UserKnownHostsFile %d/known ~/%u\n',
    'CanonicalizeHostname no\n',
    // Fedora's, and systemd's.
    'Match final all\n  Ciphers aes256-ctr\n',
    'Host unix/* vsock%*\n  ProxyCommand /usr/lib/systemd/systemd-ssh-proxy %h %p\n',
  ])('%j', text => {
    for (const known of [telling(text), telling('', text)]) {
      expect(kindOf(known!, 'web')).toBe(kindOf(known!, 'db'))
    }
  })
})

describe('a configuration that may treat any two hosts differently', () => {
  it.each([
    'Host * # all',
    'Host "web"',
    'Host web,db',
    'Match user me',
    'Match exec "true"',
    'Match final host web',
    'HostName %h.example.com',
    'HostName "web.example.com"',
    'UserKnownHostsFile ~/known_%h',
    'IdentityAgent /run/%r',
    'IdentityFile ~/%C',
    'CanonicalizeHostname yes',
    'CanonicalDomains example.com',
    'SomethingNew x',
    '"Host" web',
    '???',
  ])('%j', text => {
    expect(telling('User ops\n', text)).toBeUndefined()
  })
})

describe('a configuration that distinguishes hosts by name', () => {
  const known = telling('Host web* !web7\n  Port 1\n', 'host=db\n  HostName DB.example.com\n')!

  it('has one kind for each distinct set of matching Host lines', () => {
    const kinds = ['web1', 'web2', 'web7', 'db', 'x'].map(name => kindOf(known, name))
    expect(kinds).toEqual(['10', '10', '00', '01', '00'])
  })

  const said = (destination: string, hostname: string) => ({
    destination,
    answer: new Map([['hostname', [hostname]]]),
  })

  it('gives a host its own name, or the name shared by its kind', () => {
    const plain = answerFor('Web2', said('web1', 'web1'), known)
    expect(plain?.get('hostname')).toEqual(['web2'])
    const renamed = answerFor('db2', said('db', 'db.example.com'), known)
    expect(renamed?.get('hostname')).toEqual(['db.example.com'])
  })

  it('does not guess if both look the same', () => {
    expect(answerFor('b', said('db.example.com', 'db.example.com'), known)).toBeUndefined()
  })
})

describe('a name that ssh uses unchanged', () => {
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
