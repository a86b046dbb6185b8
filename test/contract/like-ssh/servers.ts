/** Rows about servers: what they allow, what they print, and their logins. */
import { makeKey } from '../../support/ssh-keys.ts'
import { authorize, password } from './logins.ts'
import { type Attempt, type Row, refused, type Servers, works } from './row.ts'

/** A server with these lines; `client` are lines of the configuration. */
const withLines =
  (lines: readonly string[], client: readonly string[] = []) =>
  async (servers: Servers): Promise<Attempt> => ({
    config: (await servers.sshd({ config: lines })).sshConfig('target', client),
  })

/** A key with options in authorized_keys(5). */
const withOptions =
  (options: string, lines: readonly string[] = []) =>
  async (servers: Servers): Promise<Attempt> => {
    const sshd = await servers.sshd({ config: lines })
    const key = await authorize(sshd, await makeKey(), options)
    return { config: sshd.sshConfig('target', [`IdentityFile ${key.file}`]) }
  }

const asUser =
  (user: string) =>
  async (servers: Servers): Promise<Attempt> => ({
    config: (await servers.users()).sshConfig('target', [`User ${user}`]),
    answer: password,
  })

const users = { users: true } as const

/** One cipher, MAC or key exchange. */
const algorithms: readonly string[] = [
  'Ciphers aes256-ctr',
  'Ciphers aes128-gcm@openssh.com',
  'Ciphers chacha20-poly1305@openssh.com',
  'KexAlgorithms ecdh-sha2-nistp384',
  'KexAlgorithms diffie-hellman-group16-sha512',
  'KexAlgorithms sntrup761x25519-sha512@openssh.com',
  'HostKeyAlgorithms rsa-sha2-256',
]

/** MACs matter only with ciphers that have no built-in one. */
const macs = ['hmac-sha2-256', 'hmac-sha2-512-etm@openssh.com', 'umac-128-etm@openssh.com']

export const servers: readonly Row[] = [
  ...algorithms.map(line =>
    works(`${line} at the server`, async ({ sshd }) => ({
      config: (await sshd({ config: [line], hostKeys: ['ed25519', 'rsa'] })).sshConfig('target'),
    })),
  ),
  ...macs.map(mac =>
    works(`MACs ${mac} at the server`, withLines([`MACs ${mac}`, 'Ciphers aes128-ctr'])),
  ),
  works(
    'one algorithm of each kind in the configuration',
    withLines([], ['Ciphers aes192-ctr', 'MACs hmac-sha2-512', 'KexAlgorithms curve25519-sha256']),
  ),
  works('algorithms added and removed', withLines([], ['Ciphers -chacha20*', 'MACs +hmac-sha1'])),
  refused(
    'no cipher in common',
    'no_common_algorithm',
    withLines(['Ciphers aes256-ctr'], ['Ciphers aes128-ctr']),
  ),
  refused(
    'a cipher that nobody offers by default',
    'no_common_algorithm',
    withLines(['Ciphers aes128-cbc']),
  ),
  refused(
    'no key exchange in common',
    'no_common_algorithm',
    withLines([], ['KexAlgorithms diffie-hellman-group14-sha256']),
  ),
  refused(
    'no host key algorithm in common',
    'no_common_algorithm',
    withLines([], ['HostKeyAlgorithms ecdsa-sha2-nistp256']),
  ),

  works('MaxSessions 1', withLines(['MaxSessions 1'])),
  refused('MaxSessions 0', 'shell_failed', withLines(['MaxSessions 0'])),
  works('a Banner', async ({ sshd, file }) => {
    const banner = await file('banner', 'Private.\n\u001b[31mKeep out!\n')
    return { config: (await sshd({ config: [`Banner ${banner}`] })).sshConfig('target') }
  }),
  works('Compression at the server', withLines(['Compression yes'], ['Compression yes'])),
  works('RekeyLimit', withLines(['RekeyLimit 16K'])),
  refused('ForceCommand', 'shell_failed', withLines(['ForceCommand echo no shell for you'])),
  refused('ForceCommand internal-sftp', 'shell_failed', withLines(['ForceCommand internal-sftp'])),
  refused('command= of a key', 'shell_failed', withOptions('command="echo no shell for you"')),
  works(
    'command= of a key that runs the requested command',
    withOptions('command="exec sh -c \\"$SSH_ORIGINAL_COMMAND\\""'),
  ),
  works('no-pty', withOptions('no-pty')),
  works('restrict', withOptions('restrict')),
  refused('from= another address', 'auth_failed', withOptions('from="192.0.2.1"')),
  refused('expiry-time= in the past', 'auth_failed', withOptions('expiry-time="20200101"')),
  works(
    'PermitUserEnvironment',
    withOptions('environment="GREETING=hello"', ['PermitUserEnvironment yes']),
  ),
  works('PermitTTY no', withLines(['PermitTTY no'])),

  works('a user of the host’s own', asUser('worker'), users),
  works('a chatty .bashrc', asUser('chatty'), users),
  refused('the login shell nologin', 'shell_failed', asUser('nologin'), users),
  refused('the login shell false', 'shell_failed', asUser('false'), users),
  refused('a login shell that is not there', 'auth_failed', asUser('shell-less'), users),
  refused('a password that must be changed', 'shell_failed', asUser('must-change'), users),
  works('a home that is not there', asUser('homeless'), users),
]
