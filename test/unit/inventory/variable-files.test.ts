import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkVariableFiles } from '../../../lib/inventory/variable-files.ts'
import { parseInventory } from '../../support/inventory.ts'

let project: string

beforeEach(async () => {
  project = await mkdtemp(join(tmpdir(), 'hostwright-variables-'))
})
afterEach(() => rm(project, { recursive: true }))

async function write(path: string, text: string) {
  const file = join(project, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}

const hostsIni = 'lone\n[web]\nweb1\nweb2.example.com\n[eu:children]\nweb\n'

const check = (wanted: readonly string[], text = hostsIni) => {
  const directory = join(project, 'inventories/production')
  const file = join(directory, 'hosts.ini')
  const { hosts } = parseInventory(text, { file, environment: 'production' })
  const chosen = hosts.filter(({ name }) => wanted.includes(name))
  return checkVariableFiles(chosen, { directories: [directory, project], cwd: project })
}

const beside = 'inventories/production/'

describe('a file of variables that sets how a host is reached is refused', () => {
  test.each<[string, string, string, number]>([
    ['host_vars/web1.yml', 'a: 1\nansible_host: 192.0.2.9\n', 'ansible_host of web1', 2],
    ['host_vars/web1', '---\nansible_user: admin\n', 'ansible_user of web1', 2],
    ['host_vars/web1.json', '{\n "ansible_port": 2222 }', 'ansible_port of web1', 2],
    ['host_vars/web1/main.yaml', 'ansible_connection: local\n', 'ansible_connection of web1', 1],
    ['host_vars/web1.yaml', 'x: &x\n  ansible_host: b\n<<: *x\n', 'ansible_host of web1', 2],
    ['host_vars/web1.yaml', 'x: &x {ansible_host: b}\n<<: [*x]\n', 'ansible_host of web1', 1],
    ['host_vars/web1/deep/x', '"ansible_become_user": app\n', 'ansible_become_user of web1', 1],
    ['group_vars/web.yml', 'ansible_password: !vault |\n  x\n', 'ansible_password of web1', 1],
    ['group_vars/eu.yml', 'ansible_ssh_common_args: -J b\n', 'ansible_ssh_common_args of web1', 1],
    ['group_vars/all.yml', 'ansible_become: true\n', 'ansible_become of web1', 1],
    ['group_vars/all/conn.yml', 'proxy_jump: bastion\n', 'proxy_jump of web1', 1],
    ['group_vars/all', '{ansible_ssh_private_key_file: ~/k}', 'ansible_ssh_private_key_file', 1],
  ])('%s', async (path, text, what, line) => {
    await write(beside + path, text)
    await expect(check(['web1'])).rejects.toMatchObject({
      code: 'inventory_invalid',
      message: expect.stringContaining(`${beside}${path}:${line}: sets ${what}`),
    })
  })

  test('beside the project too, and for a host whose name has dots', async () => {
    await write('host_vars/web2.example.com.yml', 'ansible_host: 192.0.2.9\n')
    await expect(check(['web2.example.com'])).rejects.toThrow('sets ansible_host of web2')
  })

  test('for a host in no group', async () => {
    await write(`${beside}group_vars/ungrouped.yml`, 'ansible_user: x\n')
    await expect(check(['lone'])).rejects.toThrow('sets ansible_user of lone')
    await expect(check(['web1'])).resolves.toBeUndefined()
  })
})

describe('a file of variables is only named', () => {
  test('if it has other variables, or the value that hosts.ini has', async () => {
    await write(`${beside}group_vars/web.yml`, 'port: 8080\nansible_user: ops\n')
    const text = `${hostsIni}[all:vars]\nansible_user=ops\n`
    expect(await check(['web1'], text)).toBe(
      `not read: ${beside}group_vars/web.yml; hostwright knows only the variables in hosts.ini`,
    )
  })

  test('if hosts.ini says where the password comes from', async () => {
    await write(`${beside}group_vars/web.yml`, 'ansible_password: !vault |\n  x\n')
    const text = `${hostsIni}[all:vars]\nssh_password_from="env X"\n`
    expect(await check(['web1'], text)).toContain('not read: ')
  })

  test('if it is encrypted, with that', async () => {
    await write(`${beside}group_vars/all/vault.yml`, '$ANSIBLE_VAULT;1.1;AES256\n3131\n')
    expect(await check(['web1'])).toContain(
      'group_vars/all/vault.yml (encrypted: it may set how hosts are reached)',
    )
  })

  test('together with the first of several', async () => {
    for (const name of ['a', 'b', 'c', 'd', 'e']) await write(`host_vars/web1/${name}.yml`, 'x: 1')
    expect(await check(['web1'])).toContain('host_vars/web1/c.yml and 2 more')
  })
})

describe('a file of variables is passed over', () => {
  test.each([
    ['of other hosts and groups', 'host_vars/lone.yml'],
    ['that Ansible does not read', 'host_vars/web1/notes.md'],
    ['that an editor left', 'host_vars/web1/main.yml~'],
    ['that is hidden', 'host_vars/web1/.main.yml'],
    ['of a name that only begins like the host’s', 'host_vars/web1x.yml'],
  ])('%s', async (_, path) => {
    await write(beside + path, 'ansible_host: 192.0.2.9\n')
    expect(await check(['web1'])).toBeUndefined()
  })
})

test('links that lead back to their directory are followed once', async () => {
  await write(`${beside}group_vars/web/a.yml`, 'port: 1\n')
  for (const name of ['x', 'y', 'z']) {
    await symlink('.', join(project, beside, 'group_vars/web', name))
  }
  expect(await check(['web1'])).toMatch(/^not read: [^,]*a\.yml; /)
})

test('a file that can’t be read is refused, as it may say where a host is', async () => {
  await write(`${beside}host_vars/web2`, '')
  // Also for root, who may read all other files.
  await symlink('/proc/self/mem', join(project, beside, 'host_vars/web1'))
  await expect(check(['web1'])).rejects.toMatchObject({
    code: 'inventory_invalid',
    message: `${beside}host_vars/web1: can’t be read (EIO)`,
  })
})
