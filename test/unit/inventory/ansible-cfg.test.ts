import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { checkAnsibleCfg } from '../../../lib/inventory/ansible-cfg.ts'
import { parseInventory } from '../../support/inventory.ts'

let above: string
let project: string

beforeEach(async () => {
  above = await mkdtemp(join(tmpdir(), 'hostwright-cfg-'))
  project = join(above, 'project')
  await mkdir(project)
})
afterEach(() => rm(above, { recursive: true }))

async function write(path: string, text: string) {
  const file = join(project, path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, text)
}

const inventories = 'inventories/production'

/** @param hostsIni has `web1`, perhaps with variables */
const check = (hostsIni = 'web1\n', cwd = project, become?: true) => {
  const directory = join(project, inventories)
  const defaults = become && { become }
  const file = join(directory, 'hosts.ini')
  const { hosts } = parseInventory(hostsIni, { file, environment: 'production', defaults })
  return checkAnsibleCfg(hosts, { directories: [directory, cwd], project, cwd })
}

describe('an ansible.cfg that sets how a host is reached is refused', () => {
  test.each<[string, string, number, string]>([
    ['remote_user', '[defaults]\nremote_user = deploy\n', 2, 'ansible_user'],
    ['remote_port', '# x\n[defaults]\r\nremote_port: 2222\r\n', 3, 'ansible_port'],
    ['private_key_file', '[defaults]\nprivate_key_file=~/.ssh/x ; y\n', 2, 'private_key_file'],
    ['transport', '[defaults]\ntransport = local\n', 2, 'ansible_connection'],
    ['become', '[privilege_escalation]\nbecome = True\n', 2, 'ansible_become'],
    ['ssh_args', '[ssh_connection]\nssh_args = -C\n  -o ProxyJump=b\n', 2, 'proxy_jump'],
    ['ssh_common_args', '[ssh_connection]\nssh_common_args=-F ~/x\n', 2, 'ssh_config_file'],
  ])('%s', async (key, text, line, instead) => {
    await write('ansible.cfg', text)
    await expect(check()).rejects.toMatchObject({
      code: 'inventory_invalid',
      exitCode: 2,
      message: expect.stringContaining(`ansible.cfg:${line}: sets ${key}, which decides how web1`),
      details: { hint: expect.stringContaining(instead) },
    })
  })

  test.each<[string, string]>([
    ['become_user', '[privilege_escalation]\nbecome_user = app\n'],
    ['become_method', '[privilege_escalation]\nbecome_method = doas\n'],
  ])('%s, for a host whose login becomes another user', async (key, text) => {
    await write('ansible.cfg', text)
    await expect(check('web1 ansible_become=yes\n')).rejects.toThrow(`sets ${key}`)
    await expect(check('web1\n', project, true)).rejects.toThrow(`sets ${key}`)
    await expect(check('web1\n')).resolves.toContain('not read: ansible.cfg')
  })

  test('beside the inventory, and between it and the project', async () => {
    await write('inventories/ansible.cfg', '[defaults]\nremote_user=x\n')
    await expect(check()).rejects.toThrow('inventories/ansible.cfg:2: sets remote_user')
    await write(`${inventories}/ansible.cfg`, '[defaults]\nremote_user=y\n')
    await expect(check()).rejects.toThrow(`${inventories}/ansible.cfg:2: sets remote_user`)
  })

  test('in the directory that hostwright runs in', async () => {
    await write('deep/ansible.cfg', '[defaults]\nremote_user=x\n')
    await expect(check('web1\n', join(project, 'deep'))).rejects.toThrow('sets remote_user')
    await expect(check()).resolves.toBeUndefined()
  })
})

describe('an ansible.cfg is only named, in one line', () => {
  test('if hosts.ini says the same, or something else: that overrides it for Ansible too', async () => {
    await write(
      'ansible.cfg',
      '[defaults]\nremote_user=deploy\nremote_port=22\nprivate_key_file=k\n[privilege_escalation]\nbecome=yes\nbecome_user=root\n',
    )
    const vars = 'ansible_user=ops ansible_port=2222 ansible_ssh_private_key_file=k2'
    expect(await check(`web1 ${vars} ansible_become=no\n`)).toBe(
      'not read: ansible.cfg, which sets remote_user, private_key_file, become, remote_port, become_user',
    )
  })

  test('if it has nothing about logging in, the settings that people look for first', async () => {
    await write(
      'ansible.cfg',
      '[defaults]\nforks=5\nroles_path=r\nnocows=1\nhost_key_checking = False\ninventory=hosts\ntimeout=3\n[ssh_connection]\nssh_args=-o ControlMaster=auto -o ForwardAgent=yes\n',
    )
    expect(await check()).toBe(
      'not read: ansible.cfg, which sets inventory, host_key_checking, forks, roles_path, nocows and 2 more',
    )
  })

  test('if it is above the project: Ansible would not read it there', async () => {
    await writeFile(join(above, 'ansible.cfg'), '[defaults]\nremote_user=x\n')
    expect(await check()).toBe(`not read: ../ansible.cfg, which sets remote_user`)
  })

  test('for a host of another connection', async () => {
    await write('ansible.cfg', '[defaults]\nremote_user=x\nprivate_key_file=k\n')
    expect(await check('web1 ansible_connection=local\n')).toContain('not read: ansible.cfg')
  })

  test.each(['', '# nothing\n[defaults]\n;remote_user=x\n', '[defaults]\nremote_user =\n'])(
    'and not even that if it sets nothing: %j',
    async text => {
      await write('ansible.cfg', text)
      expect(await check()).toBeUndefined()
    },
  )
})
