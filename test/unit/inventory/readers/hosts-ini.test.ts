import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isBootstrapError, UsageError } from '../../../../lib/errors.ts'
import { type ParseOptions, parseInventory } from '../../../support/inventory.ts'

const options = { file: '/p/inventories/test/hosts.ini', shownAs: 'hosts.ini', environment: 'test' }

const parse = (text: string, more: Partial<ParseOptions> = {}) =>
  parseInventory(text, { ...options, ...more })

/** The only host of a one-line inventory. */
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

describe('the settings of a host', () => {
  it('has defaults for all but its name', () => {
    expect(hostOf('web1')).toEqual({
      name: 'web1',
      vars: {},
      groups: ['ungrouped'],
      connection: 'ssh',
      address: 'web1',
      bootstrapDir: '/var/bootstrap',
      root: '',
    })
  })

  it('reads Ansible’s names and the short ones alike', () => {
    const settings = { address: '192.0.2.1', port: 2222, user: 'ops', privateKeyFile: '/k' }
    expect(
      hostOf(
        'a ansible_host=192.0.2.1 ansible_port=2222 ansible_user=ops ansible_ssh_private_key_file=/k',
      ),
    ).toMatchObject(settings)
    expect(hostOf('a host=192.0.2.1 port=2222 user=ops private_key_file=/k')).toMatchObject(
      settings,
    )
  })

  it('prefers Ansible’s name over the short one', () => {
    expect(hostOf('web port=8080 ansible_port=2222').port).toBe(2222)
  })

  it('gives precedence to an override with either name', () => {
    const overrides = { port: '2200', workers: '9' }
    const host = hostOf('web ansible_port=2222 workers=1', { overrides })
    expect(host.port).toBe(2200)
    expect(host.vars).toEqual({ ansible_port: 2222, port: '2200', workers: '9' })
  })

  it('resolves relative paths from the inventory and ~ to the home directory', () => {
    const line = 'a private_key_file=keys/id known_hosts_file=~/known'
    expect(hostOf(line, { home: '/home/me' })).toMatchObject({
      privateKeyFile: '/p/inventories/test/keys/id',
      knownHostsFile: '/home/me/known',
    })
  })

  it('puts bootstrap_dir below the root unless it is set', () => {
    expect(hostOf('a root=/tmp/box/')).toMatchObject({
      root: '/tmp/box',
      bootstrapDir: '/tmp/box/var/bootstrap',
    })
    expect(hostOf('a root=/ bootstrap_dir=/srv/state')).toMatchObject({
      root: '',
      bootstrapDir: '/srv/state',
    })
  })

  it.each([
    ['/', '/'],
    ['/srv/image/', '/srv/image'],
  ])('reads the path of a chroot: %s', (path, address) => {
    expect(hostOf(`a connection=chroot host=${path}`).address).toBe(address)
  })

  it.each(['ansible_connection', 'connection'])('connects locally for %s', name => {
    expect(hostOf(`a ${name}=local`).connection).toBe('local')
  })

  it('treats an empty setting as not set', () => {
    expect(hostOf('a ansible_host= ansible_port= ansible_user=')).toMatchObject({
      address: 'a',
      port: undefined,
      user: undefined,
    })
  })

  it('keeps a variable named like a property of Object', () => {
    expect(Object.entries(hostOf('a __proto__=x constructor=y').vars)).toEqual([
      ['__proto__', 'x'],
      ['constructor', 'y'],
    ])
  })
})

