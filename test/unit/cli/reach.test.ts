import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { OptionValues } from '../../../lib/cli/options/option.ts'
import { prepareReach, readReach } from '../../../lib/cli/reach.ts'
import { parseInventory } from '../../support/inventory.ts'
import { temporaryDirectory } from '../../support/shells.ts'

describe('options', () => {
  test('that are invalid are refused before anything is asked', async () => {
    const cwd = await temporaryDirectory()
    const refused = (options: OptionValues) => () => readReach(options, { cwd })
    const invalid = expect.objectContaining({ code: 'invalid_value' })
    expect(refused({ transport: 'telnet' })).toThrow(invalid)
    expect(refused({ sshConfig: 'nowhere' })).toThrow(invalid)
    expect(refused({ commandTimeout: 'soon' })).toThrow(invalid)
    expect(refused({ commandTimeout: '0' })).toThrow(invalid)
  })

  test('are read', async () => {
    const cwd = await temporaryDirectory()
    await writeFile(join(cwd, 'c'), '')
    const options = { transport: 'openssh', sshConfig: 'c', askPass: true, commandTimeout: '1m' }
    expect(readReach(options, { cwd })).toMatchObject({
      sshTransport: 'openssh',
      sshConfigFile: join(cwd, 'c'),
      askLogin: true,
      askBecome: false,
      commandTimeoutMs: 60_000,
    })
    expect(readReach({ sshConfig: 'none' }, { cwd }).sshConfigFile).toBe('none')
  })
})

describe('the hosts of a run', () => {
  const prepare = (
    text: string,
    wanted: string[],
    options: OptionValues = {},
    asked = [] as string[],
  ) => {
    const inventory = parseInventory(text, { file: '/p/hosts.ini', environment: 'x' })
    const hosts = inventory.hosts.filter(({ name }) => wanted.includes(name))
    const ask = async (question: string) => `answer ${asked.push(question)}`
    return prepareReach(
      readReach(options, { cwd: '/' }),
      { inventory, hosts, warnings: [] },
      { env: {}, passwords: {} },
      ask,
    )
  }

  test('include the passwords of their jump hosts, and of no other hosts', async () => {
    const text = [
      'web ansible_password=p-web proxy_jump=ops@inner:22',
      'inner ansible_password=p-inner proxy_jump=outer,elsewhere',
      'outer ansible_password=p-outer proxy_jump=inner',
      'other ssh_password_from="env NO_SUCH"',
    ].join('\n')
    expect((await prepare(text, ['web'])).secrets.toSorted()).toEqual([
      'p-inner',
      'p-outer',
      'p-web',
    ])
    await expect(prepare(text, ['other'])).rejects.toMatchObject({ code: 'secret_missing' })
  })

  test('are warned about once, and only about their own settings', async () => {
    const text = 'a ansible_become_flags=-H\nb\nc ansible_shell_type=csh'
    expect((await prepare(text, ['a', 'b'])).warnings).toEqual([
      'these Ansible variables have no effect: ansible_become_flags of a',
    ])
    expect((await prepare(text, ['b'])).warnings).toEqual([])
  })

  test('must become a user for --become-user', async () => {
    await expect(prepare('a', ['a'], { becomeUser: 'app' })).rejects.toMatchObject({
      code: 'usage',
      details: { hint: 'Add --become.' },
    })
  })

  test('are asked about together, before any of them is reached', async () => {
    const asked: string[] = []
    const { secrets } = await prepare('a\nb\nc', ['a', 'b', 'c'], { askPass: true }, asked)
    expect([asked, secrets]).toEqual([['SSH password'], ['answer 1']])
  })
})
