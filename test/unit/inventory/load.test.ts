import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { isBootstrapError, type UsageError } from '../../../lib/errors.ts'
import { createDraft } from '../../../lib/inventory/draft.ts'
import { type LoadOptions, loadInventory } from '../../../lib/inventory/load.ts'
import { selectHosts } from '../../../lib/inventory/pattern.ts'
import { readScript } from '../../../lib/inventory/readers/script.ts'

let project: string

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'hostwright-inventory-'))
  vi.stubEnv('HOSTWRIGHT_INVENTORY', undefined)
})

afterEach(async () => {
  vi.unstubAllEnvs()
  await rm(project, { recursive: true })
})

async function write(path: string, content: string | Buffer): Promise<void> {
  await mkdir(dirname(join(project, path)), { recursive: true })
  await writeFile(join(project, path), content)
}

const load = (options: Partial<LoadOptions> = {}) => {
  const has = existsSync(join(project, 'inventories'))
  return loadInventory({ cwd: project, project: has ? project : undefined, ...options })
}

const hostNames = async (options?: Partial<LoadOptions>) =>
  (await load(options)).hosts.map(host => host.name)

const refusalOf = (options?: Partial<LoadOptions>): Promise<UsageError> =>
  load(options).then(
    () => Promise.reject(new Error('it was accepted')),
    error => (isBootstrapError(error) ? error : Promise.reject(error)),
  )

it('finds an environment by name, also from a folder below the project', async () => {
  await write('inventories/production/hosts.ini', 'prod1\n')
  await write('inventories/staging/hosts.ini', 'stage1\n')
  await write('deep/er/file', '')
  const cwd = join(project, 'deep/er')
  expect(await load({ cwd, inventory: 'production' })).toMatchObject({
    environment: 'production',
    file: join(project, 'inventories/production/hosts.ini'),
    directory: join(project, 'inventories/production'),
    hosts: [{ name: 'prod1' }],
  })
})

it('accepts the path of a file or a directory', async () => {
  await write('elsewhere/eu/hosts.ini', 'a\n')
  await write('hosts.ini', 'b\n')
  expect(await load({ inventory: './elsewhere/eu' })).toMatchObject({ environment: 'eu' })
  expect(await hostNames({ inventory: 'elsewhere/eu/hosts.ini' })).toEqual(['a'])
  expect(await hostNames({ inventory: 'hosts.ini' })).toEqual(['b'])
  expect(await hostNames({ inventory: project })).toEqual(['b'])
})

it('prefers an environment to a directory of the same name', async () => {
  await write('production/notes', '')
  await write('inventories/production/hosts.ini', 'prod1\n')
  expect(await hostNames({ inventory: 'production' })).toEqual(['prod1'])
})

it('uses the only environment if none is named', async () => {
  await write('inventories/production/hosts.ini', 'prod1\n')
  await write('inventories/draft/notes', '')
  expect(await hostNames()).toEqual(['prod1'])
})

it('lists the environments if none of several is named', async () => {
  await write('inventories/staging/hosts.ini', '')
  await write('inventories/production/hosts.ini', '')
  const error = await refusalOf()
  expect(error).toMatchObject({
    code: 'usage',
    message: 'which inventory? There are production, staging',
  })
  expect(error.details.hint).toMatch(/-i production/)
})

it('uses HOSTWRIGHT_INVENTORY, unless -i is set', async () => {
  await write('inventories/staging/hosts.ini', 'stage1')
  await write('inventories/production/hosts.ini', 'prod1')
  vi.stubEnv('HOSTWRIGHT_INVENTORY', 'staging')
  expect(await hostNames()).toEqual(['stage1'])
  expect(await hostNames({ inventory: 'production' })).toEqual(['prod1'])
})

it('refuses an unknown environment and names the nearest', async () => {
  await write('inventories/production/hosts.ini', '')
  expect(await refusalOf({ inventory: 'prodution' })).toMatchObject({
    code: 'unknown_name',
    message: "unknown environment 'prodution': did you mean production?",
  })
})

it('refuses a path that does not exist', async () => {
  expect(await refusalOf({ inventory: './nowhere/hosts.ini' })).toMatchObject({
    code: 'usage',
    message: 'there is no inventory nowhere/hosts.ini',
  })
})

it('finds the lab’s inventory unless the project has its own', async () => {
  const labDirectory = join(project, 'state/lab')
  expect(await refusalOf({ inventory: 'lab', labDirectory })).toMatchObject({
    message: 'no lab is running',
  })
  await write('state/lab/hosts.ini', 'lab1\n')
  expect(await load({ inventory: 'lab', labDirectory })).toMatchObject({
    environment: 'lab',
    hosts: [{ name: 'lab1' }],
  })
  await write('inventories/lab/hosts.ini', 'own\n')
  expect(await hostNames({ inventory: 'lab', labDirectory })).toEqual(['own'])
})

