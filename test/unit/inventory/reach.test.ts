/** Inventory settings for reaching hosts. */
import { inspect } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isBootstrapError, type UsageError } from '../../../lib/errors.ts'
import type { Host } from '../../../lib/inventory/inventory.ts'
import { readJump } from '../../../lib/inventory/proxy-jump.ts'
import { unhonouredBy } from '../../../lib/inventory/unhonoured.ts'
import { type ParseOptions, parseInventory } from '../../support/inventory.ts'

const options = { file: '/p/x/hosts.ini', shownAs: 'hosts.ini', environment: 'x', home: '/home/me' }

const parse = (text: string, more: Partial<ParseOptions> = {}) =>
  parseInventory(text, { ...options, ...more })
const hostOf = (line: string, more?: Partial<ParseOptions>) => parse(line, more).hosts[0]!

function faultOf(text: string, more?: Partial<ParseOptions>): UsageError {
  try {
    parse(text, more)
  } catch (error) {
    if (isBootstrapError(error)) return error
    throw error
  }
  throw new Error('nothing was refused')
}

describe('which SSH', () => {
  test.each([
    ['ssh', undefined],
    ['smart', undefined],
    ['openssh', 'openssh'],
    ['paramiko', 'ssh'],
    ['ansible.builtin.ssh', undefined],
  ])('ansible_connection=%s', (value, sshTransport) => {
    const host = hostOf(`a ansible_connection=${value}`)
    expect([host.connection, host.sshTransport]).toEqual(['ssh', sshTransport])
  })

  test('ssh_config_file is relative to the inventory, or none', () => {
    expect(hostOf('a ssh_config_file=ssh.conf').sshConfigFile).toBe('/p/x/ssh.conf')
    expect(hostOf('a ssh_config_file=~/c').sshConfigFile).toBe('/home/me/c')
    expect(hostOf('a ssh_config_file=none').sshConfigFile).toBe('none')
    expect(hostOf('a').sshConfigFile).toBeUndefined()
  })
})

describe('become', () => {
  test('is off unless ansible_become is true, in any of Ansible’s spellings', () => {
    expect(hostOf('a ansible_become_user=app').become).toBeUndefined()
    for (const yes of ['yes', 'True', 'ON', '1', 't', 'y'])
      expect(hostOf(`a ansible_become=${yes}`).become).toMatchObject({
        method: 'sudo',
        user: 'root',
      })
    for (const no of ['no', 'False', 'off', '0', 'f', 'n', '""'])
      expect(hostOf(`a ansible_become=${no}`).become).toBeUndefined()
    expect(faultOf('a ansible_become=maybe').message).toBe(
      "hosts.ini:1: ansible_become of a must be yes or no: 'maybe'",
    )
  })

  test('has a method and a user', () => {
    const line = 'a ansible_become=yes ansible_become_method='
    expect(hostOf(`${line}doas ansible_become_user=app`).become).toMatchObject({
      method: 'doas',
      user: 'app',
    })
    expect(hostOf(`${line}ansible.builtin.su`).become).toMatchObject({ method: 'su' })
    expect(faultOf(`${line}pbrun`).message).toBe(
      "hosts.ini:1: ansible_become_method of a must be one of sudo, doas, su: 'pbrun'",
    )
  })

  test.each(['-s', '"a b"', '"a\\u0007"', '{{x}}'])('refuses the user %s', user => {
    const text = `a\n[all:vars]\nansible_become=yes\nansible_become_user=${user}\n`
    expect(faultOf(text).message).toContain('hosts.ini:4: ansible_become_user of a')
  })

  test('--become applies to hosts that do not set it', () => {
    const text = 'a\nb ansible_become=no\nc ansible_become=yes ansible_become_user=app'
    const { hosts } = parse(text, { defaults: { become: true, becomeUser: 'www' } })
    expect(hosts.map(({ become }) => become?.user)).toEqual(['www', undefined, 'app'])
    expect(hosts[0]!.vars).toEqual({})
    const doas = hostOf('a ansible_become_method=doas', { defaults: { become: true } })
    expect(doas.become).toMatchObject({ method: 'doas', user: 'root' })
    expect(faultOf('a', { defaults: { become: true, becomeUser: '-x' } }).message).toBe(
      '--become-user: ansible_become_user of a begins with a dash: "-x"',
    )
  })
})