describe('hosts and groups', () => {
  it('applies a port from a later mention of the host', () => {
    expect(hostOf('web1\n[web]\nweb1:2222').port).toBe(2222)
  })

  it('lists members in the order of their first mention', () => {
    const { groups, hosts } = parse('b\na\n[g]\na\nc\nb\n')
    expect(hosts.map(host => host.name)).toEqual(['b', 'a', 'c'])
    expect(groups.get('g')).toEqual(['b', 'a', 'c'])
    expect(groups.get('all')).toEqual(['b', 'a', 'c'])
    expect(groups.get('ungrouped')).toEqual([])
  })

  it('accepts an IPv6 address in brackets without a port', () => {
    expect(hostOf('[2001:db8::1]')).toMatchObject({ name: '2001:db8::1' })
    expect(hostOf('[2001:db8::1] x=1').vars).toEqual({ x: 1 })
  })

  it('reads a file with a byte order mark and Windows line endings', () => {
    expect(parse('\uFEFF[web]\r\nweb1 a=1\r\n').hosts).toMatchObject([
      { name: 'web1', vars: { a: 1 } },
    ])
  })

  it('gives the implicit localhost the variables of all', () => {
    expect(parse('[all:vars]\nuser=x\nconnection=ssh\n').localhost).toMatchObject({
      connection: 'local',
      groups: [],
      vars: { user: 'x', connection: 'ssh' },
    })
  })

  it('parses the example inventory', () => {
    const file = fileURLToPath(
      new URL('../../../../inventories/example/hosts.ini', import.meta.url),
    )
    const { hosts, groups } = parseInventory(readFileSync(file, 'utf8'), {
      file,
      environment: 'example',
    })
    expect(hosts).toHaveLength(9)
    expect([...groups.keys()]).toEqual(expect.arrayContaining(['web', 'db', 'eu', 'us']))
  })
})

