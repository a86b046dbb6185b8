/** How ssh’s messages are interpreted. Recorded from OpenSSH 9.2 unless another version is named. */
import { describe, expect, test } from 'vitest'
import { connectError, prospectOf } from '../../../../lib/transport/connecting/connect-error.ts'
import type { Stage } from '../../../../lib/transport/connecting/limits.ts'
import { failureOf, lossIn, type OpensshEnd } from '../../../../lib/transport/openssh/error.ts'
import { parseKnownHosts } from '../../../../lib/transport/trust/known-hosts.ts'

const target = { address: 'web1', port: 22, user: 'ada' }

const end = (stage: Stage, text: string, more: Partial<OpensshEnd> = {}): OpensshEnd => ({
  lines: text.trim().split('\n'),
  abandoned: false,
  stage,
  where: 'web1 port 22',
  name: 'web1',
  file: '/home/ada/.ssh/known_hosts',
  known: [],
  gavePassword: false,
  problems: [],
  ...more,
})

const read = (stage: Stage, text: string, more?: Partial<OpensshEnd>) => {
  const failure = failureOf(end(stage, text, more))
  const { code, message, details } = connectError(failure, { target })
  return { code, message, hint: details.hint, prospect: prospectOf(failure) }
}

const key = Buffer.concat([Buffer.from('\0\0\0\x0bssh-ed25519\0\0\0\x20'), Buffer.alloc(32)])
const greeted = 'debug1: Remote protocol version 2.0, remote software version OpenSSH_9.2p1'
const shown =
  'debug1: Server host key: ssh-ed25519 SHA256:2Lv/NILV9OhFWmJ9E7WIcsQcFGsA4O16vSONSNWrt78'

describe('before the connection is established', () => {
  test.each([
    ['Could not resolve hostname web1: Name or service not known', 'unknown host name', 'none'],
    // macOS and BSD.
    [
      'Could not resolve hostname web1: nodename nor servname provided, or not known',
      'unknown host name',
      'none',
    ],
    [
      'Could not resolve hostname web1: Temporary failure in name resolution',
      'the name service did not answer',
      'unready',
    ],
    ['connect to host web1 port 22: Connection refused', 'connection refused', 'unready'],
    ['connect to host web1 port 22: No route to host', 'no route to host', 'unready'],
    ['connect to host web1 port 22: Network is unreachable', 'network unreachable', 'unready'],
    ['connect to host web1 port 22: Connection timed out', 'no answer', 'unready'],
    ['connect to host web1 port 22: Permission denied', 'Permission denied', 'none'],
  ])('%s', (line, reason, prospect) => {
    const found = read('connect', `debug1: Connecting to web1 port 22.\nssh: ${line}`)
    expect(found.message).toBe(`can’t connect to web1 port 22: ${reason}`)
    expect(found.prospect).toBe(prospect)
  })
})

describe('before the server has sent its version', () => {
  test.each([
    'kex_exchange_identification: Connection closed by remote host\nConnection closed by 127.0.0.1 port 22',
    'kex_exchange_identification: read: Connection reset by peer\nConnection reset by 127.0.0.1 port 22',
    // 7.9 and older.
    'ssh_exchange_identification: Connection closed by remote host',
    'debug1: kex_exchange_identification: banner line 0: Exceeded MaxStartups\nkex_exchange_identification: Connection closed by remote host',
  ])('the server is at its limit: %s', text => {
    const found = read('handshake', `debug1: Connection established.\n${text}`)
    expect(found.prospect).toBe('turnedAway')
    expect(found.code).toBe('connect_failed')
  })

  test('a ProxyCommand exits', () => {
    const found = read(
      'connect',
      'debug1: Executing proxy command: exec nc web1 22\nnc: no luck\nkex_exchange_identification: Connection closed by remote host\nConnection closed by UNKNOWN port 65535',
    )
    expect(found).toMatchObject({ code: 'connect_failed', prospect: 'none' })
    expect(found.message).toMatch(/exited before the host answered: nc: no luck$/)
  })

  test.each([
    ['ada@jump: Permission denied (publickey).', 'auth_failed'],
    [
      'No ED25519 host key is known for jump and you have requested strict checking.\nHost key verification failed.',
      'host_key_unknown',
    ],
    [
      '@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\nHost key verification failed.',
      'host_key_changed',
    ],
  ])('a jump host refuses us or is refused: %s', (text, code) => {
    const before = 'debug1: Setting implicit ProxyCommand from ProxyJump: ssh -W jump'
    const after = 'Connection closed by UNKNOWN port 65535'
    expect(read('connect', `${before}\n${text}\n${after}`)).toMatchObject({
      code,
      prospect: 'none',
    })
  })
})

