import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { loadInventory } from '../../../lib/inventory/load.ts'
import { refuseUnsupported, selectHosts } from '../../../lib/inventory/pattern.ts'

let project: string

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'hostwright-variables-'))
  await write(`${beside}hosts.ini`, 'lone\n[web]\nweb1\nweb2.example.com\n[eu:children]\nweb\n')
})
afterEach(() => rm(project, { recursive: true }))

async function write(path: string, text: string) {
  const file = join(project, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}

const beside = 'inventories/production/'

const load = () => loadInventory({ cwd: project, project, inventory: 'production' })

/** The hosts, as a command that selects them gets them. */
async function select(pattern: string) {
  const inventory = await load()
  const hosts = selectHosts(inventory, pattern)
  refuseUnsupported(inventory, hosts)
  return hosts
}

describe('a file of variables says how a host is reached', () => {
  test.each<[string, string, object]>([
    ['host_vars/web1.yml', 'a: 1\nansible_host: 192.0.2.9\n', { address: '192.0.2.9' }],
    ['host_vars/web1', '---\nansible_user: admin\n', { user: 'admin' }],
    ['host_vars/web1.json', '{\n "ansible_port": 2222 }', { port: 2222 }],
    ['host_vars/web1/main.yaml', 'ansible_connection: local\n', { connection: 'local' }],
    ['host_vars/web1.yaml', 'x: &x\n  ansible_host: b\n<<: *x\n', { address: 'b' }],
    ['host_vars/web1.yaml', 'x: &x {ansible_host: b}\n<<: [*x]\n', { address: 'b' }],
    ['host_vars/web1/deep/x', '"ansible_user": app\n', { user: 'app' }],
    ['group_vars/eu.yml', 'ansible_port: "022"\n', { port: 22 }],
    ['group_vars/all.yml', 'ansible_become: on\n', { become: { user: 'root' } }],
    ['group_vars/all/conn.yml', 'proxy_jump: bastion\n', { proxyJump: 'bastion' }],
    ['group_vars/all', '{ansible_ssh_private_key_file: /k}', { privateKeyFile: '/k' }],
  ])('%s', async (path, text, settings) => {
    await write(beside + path, text)
    expect(await select('web1')).toMatchObject([settings])
  })

  test('beside the project too, and for a host whose name has dots', async () => {
    await write('host_vars/web2.example.com.yml', 'ansible_host: 192.0.2.9\n')
    expect(await select('web2*')).toMatchObject([{ address: '192.0.2.9' }])
  })

  test('for a host in no group', async () => {
    await write(`${beside}group_vars/ungrouped.yml`, 'ansible_user: x\n')
    expect(await select('lone:web1')).toMatchObject([{ user: 'x' }, { user: undefined }])
  })

  test('wrongly, with its file and line', async () => {
    await write(`${beside}group_vars/web.yml`, '\nansible_port: x\n')
    await expect(select('web1')).rejects.toThrow(
      `${beside}group_vars/web.yml:2: ansible_port of web1 is not a port: 'x'`,
    )
    expect(await select('lone')).toHaveLength(1)
  })
})

test('files are weaker than those of nearer groups, of the host, and beside the project', async () => {
  await write(`${beside}group_vars/all.yml`, 'a: all\nb: all\nc: all\nd: all\ne: [1]\n')
  await write(`${beside}group_vars/eu.yml`, 'b: eu\nc: eu\nd: eu\ne: {x: 1}\n')
  await write(`${beside}group_vars/web.yml`, 'c: web\nd: web\ne: {y: no}\n')
  await write(`${beside}host_vars/web1.yml`, 'd: host\n')
  await write('group_vars/all.yml', 'a: project\nc: project\n')
  const [web1] = await select('web1')
  expect(web1!.vars).toEqual({ a: 'project', b: 'eu', c: 'web', d: 'host', e: { y: false } })
})

describe('a file of variables is passed over', () => {
  test.each([
    ['of other hosts and groups', 'host_vars/lone.yml'],
    ['that Ansible does not read', 'host_vars/web1/notes.md'],
    ['that an editor left', 'host_vars/web1/main.yml~'],
    ['that is hidden', 'host_vars/web1/.main.yml'],
    ['in a directory with an ending', 'host_vars/web1/old.d/main.yml'],
    ['of a name that only begins like the host’s', 'host_vars/web1x.yml'],
  ])('%s', async (_, path) => {
    await write(beside + path, 'ansible_host: 192.0.2.9\n')
    expect(await select('web1')).toMatchObject([{ address: 'web1', vars: {} }])
  })

  test('beside a directory of the same name', async () => {
    await write(`${beside}group_vars/web/main.yml`, 'x: 1\n')
    await write(`${beside}group_vars/web.yml`, 'y: 1\n')
    expect((await select('web1'))[0]!.vars).toEqual({ x: 1 })
  })
})

describe('a file of variables is refused', () => {
  test.each([
    ['- a\n', ':1: variables are expected, not a list'],
    ['a: b: c\n', ':1: not valid YAML: Nested mappings are not allowed in compact mappings'],
    ['a: !foo 1\n', ':1: the tag !foo is not known'],
    ['a: *b\n', ':1: no such anchor'],
    ['$ANSIBLE_VAULT;1.1;AES256\n3131\n', ': is encrypted'],
  ])('with %j, once a host of it is asked for', async (text, message) => {
    await write(`${beside}host_vars/web1.yml`, text)
    expect(await select('lone')).toHaveLength(1)
    await expect(select('web1')).rejects.toThrow(`${beside}host_vars/web1.yml${message}`)
  })

  test('if it can’t be read, as it may say where a host is', async () => {
    await write(`${beside}host_vars/web2`, '')
    // Also for root, who may read all other files.
    await symlink('/proc/self/mem', join(project, beside, 'host_vars/web1'))
    await expect(load()).rejects.toMatchObject({
      code: 'inventory_invalid',
      message: `${beside}host_vars/web1: can’t be read (EIO)`,
    })
  })
})

test('links that lead back to their directory are followed once', async () => {
  await write(`${beside}group_vars/web/a.yml`, 'port: 1\n')
  for (const name of ['x', 'y', 'z'])
    await symlink('.', join(project, beside, 'group_vars/web', name))
  expect((await select('web1'))[0]!.vars).toEqual({ port: 1 })
})

test('of a key that is there twice the last counts, with a warning', async () => {
  await write(`${beside}group_vars/web.yml`, 'a: 1\nb: 2\na: 3\n')
  const inventory = await load()
  expect(inventory.hosts[1]!.vars).toEqual({ a: 3, b: 2 })
  expect(inventory.warnings).toEqual([
    `${beside}group_vars/web.yml:3: the key a is there twice: the last one counts`,
  ])
})