describe('a malformed inventory is refused with file, line and reason', () => {
  it.each([
    ['[web', 1, '[web is not a section'],
    ['a\n[web db]', 2, '[web db] is not a section'],
    ['[web:host]', 1, "[web:host] is not a section: 'host' is unknown"],
    ['[web] ; old', 1, '[web] ; old is not a section'],
    ['[]', 1, '[] is not a section'],
    ['\n# x\nweb1 user', 3, "'user' is not key=value"],
    ['web1 ; note', 1, "';' is not key=value"],
    ['web1 =x', 1, "'=x' has no key before the ="],
    ['web1 a="b', 1, 'unclosed "'],
    ["web1 a='b", 1, "unclosed '"],
    ['web1 a=\\', 1, 'the line ends in a backslash'],
    ['""', 1, 'the host name is empty'],
    ['---\nall:', 1, 'this looks like YAML'],
    ['web[1:3', 1, `unclosed '[' in "web[1:3"`],
    ['web[1]', 1, '[1] is not a valid range: first and last are missing'],
    ['web[1:]', 1, '[1:] is not a valid range: last is missing'],
    ['web[1:9:0]', 1, '[1:9:0] is not a valid range: the step must be a number above 0'],
    ['web[01:100]', 1, '[01:100] is not a valid range: its ends differ in length'],
    ['web[5:1]', 1, '[5:1] is not a valid range: it ends before it begins'],
    ['web[f:a]', 1, '[f:a] is not a valid range: it ends before it begins'],
    ['web[a:3]', 1, '[a:3] is not a valid range: its ends must be two numbers or two letters'],
    [
      'web[0:999999999]',
      1,
      '[0:999999999] is not a valid range: it stands for more than 100000 hosts',
    ],
    ['w[1:999][1:999]', 1, '"w[1:999][1:999]" stands for more than 100000 hosts'],
    ['web1:', 1, "'' is not a port"],
    ['web1:70000', 1, "'70000' is not a port"],
    ['web1:22x', 1, '"web1:22x" is not a host name'],
    ['a\nb ansible_port=ssh', 2, "ansible_port of b is not a port: 'ssh'"],
    ['a\n[all:vars]\nport=0', 3, "port of a is not a port: '0'"],
    ...['telnet', 'constructor'].map((kind): [string, number, string] => [
      `a connection=${kind}`,
      1,
      `connection of a must be one of ssh, smart, openssh, paramiko, local, docker, podman, chroot: '${kind}'`,
    ]),
    ['a root=srv', 1, "root of a must be an absolute path without '..': 'srv'"],
    [
      'a bootstrap_dir=/a/../b',
      1,
      "bootstrap_dir of a must be an absolute path without '..': '/a/../b'",
    ],
    ['a private_key_file=~bob/k', 1, "private_key_file of a is in another user’s home: '~bob/k'"],
    ['[web:vars]\na=1', 1, 'group web is not defined'],
    ['[eu:children]\nweb\n[wbe]', 2, 'group web is not defined'],
    ['[eu:children]\na b', 2, "'a b' is not a group name"],
    ['[eu:children]\neu', 2, 'eu can’t be its own child'],
    ['[a:children]\nb\n[b:children]\na', 4, 'a can’t be a child of b: b is already below a'],
    [
      '[a]\n[b]\n[a:children]\nb\n[b:children]\na',
      6,
      'a can’t be a child of b: b is already below a',
    ],
    ['[a:children]\nall', 2, 'all can’t be the child of a group'],
    ['[a:children]\nungrouped', 2, 'ungrouped can’t be the child of a group'],
    ['[ungrouped:children]\na\n[a]', 1, 'ungrouped can’t have children'],
    ['[a]\n[a:vars]\nx', 3, "'x' is not key=value"],
    [
      '[a]\n[a:vars]\nansible_group_priority=high',
      3,
      "ansible_group_priority must be a whole number: 'high'",
    ],
    ['a x=\0', 1, 'the line contains a NUL character'],
  ])('%j', (text, line, what) => {
    const error = faultOf(text)
    expect(error).toMatchObject({ code: 'inventory_invalid', details: { at: `hosts.ini:${line}` } })
    expect(error.message).toBe(`hosts.ini:${line}: ${what}`)
  })

  it.each([
    ['-oProxyCommand=x', 'the host name begins with a dash'],
    ['"web 1"', 'the host name contains whitespace or a control character'],
    ['web\u001b[1:2]', 'the host name contains whitespace or a control character'],
    ['web\u200b1', 'the host name contains whitespace or a control character'],
    ['a ansible_host=-oProxyCommand=x', 'ansible_host of a begins with a dash'],
    ['a host="b c"', 'host of a contains whitespace or a control character'],
    ['a user=-lroot', 'user of a begins with a dash'],
    ['a ansible_user="x\u0007"', 'ansible_user of a contains whitespace or a control character'],
    [
      String.raw`a ansible_user="'x\\n'"`,
      'ansible_user of a contains whitespace or a control character',
    ],
    ['a private_key_file="k\u0001"', 'private_key_file of a contains a control character'],
  ])('%j, which is dangerous', (text, what) => {
    const error = faultOf(`ok\n${text}`)
    expect(error.message.startsWith(`hosts.ini:2: ${what}: `)).toBe(true)
    expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}]/u)
  })

  it('names the command line as the source of a bad override', () => {
    expect(faultOf('a', { overrides: { ansible_port: 'x' } })).toMatchObject({
      code: 'invalid_value',
      message: "--var ansible_port: ansible_port of a is not a port: 'x'",
    })
  })

  it('suggests the nearest group', () => {
    expect(faultOf('[web]\n[eu:children]\nwbe').details.hint).toBe(
      'Did you mean web? Define the group with [wbe].',
    )
  })

  it('never fails in any other way, whatever the text', () => {
    const part = fc.constantFrom(
      ...[
        '[',
        ']',
        ':',
        '=',
        '"',
        "'",
        '\\',
        '#',
        ';',
        '\n',
        '\n',
        ' ',
        ',',
        '~',
        '0',
        '9',
        'a',
        'web',
      ],
      ...['[web]', '[web:vars]', '[web:children]', '[1:3]', 'ansible_port=', '\u0000', 'ü', '::1'],
    )
    fc.assert(
      fc.property(fc.array(part, { maxLength: 30 }), parts => {
        try {
          parse(parts.join(''))
        } catch (error) {
          expect(error).toBeInstanceOf(UsageError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

it('returns any value that is quoted for the shell', () => {
  // Letters around it keep the value from being a Python literal, which would be read once more.
  const value = fc.string({ unit: 'grapheme' }).filter(text => !/[\0\r\n]/.test(text))
  fc.assert(
    fc.property(value, text => {
      const quoted = `'${text.replaceAll("'", `'"'"'`)}'`
      expect(hostOf(`a v=x${quoted}x`).vars.v).toBe(`x${text}x`)
    }),
  )
})