it('needs an inventory for anything but localhost', async () => {
  await write('inventories/empty', '').catch(() => {})
  expect(await refusalOf()).toMatchObject({ code: 'usage' })
  expect(await refusalOf({ pattern: 'localhost:web' })).toMatchObject({ code: 'usage' })
  const inventory = await load({ pattern: 'localhost' })
  expect(selectHosts(inventory, 'localhost')).toMatchObject([{ connection: 'local' }])
})

it('names a malformed file by its path relative to the current directory', async () => {
  await write('inventories/p/hosts.ini', 'a\n[web\n')
  expect((await refusalOf()).message).toMatch(
    /^inventories[/\\]p[/\\]hosts\.ini:2: \[web is not a section$/,
  )
})

it('expands ~ and applies overrides', async () => {
  await write('inventories/p/hosts.ini', 'a private_key_file=~/.ssh/key\n')
  expect((await load({ overrides: { user: 'ops' } })).hosts).toMatchObject([
    { user: 'ops', privateKeyFile: join(homedir(), '.ssh/key') },
  ])
})

it('accepts invalid UTF-8 only in comments', async () => {
  await write('inventories/p/hosts.ini', Buffer.from('# caf\xe9\na\n', 'latin1'))
  expect(await hostNames()).toEqual(['a'])
  await write('inventories/p/hosts.ini', Buffer.from('# caf\xe9\na x=caf\xe9\n', 'latin1'))
  expect((await refusalOf()).message).toMatch(/hosts\.ini:2: not valid UTF-8$/)
})

it.each([
  [
    'aws_ec2.yml',
    'plugin: amazon.aws.aws_ec2\n',
    'aws_ec2.yml is the configuration of the plugin amazon.aws.aws_ec2, which is not supported',
  ],
  ['ec2.py', '#!/bin/sh\necho {}\n', 'ec2.py: this is a program, but may not be run'],
  ['hosts.yml', '---\n', 'hosts.yml: this inventory is empty'],
  ['hosts.yml', 'web:\n  hosts: [a]\n', 'hosts.yml:2: hosts of web must be a mapping, not a list'],
  ['hosts.yml', 'web:\n  hosts:\n    10:\n', 'hosts.yml:3: a host’s name must be text: 10'],
  ['hosts.yml', 'web: &a\n  x: [\n', 'hosts.yml:3: not valid YAML:'],
  ['hosts', '---\nall: {hosts: {a: [1}}\n', 'hosts:2: not valid YAML:'],
  ['hosts.json', '[]', 'hosts.json: groups are expected here, not a list'],
])('refuses %s with %j', async (name, text, message) => {
  await write(name, text)
  const error = await refusalOf({ inventory: `./${name}` })
  expect([error.code, error.message]).toEqual([
    'inventory_invalid',
    expect.stringContaining(message),
  ])
})

it('asks for a vault’s password only if there is a vault', async () => {
  await write('hosts', '$ANSIBLE_VAULT;1.1;AES256\n3131\n')
  const error = await refusalOf({ inventory: './hosts' })
  expect([error.code, error.message]).toEqual([
    'vault_failed',
    expect.stringContaining('hosts: is encrypted'),
  ])
  await write('hosts.ini', 'a x=1\n')
  const vaultPasswords = () => Promise.reject(new Error('asked'))
  expect(await hostNames({ inventory: './hosts.ini', vaultPasswords })).toEqual(['a'])
  await expect(load({ inventory: './hosts', vaultPasswords })).rejects.toThrow('asked')
})

it.each([
  ['hosts.yml', 'all:\n  hosts:\n    web1:\n'],
  ['hosts', '---\nall: {hosts: {web1: }}\n'],
  ['hosts', '# ours\nweb:\n  hosts: web1\n'],
  ['hosts', '[web]\nweb1\n'],
  ['production', 'web1\n'],
  ['hosts.json', '{"all": {"hosts": {"web1": {}}}}'],
  ['hosts.cfg', 'web1'],
])('reads %s with %j', async (name, text) => {
  await write(name, text)
  expect(await hostNames({ inventory: `./${name}` })).toEqual(['web1'])
})

it('names the inventory of a directory that is not read from there', async () => {
  await write('elsewhere/inventory.ini', 'a\n')
  const error = await refusalOf({ inventory: './elsewhere' })
  expect(error.message).toBe('./elsewhere has no inventory')
  expect(error.details.hint).toContain('-i elsewhere/inventory.ini')
})

describe('several inventories', () => {
  it('of a directory are read in Ansible’s order, without those of ignored endings', async () => {
    await write('all/02-more', 'b x=2\n[web]\nb\n')
    await write('all/01-first.yml', 'web: {hosts: {a: {x: 1}}}\n')
    await write('all/deep/10', 'c\n')
    for (const name of ['a~', 'a.bak', 'a.orig', 'a.ini', 'a.cfg', 'a.retry', 'a.md', '.a'])
      await write(`all/${name}`, 'never\n')
    await write('all/group_vars/web.yml', 'y: 1\n')
    const { hosts } = await load({ inventory: './all' })
    expect(hosts.map(({ name, vars }) => [name, vars.maybe('x'), vars.maybe('y')])).toEqual([
      ['a', 1, 1],
      ['b', 2, 1],
      ['c', undefined, undefined],
    ])
  })

  it('beside a hosts.ini are read if they look like inventories', async () => {
    await write('inventories/p/hosts.ini', 'web1\n')
    await write('inventories/p/more.yml', 'web:\n  hosts:\n    web2:\n')
    await write('inventories/p/values.yml', 'port: 80\nhosts:\n- a\n')
    await write('inventories/p/lib.py', 'x = 1\n')
    await write('inventories/p/known_hosts', 'web1 ssh-ed25519 AAAA\n')
    expect(await hostNames()).toEqual(['web1', 'web2'])
  })

  it('are given by several -i, and as a list', async () => {
    await write('one/hosts.yml', 'web: {hosts: {a: }, vars: {x: one}}\n')
    await write('two.ini', '[web:vars]\nx=two\n')
    const { hosts, environment } = await load({ inventory: ['./one', 'two.ini', 'b:2222,c,'] })
    expect(hosts.map(({ name, port }) => [name, port])).toEqual([
      ['a', undefined],
      ['b', 2222],
      ['c', undefined],
    ])
    expect([hosts[0]!.vars.x, environment]).toEqual(['two', 'one'])
    expect(await hostNames({ inventory: '192.0.2.1,' })).toEqual(['192.0.2.1'])
  })
})

describe('an executable inventory', () => {
  const script = async (body: string) => {
    await write('ec2.sh', `#!/bin/sh\n${body}\n`)
    await chmod(join(project, 'ec2.sh'), 0o755)
  }

  it('is asked for its list, and for each host if that has no variables', async () => {
    await script(
      'case $1 in --list) echo \'{"web": ["a", "b"], "all": {"children": ["web"], "vars": {"y": [1]}}, "lone": {"z": 1}}\';; *) echo "{\\"x\\": \\"$2\\"}";; esac',
    )
    const { hosts, groups } = await load({ inventory: './ec2.sh' })
    expect(hosts.map(({ name, vars }) => [name, { ...vars }])).toEqual([
      ['a', { y: [1], x: 'a' }],
      ['b', { y: [1], x: 'b' }],
      ['lone', { y: [1], z: 1, x: 'lone' }],
    ])
    expect(groups.get('web')).toEqual(['a', 'b'])
  })

  it('is asked once if its list has the variables', async () => {
    await script(
      '[ $1 = --list ] && echo \'{"web": {"hosts": ["a"]}, "_meta": {"hostvars": {"a": {"x": 1}}}}\'',
    )
    const { hosts } = await load({ inventory: './ec2.sh' })
    expect(hosts[0]!.vars).toEqual({ x: 1 })
  })

  it.each([
    ['echo sorry >&2; exit 3', 'ec2.sh --list: ended with 3: sorry'],
    ['echo no', 'ec2.sh --list: prints no JSON'],
    ['echo []', 'ec2.sh: --list must print a mapping, not a list'],
    [`echo '{"web": 1}'`, 'the group web must be a list or a mapping, not a number'],
  ])('that does %j is refused', async (body, message) => {
    await script(body)
    expect((await refusalOf({ inventory: './ec2.sh' })).message).toContain(message)
  })

  it('that gives no answer is ended', async () => {
    await script('sleep 600 & wait')
    const source = { path: join(project, 'ec2.sh'), shownAs: 'ec2.sh', timeoutMs: 200 }
    await expect(readScript(createDraft(), source)).rejects.toThrow(
      'ec2.sh --list: no answer within 0.2 s',
    )
  })
})

it('says that no lab is running where the project’s inventories/lab has no hosts yet', async () => {
  await write('inventories/lab/.gitignore', '')
  const labDirectory = join(project, 'inventories/lab')
  for (const inventory of ['lab', 'inventories/lab'])
    expect((await refusalOf({ inventory, labDirectory })).message).toBe('no lab is running')
  await write('inventories/lab/hosts.ini', 'lab1\n')
  for (const inventory of ['lab', 'inventories/lab'])
    expect(await hostNames({ inventory, labDirectory })).toEqual(['lab1'])
})