describe('timeouts', () => {
  test('are durations; a bare number is seconds', () => {
    expect(
      hostOf('a connect_timeout=3 handshake_timeout=500ms auth_timeout=1m command_timeout=1h')
        .timeouts,
    ).toEqual({ connectMs: 3000, handshakeMs: 500, authMs: 60_000, commandMs: 3_600_000 })
    expect(hostOf('a reconnect_timeout=0').timeouts).toEqual({ reconnectMs: 0 })
    expect(hostOf('a ansible_timeout=7').timeouts).toMatchObject({ connectMs: 7000 })
    expect(hostOf('a ansible_ssh_timeout=7').timeouts).toMatchObject({ connectMs: 7000 })
    expect(hostOf('a').timeouts).toBeUndefined()
  })

  test.each(['soon', '-1', '0', '1d'])('refuse %s', value => {
    expect(faultOf(`a command_timeout=${value}`).message).toContain('command_timeout of a')
  })
})

describe('jump hosts', () => {
  test.each([
    ['bastion', 'bastion'],
    ['ops@bastion:2222', 'ops@bastion:2222'],
    ['"a, b:22 ,c@[2001:db8::1]:2"', 'a,b:22,c@[2001:db8::1]:2'],
    ['none', 'none'],
  ])('%s', (written, read) => {
    expect(hostOf(`a proxy_jump=${written}`).proxyJump).toBe(read)
  })

  test.each([
    '-oProxyCommand=x',
    'a,-b',
    'ops@-x',
    '"a b"',
    'a:0',
    'a:b',
    '2001:db8::1',
    '[x]:1',
    'a,,b',
    'ssh://a',
    '"$(id)"',
    '"a;b"',
    '"a\\u001b"',
    '"`id`"',
  ])('%s is refused', written => {
    expect(faultOf(`[g]\nh\n[g:vars]\nproxy_jump=${written}`).message).toMatch(
      /^hosts\.ini:4: .*proxy_jump of h/,
    )
  })

  test('have a user, a host and a port', () => {
    expect(readJump('o@[2001:db8::1]:22')).toEqual({ user: 'o', host: '2001:db8::1', port: 22 })
    expect(readJump('b')).toEqual({ host: 'b' })
  })
})

