/** Rows about host keys: known_hosts in all its forms, and related settings. */
import { readFile } from 'node:fs/promises'
import { certify, hashNames, type Key, makeKey } from '../../support/ssh-keys.ts'
import { knownLines, ownAddress, type Sshd } from '../../support/sshd.ts'
import { type Attempt, type Row, refused, type Servers, works } from './row.ts'

interface Known {
  sshd: Sshd
  servers: Servers
  ed25519: Key
  ecdsa: Key
  rsa: Key
  /** A key that the server does not have. */
  other: Key
}

/** Known keys of a server with three keys: the text of known_hosts, or lines of the configuration. */
const known =
  (say: (known: Known) => Promise<string | string[]> | string | string[], answer?: string) =>
  async (servers: Servers): Promise<Attempt> => {
    const sshd = await servers.sshd({ hostKeys: ['ed25519', 'ecdsa', 'rsa'] })
    const [ed25519, ecdsa, rsa] = sshd.hostKeys as [Key, Key, Key]
    const other = await makeKey()
    const said = await say({ sshd, servers, ed25519, ecdsa, rsa, other })
    const lines =
      typeof said === 'string' ? [`UserKnownHostsFile ${await servers.file('known', said)}`] : said
    return { config: sshd.sshConfig('target', lines), answer }
  }

/** A server with a certificate. */
const certified =
  (principal: string | undefined, validity: string, trusted = true) =>
  async (servers: Servers): Promise<Attempt> => {
    const ca = await makeKey({ type: 'ecdsa', comment: 'the authority of hosts' })
    const key = await makeKey()
    const address = ownAddress()
    const file = await certify(key, {
      ca,
      host: true,
      principals: [principal ?? address],
      validity,
    })
    const config = [`HostKey ${key.file}`, `HostCertificate ${file}`]
    const sshd = await servers.sshd({ address, hostKeys: [], config })
    const by = trusted ? ca : await makeKey()
    const trusts = await servers.file('known', `@cert-authority ${knownLines('*', [by])}`)
    return { config: sshd.sshConfig('target', [`UserKnownHostsFile ${trusts}`]) }
  }

const neverOff = {
  differs: 'no setting of ssh’s turns the checking off: --accept-new and insecure_host_key do',
}

