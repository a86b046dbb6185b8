import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { takePasswords } from '../../../lib/cli/environment-passwords.ts'
import { findPasswords, textsOf } from '../../../lib/cli/passwords.ts'
import { secret } from '../../../lib/shell/secret.ts'
import { parseInventory } from '../../support/inventory.ts'
import { temporaryDirectory } from '../../support/shells.ts'

/** Passwords of an inventory's hosts, as `login/become` by host; questions are answered in turn. */
async function find(
  text: string,
  more: {
    answers?: string[]
    env?: Record<string, string>
    file?: string
    askLogin?: boolean
    askBecome?: boolean
  } = {},
) {
  const { hosts } = parseInventory(text, { file: more.file ?? '/p/hosts.ini', environment: 'x' })
  const asked: string[] = []
  const env: Record<string, string | undefined> = { PATH: process.env.PATH, ...more.env }
  const of = await findPasswords(hosts, {
    askLogin: more.askLogin ?? false,
    askBecome: more.askBecome ?? false,
    shared: takePasswords(env),
    world: {
      env,
      ask: async question => {
        asked.push(question)
        return more.answers?.shift() ?? ''
      },
    },
  })
  const found = Object.fromEntries(
    hosts.map(host => {
      const { login, become } = of(host)
      return [host.name, `${login?.reveal() ?? '-'}/${become?.reveal() ?? '-'}`]
    }),
  )
  return { found, asked, texts: textsOf(hosts, of), env }
}

const both = 'ansible_become=yes'

describe('passwords', () => {
  test('of the inventory belong to one host; other hosts share the one asked for', async () => {
    const text = `a ansible_password=own ${both}\nb ${both} ansible_become_pass=hers\nc`
    const { found, asked, texts } = await find(text, {
      askLogin: true,
      askBecome: true,
      answers: ['typed', 'root'],
    })
    expect(found).toEqual({ a: 'own/root', b: 'typed/hers', c: 'typed/-' })
    expect(asked).toEqual(['SSH password', 'become password (empty: the SSH password)'])
    expect(texts.sort()).toEqual(['hers', 'own', 'root', 'typed'])
  })

  test('of the environment are for hosts without one, and the one asked for overrides them', async () => {
    const env = { HOSTWRIGHT_SSH_PASSWORD: 'e1', HOSTWRIGHT_BECOME_PASSWORD: 'e2' }
    const text = `a ${both}\nb ansible_password=own`
    expect((await find(text, { env })).found).toEqual({ a: 'e1/e2', b: 'own/-' })
    const asked = await find(text, { env, askLogin: true, answers: ['typed'] })
    expect(asked.found).toEqual({ a: 'typed/e2', b: 'own/-' })
  })

  test('are removed from the environment', () => {
    const env = { HOSTWRIGHT_SSH_PASSWORD: 'x', HOSTWRIGHT_BECOME_PASSWORD: '', OTHER: 'y' }
    expect(takePasswords(env).login?.reveal()).toBe('x')
    expect(takePasswords(env)).toEqual({ login: undefined, become: undefined })
    expect(env).toEqual({ OTHER: 'y' })
  })

  test('are asked for only where a host needs them', async () => {
    const local = `a ansible_connection=local\nb ansible_password=x`
    expect((await find(local, { askLogin: true })).asked).toEqual([])
    await expect(find('a', { askBecome: true })).rejects.toMatchObject({
      code: 'usage',
      details: { hint: expect.stringContaining('--become') },
    })
  })

  test('must not be empty, but an empty one for becoming means the login’s', async () => {
    await expect(find('a', { askLogin: true })).rejects.toMatchObject({ code: 'secret_missing' })
    await expect(find(`a ${both}`, { askBecome: true })).rejects.toMatchObject({
      code: 'secret_missing',
    })
    const same = await find(`a ${both}`, { askLogin: true, askBecome: true, answers: ['x', ''] })
    expect(same.found).toEqual({ a: 'x/x' })
  })

  test('come from a variable, a file or a command, each asked once for all hosts', async () => {
    const directory = await temporaryDirectory()
    const at = (name: string) => join(directory, name)
    await writeFile(at('pw'), 'of the file\n')
    const count = `command sh -c 'echo x >>${at('runs')}; echo printed'`
    const text = [
      'a ssh_password_from="env APP_PW"',
      'b ssh_password_from="file pw"',
      'c',
      'd',
      '[all:vars]',
      `ssh_password_from = ${count}`,
    ].join('\n')
    const { found } = await find(text, { env: { APP_PW: 'e' }, file: at('hosts.ini') })
    expect(found).toEqual({ a: 'e/-', b: 'of the file/-', c: 'printed/-', d: 'printed/-' })
    const runs = await import('node:fs').then(({ readFileSync }) =>
      readFileSync(at('runs'), 'utf8'),
    )
    expect(runs).toBe('x\n')
  })

  test('in variables that the inventory names are removed from the environment', async () => {
    const text = `a ssh_password_from="env APP_PW"\nb ssh_password_from="env APP_PW"`
    const { found, env } = await find(text, { env: { APP_PW: 'e', OTHER: 'y' } })
    expect(found).toEqual({ a: 'e/-', b: 'e/-' })
    expect(env).toEqual({ PATH: process.env.PATH, OTHER: 'y' })
  })

  test('of the environment are not inherited by commands', async () => {
    const text = `a ssh_password_from="command sh -c 'echo got=\${HOSTWRIGHT_SSH_PASSWORD-none}'"`
    const env = { HOSTWRIGHT_SSH_PASSWORD: 'e1' }
    expect((await find(text, { env })).found).toEqual({ a: 'got=none/-' })
  })

  test.each([
    ['env NO_SUCH', 'the secret ssh_password_from of a: there is no environment variable NO_SUCH'],
    [
      'file none',
      'the secret ssh_password_from of a: can’t read the file /p/none: it does not exist',
    ],
    [
      "command sh -c 'echo hunter2; exit 3'",
      'the secret ssh_password_from of a: sh: exit status 3',
    ],
    ["command printf 'a\\nhunter2'", 'ssh_password_from of a: must be a single line'],
  ])('a source that gives none is named: %s', async (source, message) => {
    const error = await find(`a\n[all:vars]\nssh_password_from = ${source}`).catch(error => error)
    expect(error).toMatchObject({ code: 'secret_missing', message })
    expect(JSON.stringify({ ...error.details, hint: '' })).not.toContain('hunter2')
  })
})

test('textsOf lists a shared password once', () => {
  const { hosts } = parseInventory('a\nb', { file: '/p/hosts.ini', environment: 'x' })
  expect(textsOf(hosts, () => ({ login: secret('x') }))).toEqual(['x'])
})
