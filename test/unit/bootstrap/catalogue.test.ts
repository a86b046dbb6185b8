import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseCatalogue } from '../../../lib/bootstrap/catalogue.ts'
import type { Catalogue } from '../../../lib/bootstrap/definitions.ts'
import { loadCatalogue } from '../../../lib/bootstrap/load.ts'
import type { BootstrapError } from '../../../lib/errors.ts'

const server = '[server]\nmodes = provisioning, active, upgrading\n'

function parse(text: string, exists?: (path: string) => boolean): Catalogue {
  return parseCatalogue(text, { file: '/inv/bootstrap.ini', exists })
}

/** The faults of a text that begins with a valid [server], without the file's name. */
function faults(text: string, exists?: (path: string) => boolean): string[] {
  return faultsOf(server + text, exists)
}

function faultsOf(text: string, exists?: (path: string) => boolean): string[] {
  try {
    parse(text, exists)
  } catch (error) {
    expect(error).toMatchObject({ code: 'bootstrap_ini_invalid', exitCode: 2 })
    return (error as BootstrapError).message
      .split('\n')
      .map(line => line.replace('/inv/bootstrap.ini:', ''))
  }
  return []
}

describe('a valid catalogue', () => {
  test('returns modes, roles and products in the file’s order', () => {
    const catalogue = parse(
      `${server}callback_url = https://x.test/a\n[role:web]\nproducts = b, a\n[product:a]\n[product:b]\n`,
    )
    expect(catalogue).toMatchObject({
      file: '/inv/bootstrap.ini',
      directory: '/inv',
      modes: ['provisioning', 'active', 'upgrading'],
      callbackUrl: 'https://x.test/a',
    })
    expect([...catalogue.roles.values()]).toEqual([{ name: 'web', products: ['b', 'a'] }])
    expect([...catalogue.products.keys()]).toEqual(['a', 'b'])
  })

  test('returns a product with all its keys, and absolute paths on the controller', () => {
    const { products } = parse(`${server}[product:x]
description = An example
version = 1.2.0
packages = a, b=1.0
archive = releases/x-{version}.tar.gz
home = /opt/x
config = {root}/etc/x.cfg
config_format = words
validate = x -c -f %s     ; a comment
service = {home}/current/bin/x
provision = scripts/provision
upgrade = ../shared/upgrade
test = /abs/test
module = ./x.ts`)
    expect(products.get('x')).toEqual({
      name: 'x',
      description: 'An example',
      version: '1.2.0',
      packages: ['a', 'b=1.0'],
      archive: 'releases/x-{version}.tar.gz',
      home: '/opt/x',
      config: '{root}/etc/x.cfg',
      configFormat: 'words',
      validate: 'x -c -f %s',
      service: '{home}/current/bin/x',
      scripts: {
        provision: '/inv/scripts/provision',
        upgrade: '/shared/upgrade',
        test: '/abs/test',
      },
      module: '/inv/x.ts',
      heartbeat: undefined,
      settings: new Map(),
    })
  })

  test('returns settings with their rules, wherever their sections are', () => {
    const { products } = parse(`${server}[setting:x:workers]
type = integer
default = 04
allowed = 1..64
section = server
key = worker count
apply = restart
description = How many
[product:x]
[setting:x:level]
allowed = debug, info
[setting:x:name]
pattern = [a-z]*
default =
section =
[setting:x:ratio]
type = number
allowed = ..1.5`)
    const settings = products.get('x')!.settings
    expect(settings.get('workers')).toEqual({
      name: 'workers',
      type: 'integer',
      default: '4',
      allowed: { kind: 'range', min: 1, max: 64 },
      pattern: undefined,
      section: 'server',
      key: 'worker count',
      apply: 'restart',
      description: 'How many',
    })
    expect(settings.get('level')).toMatchObject({
      type: 'string',
      allowed: { kind: 'list', values: ['debug', 'info'] },
      section: '',
      key: 'level',
      apply: 'reload',
    })
    expect(settings.get('name')).toMatchObject({ default: '', section: '' })
    expect(settings.get('name')!.pattern!.test('ab1')).toBe(false)
    expect(settings.get('ratio')).toMatchObject({ allowed: { kind: 'range', max: 1.5 } })
  })

  const http = { kind: 'http', status: 200, headers: [], redirect: false }
  test.each([
    ['http://h:{port}/x', { ...http, url: 'http://h:{port}/x' }],
    ['unix:/run/{x}.sock', { kind: 'unix', socket: '/run/{x}.sock' }],
    ['unix:/run/a.sock:/b?c', { ...http, url: 'http://localhost/b?c', socket: '/run/a.sock' }],
    ['http://unix:/a.sock:/', { ...http, url: 'http://localhost/', socket: '/a.sock' }],
    ['tcp://[::1]:80', { kind: 'tcp', address: '[::1]:80' }],
    ['command: pgrep x', { kind: 'command', command: 'pgrep x' }],
    ['service:x', { kind: 'service', service: 'x' }],
    ['haproxy:/run/a.sock', { kind: 'haproxy', socket: '/run/a.sock' }],
    ['stack', { kind: 'stack' }],
  ])('parses the heartbeat %s', (text, probe) => {
    const { products } = parse(`${server}[product:x]\nheartbeat = ${text}`)
    expect(products.get('x')!.heartbeat).toEqual({
      probe,
      intervalMs: 1000,
      timeoutMs: 5000,
      attempts: 30,
      successes: 1,
    })
  })

  test('returns what a heartbeat expects and its timing', () => {
    const { products } = parse(`${server}[product:x]
heartbeat = https://h/
heartbeat_status = 204
heartbeat_body = fine
heartbeat_json = nodes[0].state = up
heartbeat_interval = 250ms
heartbeat_timeout = 2
heartbeat_attempts = 5
heartbeat_header = "Host: app.example\\nAuthorization: Bearer {token}"
heartbeat_ca = /etc/{ca}.pem
heartbeat_redirect = follow
heartbeat_successes = 2
[setting:x:token]
type = secret`)
    expect(products.get('x')!.heartbeat).toEqual({
      probe: {
        kind: 'http',
        url: 'https://h/',
        status: 204,
        body: 'fine',
        json: { path: 'nodes[0].state', equals: 'up' },
        headers: ['Host: app.example', 'Authorization: Bearer {token}'],
        ca: '/etc/{ca}.pem',
        redirect: true,
      },
      intervalMs: 250,
      timeoutMs: 2000,
      attempts: 5,
      successes: 2,
    })
  })
})

