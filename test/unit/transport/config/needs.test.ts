import { describe, expect, it } from 'vitest'
import { agentNeed, ignoredOf, needsOf } from '../../../../lib/transport/config/needs.ts'

const endpoint = {
  identityFiles: ['/h/.ssh/id_rsa', '/h/.ssh/id_ed25519'],
  insecureHostKey: false,
  userKnownHostsFiles: ['/h/.ssh/known_hosts'],
  globalKnownHostsFiles: [],
  methods: ['publickey', 'password'] as const,
}

interface Case {
  said?: Record<string, string>
  of?: Partial<Parameters<typeof needsOf>[1]>
  jumps?: boolean
  files?: readonly string[]
  fido?: string
  authority?: string
  env?: NodeJS.ProcessEnv
}

const answered = (said: Record<string, string> = {}) =>
  new Map(Object.entries(said).map(([keyword, value]) => [keyword, [value]]))

const needs = ({ said, of, jumps = false, files = [], fido, authority, env = {} }: Case) =>
  needsOf(answered(said), { ...endpoint, ...of }, jumps, {
    exists: path => files.includes(path),
    isFido: path => path === fido,
    isCertificate: path => path.endsWith('-cert.pub'),
    hasAuthority: file => file === authority,
    env,
    uid: 7,
    knownName: 'web1',
  })

describe('a need of the system’s ssh', () => {
  it.each<[string, Case]>([
    ['ProxyCommand', { said: { proxycommand: 'nc %h %p' } }],
    ['CertificateFile', { said: { certificatefile: '~/c' } }],
    ['a certificate (/h/.ssh/id_rsa-cert.pub)', { files: ['/h/.ssh/id_rsa-cert.pub'] }],
    ['a certificate (/k-cert.pub)', { of: { privateKeyFile: '/k' }, files: ['/k-cert.pub'] }],
    ['a FIDO key (/h/.ssh/id_ed25519)', { fido: '/h/.ssh/id_ed25519' }],
    ['PKCS11Provider', { said: { pkcs11provider: '/lib/p.so' } }],
    ['HostbasedAuthentication', { said: { hostbasedauthentication: 'yes' } }],
    [
      'GSSAPIAuthentication',
      { said: { gssapiauthentication: 'yes' }, env: { KRB5CCNAME: 'KCM:' } },
    ],
    ['GSSAPIAuthentication', { said: { gssapiauthentication: 'yes' }, files: ['/tmp/krb5cc_7'] }],
    ['a login method that hostwright lacks', { of: { methods: [] } }],
    ['KnownHostsCommand', { said: { knownhostscommand: '/bin/keys %H' } }],
    ['RevokedHostKeys', { said: { revokedhostkeys: '/revoked' } }],
    [
      'a certificate authority for host keys (@cert-authority)',
      { authority: '/h/.ssh/known_hosts' },
    ],
    ['BindAddress', { said: { bindaddress: '127.0.0.2' } }],
    ['BindInterface', { said: { bindinterface: 'lo' } }],
    ['ForwardAgent', { said: { forwardagent: 'yes' }, of: { agent: '/agent' } }],
    ['ForwardAgent', { said: { forwardagent: '/other/agent' } }],
  ])('%s: %j', (phrase, of) => {
    expect(needs(of)).toEqual([phrase])
  })
})

describe('no need', () => {
  it.each<[string, Case]>([
    [
      'for settings with the value none',
      { said: { proxycommand: 'none', pkcs11provider: 'none', revokedhostkeys: 'none' } },
    ],
    ['for a ProxyCommand if there are jump hosts', { said: { proxycommand: 'x' }, jumps: true }],
    [
      'for a certificate of a key that is not used',
      { of: { privateKeyFile: '/k' }, files: ['/h/.ssh/id_rsa-cert.pub'], fido: '/h/.ssh/id_rsa' },
    ],
    [
      'for keys if public keys are disabled',
      { of: { methods: ['password'] }, said: { certificatefile: 'c' }, fido: '/h/.ssh/id_rsa' },
    ],
    [
      'for GSSAPI without a ticket, which Debian enables by default',
      { said: { gssapiauthentication: 'yes' } },
    ],
    [
      'for GSSAPI if it is not a preferred method',
      {
        said: { gssapiauthentication: 'yes', preferredauthentications: 'publickey' },
        env: { KRB5CCNAME: 'x' },
      },
    ],
    [
      'for an authority if any key is accepted',
      { of: { insecureHostKey: true }, authority: '/h/.ssh/known_hosts' },
    ],
    ['for an agent that does not exist', { said: { forwardagent: 'yes' } }],
  ])('%s', (_, of) => {
    expect(needs(of)).toEqual([])
  })
})

it('arises from certificates and FIDO keys in an agent', () => {
  expect(agentNeed(['ssh-ed25519', 'rsa-sha2-512'])).toBeUndefined()
  expect(agentNeed(['ssh-ed25519', 'sk-ssh-ed25519@openssh.com'])).toBe('a FIDO key in the agent')
  expect(agentNeed(['ssh-ed25519-cert-v01@openssh.com'])).toBe('a certificate in the agent')
})

it('does not arise from ignored settings, which are reported', () => {
  expect(ignoredOf(answered({ localcommand: 'date' }))).toEqual([])
  expect(ignoredOf(answered({ localcommand: 'date', permitlocalcommand: 'yes' }))).toEqual([
    'LocalCommand',
  ])
  expect(
    ignoredOf(answered({ compression: 'no', tunnel: 'false', requiredrsasize: '1024' })),
  ).toEqual([])
  expect(
    ignoredOf(
      answered({
        compression: 'yes',
        localforward: '8080 [localhost]:80',
        requiredrsasize: '3072',
      }),
    ),
  ).toEqual(['LocalForward', 'RequiredRSASize'])
})