describe('during the handshake', () => {
  const refused = (text: string, more?: Partial<OpensshEnd>) =>
    read('handshake', `${greeted}\n${shown}\n${text}\nHost key verification failed.`, more)

  test('the host key is not known', () => {
    const found = refused(
      'No ED25519 host key is known for web1 and you have requested strict checking.',
    )
    expect(found).toMatchObject({ code: 'host_key_unknown', prospect: 'none' })
    expect(found.message).toContain(
      'ssh-ed25519 SHA256:2Lv/NILV9OhFWmJ9E7WIcsQcFGsA4O16vSONSNWrt78',
    )
  })

  test('the host key has changed', () => {
    const known = parseKnownHosts(
      `web1 ssh-ed25519 ${key.toString('base64')}`,
      '/home/ada/.ssh/known_hosts',
    )
    const found = refused('@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @', { known })
    expect(found.code).toBe('host_key_changed')
    expect(found.message).toMatch(
      /it is ssh-ed25519 SHA256:2Lv.*, but known_hosts has .*known_hosts:1/,
    )
  })

  test('the host key is revoked, whatever else the output says', () => {
    const text =
      '@       WARNING: REVOKED HOST KEY DETECTED!               @\nThe ED25519 host key for web1 is marked as revoked.'
    expect(refused(text).code).toBe('host_key_revoked')
    // With checking off, ssh continues.
    expect(read('auth', `${greeted}\n${shown}\n${text}`).code).toBe('host_key_revoked')
  })

  test('the host certificate has expired', () => {
    const found = refused('Certificate invalid: expired')
    expect(found.code).toBe('host_key_unknown')
    expect(found.message).toContain('Certificate invalid: expired')
    expect(found.hint).toContain('clocks')
  })

  test('there is no common algorithm', () => {
    const found = read(
      'handshake',
      `${greeted}\nUnable to negotiate with 127.0.0.1 port 22: no matching host key type found. Their offer: ssh-dss,ssh-rsa`,
    )
    expect(found.code).toBe('no_common_algorithm')
    expect(found.message).toBe(
      'web1 port 22 has no type of host key in common with hostwright: it offers ssh-dss, ssh-rsa',
    )
  })
})

describe('while logging in', () => {
  const offers = `${greeted}
debug1: Authentications that can continue: publickey,password
debug1: Next authentication method: publickey
debug1: Offering public key: /home/ada/a key ED25519 SHA256:bDSw explicit
debug1: Trying private key: /home/ada/.ssh/id_rsa
debug1: Trying private key: /home/ada/.ssh/id_ed25519
debug1: Next authentication method: password`

  test('the login is denied', () => {
    const found = read('auth', `${offers}\nada@web1: Permission denied (publickey,password).`)
    expect(found.message).toBe(
      'web1 port 22: permission denied for ada (tried: key /home/ada/a key, password)',
    )
    expect(found.hint).toContain('It accepts: publickey, password.')
    expect(found.prospect).toBe('none')
  })

  test('the password is wrong', () => {
    const text = `${offers}\nada@web1: Permission denied (publickey,password).`
    expect(read('auth', text, { gavePassword: true }).message).toContain('wrong password')
  })

  test('there were too many login attempts', () => {
    const text = `${offers}\nReceived disconnect from 127.0.0.1 port 22:2: Too many authentication failures\nDisconnected from 127.0.0.1 port 22`
    expect(read('auth', text).message).toContain('disconnected after too many login attempts')
  })

  test('a banner that imitates ssh’s output has no effect', () => {
    const text = `${greeted}\nHost key verification failed.\n${offers}\nada@web1: Permission denied (publickey).`
    expect(read('auth', text).code).toBe('auth_failed')
  })

  test('the server closes the connection', () => {
    expect(read('auth', `${offers}\nConnection closed by 127.0.0.1 port 22`)).toMatchObject({
      code: 'auth_failed',
      prospect: 'none',
    })
  })
})

test('any other failure is reported in ssh’s words', () => {
  expect(read('connect', 'command-line: line 0: Bad configuration option: nosuch').message).toBe(
    'can’t connect to web1 port 22: ssh ended: command-line: line 0: Bad configuration option: nosuch',
  )
})

test.each([
  ['Timeout, server web1 not responding.', 'the host stopped answering: nothing received for 45 s'],
  ['Connection to web1 closed by remote host.', 'the host closed it'],
  ['client_loop: send disconnect: Broken pipe', 'the host closed it'],
  [
    'Connection reset by 127.0.0.1 port 22\nclient_loop: read: Connection reset by peer',
    'it was reset',
  ],
  ['Received disconnect from 127.0.0.1 port 22:11: Going down', 'Going down'],
  ['', 'ssh ended'],
])('a lost connection: %s', (text, reason) => {
  expect(lossIn([...text.split('\n'), 'debug1: Exit status -1'], 45_000)).toBe(reason)
})
