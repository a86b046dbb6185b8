import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { isBootstrapError, type UsageError } from '../../../lib/errors.ts'
import { type LoadOptions, loadInventory } from '../../../lib/inventory/load.ts'
import { selectHosts } from '../../../lib/inventory/pattern.ts'

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
  ['hosts.yml', 'all:\n  hosts:\n    web1:\n', 'a YAML inventory'],
  ['hosts.yaml', '---\n', 'a YAML inventory'],
  ['hosts', '---\nall: {hosts: {a: }}\n', 'a YAML inventory'],
  ['hosts', '# ours\nweb:\n  hosts:\n', 'a YAML inventory'],
  ['hosts.json', '[]', 'a JSON inventory'],
  ['hosts', '{ "all": {} }', 'a JSON inventory'],
  ['ec2.py', '#!/usr/bin/env python3\nimport json\n', 'an executable inventory'],
  ['hosts.ini', '#!/bin/sh\necho {}\n', 'an executable inventory'],
  [
    'aws_ec2.yml',
    'plugin: amazon.aws.aws_ec2\n',
    'the configuration of the plugin amazon.aws.aws_ec2',
  ],
  ['hosts', '$ANSIBLE_VAULT;1.1;AES256\n', 'an encrypted inventory'],
])('names %s with %j as what it is', async (name, text, kind) => {
  await write(name, text)
  const error = await refusalOf({ inventory: `./${name}` })
  expect([error.code, error.message]).toEqual([
    'inventory_invalid',
    `${name} is ${kind}, which is not read yet`,
  ])
})

it.each([
  ['inventories/production/hosts.yml', 'production'],
  ['inventories/production/inventory', 'production'],
  ['elsewhere/01-static', './elsewhere'],
])('names the inventories of a directory without hosts.ini: %s', async (path, inventory) => {
  await write('inventories/other/hosts.ini', 'a\n')
  await write(path, 'all:\n')
  const error = await refusalOf({ inventory })
  const name = path.split('/').at(-1)
  expect(error.message).toBe(`${inventory} has no hosts.ini, but ${name}`)
})

it.each(['web1,', 'web1,web2', '192.0.2.1,192.0.2.2,'])(
  'names -i %s as a list of hosts',
  async inventory => {
    const error = await refusalOf({ inventory })
    expect([error.code, error.message]).toEqual([
      'usage',
      `-i ${inventory} is a list of hosts, which is not read yet`,
    ])
  },
)

it('says that no lab is running where the project’s inventories/lab has no hosts yet', async () => {
  await write('inventories/lab/.gitignore', '')
  const labDirectory = join(project, 'inventories/lab')
  for (const inventory of ['lab', 'inventories/lab'])
    expect((await refusalOf({ inventory, labDirectory })).message).toBe('no lab is running')
  await write('inventories/lab/hosts.ini', 'lab1\n')
  for (const inventory of ['lab', 'inventories/lab'])
    expect(await hostNames({ inventory, labDirectory })).toEqual(['lab1'])
})