describe('passwords', () => {
  const revealed = (of: Host['password']) => (of?.from === 'value' ? of.value.reveal() : of)

  test('are secrets, under each of Ansible’s names', () => {
    for (const name of ['ansible_password', 'ansible_ssh_pass', 'ansible_ssh_password'])
      expect(revealed(hostOf(`a ${name}=hunter2`).password)).toBe('hunter2')
    for (const name of ['ansible_become_password', 'ansible_become_pass', 'ansible_sudo_pass'])
      expect(revealed(hostOf(`a ansible_become=1 ${name}=hunter2`).become?.password)).toBe(
        'hunter2',
      )
  })

  test('are never shown', () => {
    const text = `a ansible_password="hunter2"\n[all:vars]\nansible_become=yes\nansible_become_pass=hunter2\nansible_winrm_password=hunter2`
    const inventory = parse(text)
    expect(inventory.hosts[0]!.vars).toEqual({ ansible_become: 'yes' })
    expect(inventory.localhost!.vars).toEqual({ ansible_become: 'yes' })
    expect(JSON.stringify(inventory)).not.toContain('hunter2')
    expect(inspect(inventory, { depth: 9, showHidden: true })).not.toContain('hunter2')
  })

  test('may come from another source, which takes precedence', () => {
    const from = (source: string) =>
      hostOf(`a ansible_password=x ssh_password_from=${source}`).password
    expect(from('"env APP_PASS"')).toEqual({ from: 'env', name: 'APP_PASS' })
    expect(from('"file pw/a"')).toEqual({ from: 'file', path: '/p/x/pw/a' })
    expect(from('"file ~/pw"')).toEqual({ from: 'file', path: '/home/me/pw' })
    expect(from(`"command pass show 'a b'"`)).toEqual({
      from: 'command',
      words: ['pass', 'show', 'a b'],
    })
    expect(hostOf('a ansible_become=yes become_password_from="env P"').become!.password).toEqual({
      from: 'env',
      name: 'P',
    })
  })

  test.each(['hunter2', '"env"', '"env A B"', '"env 1A"', '"file"', '"command"', '""env"'])(
    'refuse the source %s',
    source => {
      expect(faultOf(`a ssh_password_from=${source}`).code).toBe('inventory_invalid')
    },
  )

  // Each has an error somewhere on the line of the password.
  test.each([
    'a ansible_password= hunter2',
    'a ansible_password=x hunter2',
    'a ansible_password=hunter2 =hunter2',
    'a ansible_password="hunter2',
    'a ansible_password=hunter2\\',
    'a ansible_password="{{ hunter2 }}"',
    'ansible_password=hunter2',
    'ansible_password: hunter2',
    '[all:vars]\nansible_become_password: hunter2',
    '[all:children]\nansible_password=hunter2 x',
    '[ansible_password=hunter2 x]',
    'a ansible_password=hunter2 port=x',
    'a ansible_ssh_private_key_passphrase=hunter2',
    'a\n[all:vars]\nansible_password="hunter2\\n"',
  ])('are not shown in an error about %j', text => {
    const error = faultOf(text)
    expect(`${error.message} ${JSON.stringify(error.details)}`).not.toContain('hunter2')
  })

  test('are not shown in an error about any line', () => {
    const piece = fc.constantFrom(
      ' ',
      '=',
      '"',
      "'",
      '\\',
      '#',
      ':',
      '[',
      ']',
      'x',
      '{{',
      '\t',
      ';',
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.array(piece, { maxLength: 6 }), (a, b) => {
        for (const head of ['', '[all:vars]\n', '[all:children]\n']) {
          try {
            const password = `${a.join('')}hunter2${b.join('')}`
            // A word with a = behind a blank is the next variable.
            if (/\s\S*=/.test(password)) continue
            const found = parse(`${head}h ansible_password=${password}`)
            expect(JSON.stringify(found.hosts.map(({ vars }) => vars))).not.toContain('hunter2')
          } catch (error) {
            if (!isBootstrapError(error)) throw error
            expect(error.message + JSON.stringify(error.details)).not.toContain('hunter2')
          }
        }
      }),
    )
  })

  test('can’t be set with --var, which shows in process lists', () => {
    const error = faultOf('a', { overrides: { ansible_password: 'hunter2' } })
    expect(error.code).toBe('usage')
    expect(error.message + JSON.stringify(error.details)).not.toContain('hunter2')
  })
})

describe('Ansible variables without effect', () => {
  const warningOf = (text: string) => unhonouredBy(parse(text).hosts)

  test('cause one warning for all hosts', () => {
    expect(warningOf('a\nb motd=x')).toBeUndefined()
    expect(
      warningOf('a\nb\n[all:vars]\nansible_become_flags=-H\nansible_shell_executable=/bin/bash'),
    ).toBe(
      'these Ansible variables have no effect: ansible_become_flags of a and 1 more; ' +
        'ansible_shell_executable (hostwright always uses sh) of a and 1 more',
    )
  })

  test.each([
    ['-J ops@b:22', 'write proxy_jump=ops@b:22'],
    ['-o ProxyJump=b', 'write proxy_jump=b'],
    ['-oProxyJump=b', 'write proxy_jump=b'],
    ["-o 'ProxyCommand=ssh -W %h:%p b'", 'for a jump host write proxy_jump'],
    ['-o ProxyCommand="ssh -W %h:%p -q b"', 'for a jump host write proxy_jump'],
    ['\'-o ProxyCommand="ssh -W %h:%p -q b"\'', 'for a jump host write proxy_jump'],
    ['-o StrictHostKeyChecking=no', 'for StrictHostKeyChecking: see --accept-new'],
    ['-F x.conf', 'write ssh_config_file=x.conf'],
    ['-o UserKnownHostsFile=~/kh', 'write known_hosts_file=~/kh'],
    ['-C', 'ssh_config_file'],
  ])('%s: cause advice on what to write instead', (value, advice) => {
    const text = `a\n[all:vars]\nansible_ssh_common_args=${value}`
    expect(warningOf(text)).toContain(advice)
  })
})

test('any host key is accepted only with insecure_host_key', () => {
  expect(hostOf('a insecure_host_key=yes').insecureHostKey).toBe(true)
  expect(hostOf('a').insecureHostKey).toBeUndefined()
  expect(hostOf('a host_key_checking=no').insecureHostKey).toBeUndefined()
})