export const hostKeys: readonly Row[] = [
  works(
    'a known host',
    known(({ sshd }) => sshd.knownHostsText),
  ),
  works(
    'a hashed name',
    known(async ({ sshd, servers }) => {
      const file = await servers.file('hashed', sshd.knownHostsText)
      await hashNames(file)
      return readFile(file, 'utf8')
    }),
  ),
  works(
    'a wildcard',
    known(({ sshd, ed25519 }) => knownLines(`[127.*]:${sshd.port}`, [ed25519])),
  ),
  works(
    'a question mark',
    known(({ sshd, ed25519 }) =>
      knownLines(`[${sshd.address.replace(/\d$/, '?')}]:${sshd.port}`, [ed25519]),
    ),
  ),
  works(
    'several names',
    known(({ sshd, ed25519 }) => knownLines(`web1,${sshd.name},web2`, [ed25519])),
  ),
  refused(
    'a negated name',
    'host_key_unknown',
    known(({ sshd, ed25519 }) => knownLines(`*,!${sshd.name},!${sshd.address}`, [ed25519])),
  ),
  // If the name with the port is unknown, the name without it is looked up.
  works(
    'a name that is negated with its port only',
    known(({ sshd, ed25519 }) => knownLines(`*,!${sshd.name}`, [ed25519])),
  ),
  refused(
    'another port',
    'host_key_unknown',
    known(({ sshd, ed25519 }) => knownLines(`[${sshd.address}]:${sshd.port + 1}`, [ed25519])),
  ),
  works(
    'the address without the port',
    known(({ sshd, ed25519 }) => knownLines(sshd.address, [ed25519])),
  ),
  refused(
    'nothing',
    'host_key_unknown',
    known(() => ''),
  ),
  refused(
    'other hosts',
    'host_key_unknown',
    known(({ other }) => knownLines('web1', [other])),
  ),
  refused(
    'another key',
    'host_key_changed',
    known(({ sshd, other }) => knownLines(sshd.name, [other])),
  ),
  refused(
    'another key, hashed',
    'host_key_changed',
    known(async ({ sshd, servers, other }) => {
      const file = await servers.file('hashed', knownLines(sshd.name, [other]))
      await hashNames(file)
      return readFile(file, 'utf8')
    }),
  ),
  refused(
    'another key, for a wildcard',
    'host_key_changed',
    known(({ other }) => knownLines('*', [other])),
  ),
  works(
    'another key, and the right one',
    known(({ sshd, ed25519, other }) => knownLines(sshd.name, [other, ed25519])),
  ),
  works(
    'its RSA key alone',
    known(({ sshd, rsa }) => knownLines(sshd.name, [rsa])),
  ),
  works(
    'its ecdsa key alone',
    known(({ sshd, ecdsa }) => knownLines(sshd.name, [ecdsa])),
  ),
  refused(
    'another RSA key alone',
    'host_key_changed',
    known(async ({ sshd }) => knownLines(sshd.name, [await makeKey({ type: 'rsa' })])),
  ),
  refused('a key of a type that it does not have', 'host_key_changed', async servers => {
    const sshd = await servers.sshd()
    const rsa = await makeKey({ type: 'rsa' })
    const file = await servers.file('known', knownLines(sshd.name, [rsa]))
    return { config: sshd.sshConfig('target', [`UserKnownHostsFile ${file}`]) }
  }),
  refused(
    'its key, revoked',
    'host_key_revoked',
    known(
      ({ sshd, ed25519 }) =>
        `@revoked ${knownLines(sshd.name, [ed25519])}${knownLines(sshd.name, [ed25519])}`,
    ),
  ),
  refused(
    'its key, revoked everywhere',
    'host_key_revoked',
    known(
      ({ sshd, ed25519 }) =>
        `${knownLines(sshd.name, [ed25519])}@revoked ${knownLines('*', [ed25519])}`,
    ),
  ),
  works(
    'another key, revoked',
    known(
      ({ sshd, ed25519, other }) =>
        `@revoked ${knownLines('*', [other])}${knownLines(sshd.name, [ed25519])}`,
    ),
  ),
  works(
    'a comment, an empty line, a bad line, CRLF',
    known(
      ({ sshd, ed25519 }) =>
        `# comment\n\nnonsense\n${knownLines(sshd.name, [ed25519]).replace('\n', ' a comment\r\n')}`,
    ),
  ),
  works(
    'another order of HostKeyAlgorithms',
    known(({ sshd }) => [
      'HostKeyAlgorithms rsa-sha2-512,ssh-ed25519',
      `UserKnownHostsFile ${sshd.knownHosts}`,
    ]),
  ),
  refused(
    'HostKeyAlgorithms without the type of the known key',
    'host_key_changed',
    known(async ({ sshd, servers, rsa }) => [
      'HostKeyAlgorithms ssh-ed25519',
      `UserKnownHostsFile ${await servers.file('known', knownLines(sshd.name, [rsa]))}`,
    ]),
  ),
  works(
    'HostKeyAlias',
    known(async ({ servers, ed25519 }) => [
      'HostKeyAlias the-web',
      `UserKnownHostsFile ${await servers.file('known', knownLines('the-web', [ed25519]))}`,
    ]),
  ),
  refused(
    'HostKeyAlias of another key',
    'host_key_changed',
    known(async ({ sshd, servers, ed25519, other }) => [
      'HostKeyAlias the-web',
      `UserKnownHostsFile ${await servers.file('known', knownLines('the-web', [other]) + knownLines(sshd.name, [ed25519]))}`,
    ]),
  ),
  works(
    'the second of two files',
    known(async ({ sshd, servers }) => [
      `UserKnownHostsFile ${await servers.file('none-yet', '')} ${sshd.knownHosts}`,
    ]),
  ),
  works(
    'the global file',
    known(async ({ sshd }) => [
      'UserKnownHostsFile none',
      `GlobalKnownHostsFile ${sshd.knownHosts}`,
    ]),
  ),
  refused(
    'a key revoked in the global file',
    'host_key_revoked',
    known(async ({ sshd, servers, ed25519 }) => [
      `UserKnownHostsFile ${await servers.file('known', knownLines(sshd.name, [ed25519]))}`,
      `GlobalKnownHostsFile ${await servers.file('global', `@revoked ${knownLines('*', [ed25519])}`)}`,
    ]),
  ),
  works(
    'one of its three keys revoked',
    known(
      ({ sshd, ed25519 }) => `${sshd.knownHostsText}@revoked ${knownLines(sshd.name, [ed25519])}`,
    ),
  ),
  works(
    'KnownHostsCommand',
    known(async ({ sshd, servers }) => [
      `KnownHostsCommand /bin/cat ${await servers.file('said', sshd.knownHostsText)}`,
      'UserKnownHostsFile none',
    ]),
  ),
  refused(
    'no terminal to ask at',
    'host_key_unknown',
    known(() => ['StrictHostKeyChecking ask', 'UserKnownHostsFile none']),
  ),

  works('a host certificate', certified(undefined, 'always:forever')),
  refused(
    'a host certificate for another name',
    'host_key_unknown',
    certified('web1', 'always:forever'),
  ),
  refused('a host certificate that is over', 'host_key_unknown', certified(undefined, '-2d:-1d')),
  refused(
    'a host certificate from another authority',
    'host_key_unknown',
    certified(undefined, 'always:forever', false),
  ),

  refused(
    'StrictHostKeyChecking no, unknown',
    'host_key_unknown',
    known(async ({ servers }) => [
      'StrictHostKeyChecking no',
      `UserKnownHostsFile ${await servers.file('known', '')}`,
    ]),
    neverOff,
  ),
  refused(
    'StrictHostKeyChecking no, changed',
    'host_key_changed',
    known(async ({ sshd, servers, other }) => [
      'StrictHostKeyChecking no',
      `UserKnownHostsFile ${await servers.file('known', knownLines(sshd.name, [other]))}`,
    ]),
    neverOff,
  ),
  refused(
    'StrictHostKeyChecking accept-new',
    'host_key_unknown',
    known(async ({ servers }) => [
      'StrictHostKeyChecking accept-new',
      `UserKnownHostsFile ${await servers.file('known', '')}`,
    ]),
    neverOff,
  ),
  refused(
    'NoHostAuthenticationForLocalhost',
    'host_key_unknown',
    known(() => ['NoHostAuthenticationForLocalhost yes', 'UserKnownHostsFile none']),
    neverOff,
  ),
  refused(
    'UserKnownHostsFile /dev/null',
    'host_key_unknown',
    known(() => ['StrictHostKeyChecking no', 'UserKnownHostsFile /dev/null']),
    neverOff,
  ),
]
