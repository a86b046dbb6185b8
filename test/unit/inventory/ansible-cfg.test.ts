import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { homedir, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { readAnsibleCfg } from '../../../lib/inventory/ansible-cfg.ts'
import { loadInventory } from '../../../lib/inventory/load.ts'
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

const read = (cwd = project, env: Record<string, string> = {}) =>
  readAnsibleCfg({ cwd, project, env })

/** The first host of a hosts.ini, as this ansible.cfg has it. */
async function hostOf(hostsIni: string, become?: true) {
  const cfg = await read()
  const defaults = { configured: cfg?.defaults, become }
  const file = join(project, 'inventories/production/hosts.ini')
  return parseInventory(hostsIni, { file, environment: 'production', defaults }).hosts[0]!
}

describe('of ansible.cfg a host has, unless the inventory says otherwise,', () => {
  test('the user, the port and the key', async () => {
    await write(
      'ansible.cfg',
      '[defaults]\nremote_user = deploy\r\nremote_port: 2222\nprivate_key_file=keys/x ; y\n',
    )
    expect(await hostOf('web1\n')).toMatchObject({
      user: 'deploy',
      port: 2222,
      privateKeyFile: join(project, 'keys/x'),
    })
    expect(await hostOf('web1 ansible_user=ops ansible_port=22\n')).toMatchObject({
      user: 'ops',
      port: 22,
    })
  })

  test('a key in the home directory', async () => {
    await write('ansible.cfg', '[defaults]\nprivate_key_file = ~/.ssh/x\n')
    expect((await hostOf('web1\n')).privateKeyFile).toBe(join(homedir(), '.ssh/x'))
  })

  test('that its login becomes another user, and how', async () => {
    await write(
      'ansible.cfg',
      '[privilege_escalation]\nbecome = True\nbecome_user = app\nbecome_method = doas\n',
    )
    expect((await hostOf('web1\n')).become).toMatchObject({ user: 'app', method: 'doas' })
    expect((await hostOf('web1 ansible_become=no\n')).become).toBeUndefined()
    expect((await hostOf('web1 ansible_become_user=ops\n')).become).toMatchObject({ user: 'ops' })
  })

  test('whom to become, where --become says that', async () => {
    await write('ansible.cfg', '[privilege_escalation]\nbecome_user = app\n')
    expect((await hostOf('web1\n')).become).toBeUndefined()
    expect((await hostOf('web1\n', true)).become).toMatchObject({ user: 'app' })
  })

  test('the connection', async () => {
    await write('ansible.cfg', '[defaults]\ntransport = local\n')
    expect((await hostOf('web1\n')).connection).toBe('local')
  })

  test('no variable: recipes do not see it', async () => {
    await write('ansible.cfg', '[defaults]\nremote_user = deploy\n')
    expect((await hostOf('web1\n')).vars.maybe('ansible_user')).toBeUndefined()
  })
})

test('a value that can’t be is an error with the line of ansible.cfg', async () => {
  await write('ansible.cfg', '# x\n[defaults]\nremote_port = ssh\n')
  await expect(async () => (await hostOf('web1\n')).port).rejects.toThrow('ansible.cfg:3: ')
})

test('the inventories that it names are read if no other is named, from its own directory', async () => {
  await write('ansible.cfg', '[defaults]\ninventory = inv/a.ini, inv/b.ini\n')
  await write('inv/a.ini', 'a1\n')
  await write('inv/b.ini', 'b1\n')
  await write('inventories/production/hosts.ini', 'p1\n')
  await mkdir(join(project, 'deep'))
  const cwd = join(project, 'deep')
  const configured = (await read(cwd))?.inventory
  const names = async (inventory?: string) =>
    (await loadInventory({ cwd, project, configured, inventory })).hosts.map(({ name }) => name)
  expect(await names()).toEqual(['a1', 'b1'])
  expect(await names('production')).toEqual(['p1'])
})

test('the vault’s password comes from where it says', async () => {
  await write('ansible.cfg', '[defaults]\nvault_password_file = .vault\n')
  expect((await read())?.vault).toEqual({
    directory: project,
    passwordFile: '.vault',
    identityList: undefined,
  })
})

describe('which ansible.cfg counts:', () => {
  test('the nearest, from the current directory up to the project', async () => {
    await writeFile(join(above, 'ansible.cfg'), '[defaults]\nremote_user=above\n')
    expect(await read()).toBeUndefined()
    await write('ansible.cfg', '[defaults]\nremote_user=project\n')
    await write('deep/ansible.cfg', '[defaults]\nremote_user=deep\n')
    const user = async (cwd?: string) => (await read(cwd))?.defaults.get('ansible_user')?.value
    expect(await user()).toBe('project')
    expect(await user(join(project, 'deep'))).toBe('deep')
  })

  test('that of ANSIBLE_CONFIG before any other, also as a directory', async () => {
    await write('ansible.cfg', '[defaults]\nremote_user=project\n')
    await write('other/ansible.cfg', '[defaults]\nremote_user=other\n')
    for (const ANSIBLE_CONFIG of ['other', join(project, 'other/ansible.cfg')]) {
      const cfg = await read(project, { ANSIBLE_CONFIG })
      expect(cfg?.defaults.get('ansible_user')?.value).toBe('other')
    }
  })

  test('none in a directory that anybody can write to', async () => {
    await write('ansible.cfg', '[defaults]\nremote_user=somebody\n')
    await chmod(project, 0o777)
    const cfg = await read()
    expect(cfg?.defaults.size).toBe(0)
    expect(cfg?.note).toBe('not read: ansible.cfg, as anybody can write to its directory')
  })
})

describe('arguments of ssh that choose the machine or the user', () => {
  const hosts = (text: string) =>
    parseInventory(text, { file: '/x/hosts.ini', environment: 'x' }).hosts

  test.each([
    ['ssh_args', '[ssh_connection]\nssh_args = -C\n  -o ProxyJump=b\n'],
    ['ssh_common_args', '[ssh_connection]\nssh_common_args=-F ~/x\n'],
  ])('in %s are refused, where the inventory says nothing', async (key, text) => {
    await write('ansible.cfg', text)
    const cfg = (await read())!
    expect(() => cfg.refuseDeciding(hosts('web1\n'))).toThrow(
      `ansible.cfg:2: sets ${key}, which decides how web1 is reached`,
    )
    cfg.refuseDeciding(hosts('web1 proxy_jump=b\n'))
    cfg.refuseDeciding(hosts('web1 ansible_connection=local\n'))
  })

  test('but no others', async () => {
    await write(
      'ansible.cfg',
      '[ssh_connection]\nssh_args=-o ControlMaster=auto -o ForwardAgent=yes\n',
    )
    ;(await read())!.refuseDeciding(hosts('web1\n'))
  })
})

describe('one line says', () => {
  test('what is taken, what is not, and that keys are checked anyway', async () => {
    await write(
      'ansible.cfg',
      '[defaults]\nforks=5\nroles_path=r\nnocows=1\nhost_key_checking = False\ninventory=hosts\nremote_user=x\ntimeout=3\n',
    )
    expect((await read())?.note).toBe(
      'ansible.cfg: takes inventory, remote_user; not read: host_key_checking (keys are always checked), forks, roles_path, nocows and 1 more',
    )
  })

  test.each(['', '# nothing\n[defaults]\n;remote_user=x\n', '[defaults]\nremote_user =\n'])(
    'nothing of one that sets nothing: %j',
    async text => {
      await write('ansible.cfg', text)
      expect((await read())?.note).toBeUndefined()
    },
  )
})