describe('an invalid catalogue', () => {
  test('reports all its errors at once, in line order', () => {
    expect(
      faultsOf(`top = 1
[server]
modes = active, activ e
callback_url = ftp://x
[role:web]
products = haproxi, nothing
[product:haproxy]
packges = a
config_format = yaml
lost line
[setting:haproxy:maxconn]
type = int
default = x
[sever]
[role]
[setting:haproxy]
[product:1x]`),
    ).toEqual([
      '1: keys before the first section',
      '3 [server] modes: "activ e" is not a name: a letter, then letters, digits and . _ -',
      '3 [server] modes: provisioning is missing: recipes set it (needed: provisioning, active, upgrading)',
      '3 [server] modes: upgrading is missing: recipes set it (needed: provisioning, active, upgrading)',
      '4 [server] callback_url: "ftp://x" is not an http:// or https:// address',
      "6 [role:web] products: unknown product 'haproxi': did you mean haproxy?",
      "6 [role:web] products: unknown product 'nothing': known: haproxy",
      "8 [product:haproxy] packges: unknown key 'packges': did you mean packages?",
      '9 [product:haproxy] config_format: also needs the key config',
      '9 [product:haproxy] config_format: "yaml" is neither ini nor words',
      '10 [product:haproxy]: not a section, key = value or a comment',
      "12 [setting:haproxy:maxconn] type: unknown type 'int': did you mean integer?",
      "14 [sever]: unknown kind of section 'sever': did you mean server?",
      '15 [role]: must be written [role:NAME]',
      '16 [setting:haproxy]: must be written [setting:PRODUCT:NAME]',
      '17 [product:1x]: "1x" is not a name: a letter, then letters, digits and . _ -',
    ])
  })

  test('reports that [server] is missing', () => {
    expect(faultsOf('[product:x]\n')).toEqual(['1 [server]: the section is missing'])
  })

  test.each([
    ['version = 1/2', 'version: "1/2" is not a version: letters, digits and . _ + ~ : -'],
    ['version =', 'version: has no value'],
    ['packages = a,,b', 'packages: an empty item in the list'],
    ['packages = a, a', 'packages: a is listed twice'],
    ['packages = $(x)', 'packages: "$(x)" is not the name of a package'],
    ['home = opt/x', 'home: "opt/x" is not an absolute path on the host'],
    ['service = bin/x', 'service: "bin/x" is neither a service’s name nor an absolute path'],
    ['provision = gone', 'provision: there is no file "gone" next to bootstrap.ini'],
    ['module = ./gone.ts', 'module: there is no file "./gone.ts" next to bootstrap.ini'],
    ['heartbeat = tcp://x', 'heartbeat: tcp:// needs host:port'],
    [
      'heartbeat = ftp://x',
      'heartbeat: must be http://…, https://…, unix:SOCKET, tcp://host:port, command:…, service:…, haproxy:SOCKET or stack',
    ],
    [
      'heartbeat = unix:x',
      'heartbeat: a unix socket needs its absolute path: unix:SOCKET, or for HTTP unix:SOCKET:/path',
    ],
    ['heartbeat = http://x:{port}y/', 'heartbeat: "http://x:{port}y/" is not a URL'],
    ['heartbeat = haproxy:x', 'heartbeat: haproxy: needs the absolute path of the admin socket'],
    [
      'heartbeat = command:awk {print}{',
      'heartbeat: a { that does not start a {placeholder}; write {{ for a literal brace',
    ],
    ['heartbeat_interval = 1s', 'heartbeat_interval: has no effect without the key heartbeat'],
  ])('refuses a product with %s', (line, fault) => {
    expect(faults(`[product:x]\n${line}`, () => false)).toEqual([`4 [product:x] ${fault}`])
  })

  test.each([
    ['heartbeat_status = 99', '"99" is not an integer in 100..599'],
    ['heartbeat_json = a..b', 'must be path or path=value, as in nodes[0].state=up'],
    ['heartbeat_header = X', '"X" is not a header: Name: value'],
    ['heartbeat_header = Connection: close', 'the header Connection is hostwright’s own'],
    ['heartbeat_header = X:', 'the header X has no value'],
    ['heartbeat_ca = /ca.pem', 'only applies to an https:// heartbeat'],
    ['heartbeat_redirect = yes', '"yes" is neither follow nor refuse'],
    ['heartbeat_interval = 1d', 'not a duration: "1d"; write 500ms, 30s, 5m or 1h'],
    ['heartbeat_timeout = 0', 'must be longer than 0'],
    ['heartbeat_attempts = 0', '"0" is not an integer in 1..100000'],
    ['heartbeat_successes = 31', 'more than heartbeat_attempts (30)'],
  ])('refuses an http heartbeat with %s', (line, fault) => {
    expect(faults(`[product:x]\nheartbeat = http://h/\n${line}`)).toEqual([
      `5 [product:x] ${line.split(' ')[0]}: ${fault}`,
    ])
  })

  test('refuses an archive without home and version, and a validation without %s', () => {
    expect(faults('[product:x]\narchive = a.tar.gz\nvalidate = x -c')).toEqual([
      '4 [product:x] archive: also needs the key home',
      '4 [product:x] archive: also needs the key version',
      '5 [product:x] validate: also needs the key config',
      '5 [product:x] validate: must contain %s, which stands for the file’s name',
    ])
  })

  test('refuses heartbeat_body for a heartbeat without a response body', () => {
    expect(faults('[product:x]\nheartbeat = stack\nheartbeat_body = x')).toEqual([
      '5 [product:x] heartbeat_body: only applies to a heartbeat by HTTP',
    ])
  })

  test.each([
    ['type = integer\ndefault = x', '6 [setting:x:y] default: "x" is not an integer'],
    [
      'type = integer\nallowed = 1..4\ndefault = 5',
      '7 [setting:x:y] default: "5" is not an integer in 1..4',
    ],
    ['type = integer\nallowed = 4..1', '6 [setting:x:y] allowed: the range is empty'],
    ['type = integer\nallowed = ..', '6 [setting:x:y] allowed: a range needs at least one end'],
    [
      'type = integer\nallowed = a..b',
      '6 [setting:x:y] allowed: "a" is not a number; a range is 1..64, 1.. or ..64',
    ],
    ['type = integer\nallowed = 1, b', '6 [setting:x:y] allowed: "b" is not an integer'],
    [
      'type = boolean\nallowed = true',
      '6 [setting:x:y] allowed: settings of type boolean have no allowed values',
    ],
    [
      'type = integer\npattern = x',
      '6 [setting:x:y] pattern: settings of type integer have no pattern',
    ],
    ['key = a=b', '5 [setting:x:y] key: a key of a config file can’t contain =, [ or ]'],
    ['section = [a]', '5 [setting:x:y] section: a section of a config file can’t contain [ or ]'],
    ['key = "a\\nb"', '5 [setting:x:y] key: has a control character'],
  ])('refuses a setting with %j', (lines, fault) => {
    expect(faults(`[product:x]\n[setting:x:y]\n${lines}`)).toEqual([fault])
  })

  test('refuses a pattern that is not a valid regular expression', () => {
    expect(faults('[product:x]\n[setting:x:y]\npattern = (')[0]).toMatch(
      /^5 \[setting:x:y\] pattern: not a regular expression: /,
    )
  })

  test('never shows the value of a secret', () => {
    const [fault] = faults('[product:x]\n[setting:x:y]\ntype = secret\npattern = a\ndefault = hush')
    expect(fault).toBe('7 [setting:x:y] default: the value does not match a')
  })

  test('refuses a secret in a command, a path or an address', () => {
    const text =
      '[product:x]\nconfig = /x\nvalidate = check {pw} %s\nheartbeat = command:ask {pw} {{pw} {name}\n'
    expect(faults(`${text}[setting:x:pw]\ntype = secret\n[setting:x:name]`)).toEqual([
      expect.stringMatching(/^5 \[product:x\] validate: \{pw\} is a secret/),
      expect.stringMatching(/^6 \[product:x\] heartbeat: \{pw\} is a secret/),
    ])
  })

  test('refuses settings of an unknown product, with a reserved name, or that scripts can’t distinguish', () => {
    expect(
      faults(
        '[product:x]\n[setting:other:a]\n[setting:x:home]\n[setting:x:a.b]\n[setting:x:a-b]\n[setting:x:A_B]',
      ),
    ).toEqual([
      "4 [setting:other:a]: unknown product 'other': known: x",
      '5 [setting:x:home]: {home} is reserved; choose another name',
      '7 [setting:x:a-b]: scripts can’t distinguish it from the setting a.b; choose another name',
      '8 [setting:x:A_B]: scripts can’t distinguish it from the setting a.b; choose another name',
      '8 [setting:x:A_B]: scripts can’t distinguish it from the setting a-b; choose another name',
    ])
  })
})

describe('loading', () => {
  let directory: string
  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'catalogue-'))
  })
  afterEach(() => rm(directory, { recursive: true }))

  test('reads bootstrap.ini and looks for its scripts next to it', async () => {
    await writeFile(join(directory, 'bootstrap.ini'), `${server}[product:x]\ntest = scripts/test\n`)
    await expect(loadCatalogue(directory)).rejects.toThrow(
      'bootstrap.ini:4 [product:x] test: there is no file "scripts/test" next to bootstrap.ini',
    )
    await mkdir(join(directory, 'scripts'))
    await expect(loadCatalogue(directory)).rejects.toThrow('there is no file')
    await writeFile(join(directory, 'scripts/test'), 'exit 0\n')
    const { products } = await loadCatalogue(directory)
    expect(products.get('x')!.scripts.test).toBe(join(directory, 'scripts/test'))
  })

  test('says where bootstrap.ini should be if it is missing', async () => {
    await expect(loadCatalogue(directory)).rejects.toMatchObject({
      code: 'bootstrap_ini_invalid',
      message: `there is no ${join(directory, 'bootstrap.ini')}`,
    })
  })
})
