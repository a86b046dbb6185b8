/**
 * Which keys log in, asked of sshd itself by logging in. The tests beside this one ask ssh-keygen, which lists lines
 * that sshd does not take, and not others that it does.
 * @module-tag overlay
 * @module-tag sshd
 * @module-tag sudo
 */
import { execFile } from 'node:child_process'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  type AuthorizedKey,
  type AuthorizedKeysOptions,
  authorizedKeys,
} from '../../lib/resources/users/authorized-keys.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import type { Transport } from '../../lib/transport/transport.ts'
import { bring } from '../support/resource-table.ts'
import { anyShell } from '../support/shells.ts'
import { type Key, makeKey } from '../support/ssh-keys.ts'
import { launchUserHost, type UserHost } from '../support/user-hosts.ts'

const home = '/home/eve'
const main = `${home}/.ssh/authorized_keys`
const second = `${main}2`

let host: UserHost
let keys: Record<'leaked' | 'good' | 'other', Key>
const connector = createConnector({ acceptNew: false })

beforeAll(async () => {
  host = await launchUserHost({
    users: [{ name: 'admin', sudoers: ['@ ALL=(ALL) NOPASSWD: ALL'] }, { name: 'eve' }],
    config: [
      'StrictModes yes',
      'AuthorizedKeysFile .ssh/authorized_keys .ssh/authorized_keys2',
      'Match User admin',
      '  AuthorizedKeysFile /srv/sshd/authorized_keys',
    ],
  })
  const made = async (name: string, type: 'ed25519' | 'rsa' | 'ecdsa') =>
    makeKey({ type, file: `${host.directory}/${name}`, comment: `${name}@laptop` })
  keys = {
    leaked: await made('leaked', 'ed25519'),
    good: await made('good', 'ecdsa'),
    other: await made('other', 'rsa'),
  }
}, 60_000)
afterAll(async () => {
  connector.close()
  await host?.stop()
})

/** What sshd answers to `echo in` with this key; undefined if it lets the key not in. */
function login({ file }: Key): Promise<string | undefined> {
  const options = ['IdentitiesOnly=yes', 'IdentityAgent=none', 'BatchMode=yes', 'LogLevel=ERROR']
  const words = [
    ...['-F', 'none', '-T', '-i', file, '-p', String(host.port)],
    ...[...options, `UserKnownHostsFile=${host.knownHosts}`].flatMap(each => ['-o', each]),
    ...[`eve@${host.address}`, 'echo in'],
  ]
  return new Promise(resolve => {
    const child = execFile('ssh', words, (error, stdout) =>
      resolve(error ? undefined : stdout.trim()),
    )
    child.stdin!.end()
  })
}

/** Files of eve's, as they were written by others. */
const put = (files: Record<string, string>) =>
  host.script(
    [
      `rm -rf ${home}/.ssh; mkdir -m 700 ${home}/.ssh`,
      ...Object.entries(files).map(
        ([file, text]) =>
          `printf %s '${Buffer.from(text).toString('base64')}' | base64 -d >${file}; chmod 600 ${file}`,
      ),
      `chown -R eve:eve ${home}/.ssh`,
    ].join('\n'),
  )

async function apply(given: AuthorizedKey[], options: AuthorizedKeysOptions = {}) {
  const become = { method: 'sudo', user: 'root' } as const
  const transport: Transport = await connector.connect(host.host({ become }), { timeoutMs: 20_000 })
  const place = { transport: () => transport, directory: () => '/srv' } as never
  const { error, statuses } = await bring(
    place,
    anyShell,
    '/srv',
    authorizedKeys('eve', given, options),
  )
  expect(error).toBeUndefined()
  return statuses[0]
}

const lines = (ending: string, ...all: string[]) => all.map(line => `${line}${ending}`).join('')

describe('an absent key does not log in, and the others still do', () => {
  test.each<[string, (line: string) => Record<string, string>]>([
    ['in a file with CRLF', line => ({ [main]: lines('\r\n', '# x', line, keys.good.public) })],
    ['in authorized_keys2', line => ({ [main]: `${keys.good.public}\n`, [second]: `${line}\r\n` })],
    ['in both files', line => ({ [main]: lines('\n', line, keys.good.public), [second]: line })],
    ['twice', line => ({ [main]: lines('\n', line, keys.good.public, line) })],
    [
      'behind options',
      line => ({
        [main]: lines('\r\n', `no-pty,environment="A=b c" ${line}`, keys.good.public),
      }),
    ],
    [
      'between tabs',
      line => ({ [main]: lines('\n', `\t${line.replaceAll(' ', '\t')}`, keys.good.public) }),
    ],
  ])('%s', async (_, filesOf) => {
    const { leaked, good } = keys
    await put(filesOf(leaked.public))
    expect([await login(leaked), await login(good)]).toEqual(['in', 'in'])
    expect(await apply([leaked.public], { absent: true })).toBe('changed')
    expect([await login(leaked), await login(good)]).toEqual([undefined, 'in'])
    expect(await apply([leaked.public], { absent: true })).toBe('ok')
  })
})

test('after exclusive, no other key logs in, wherever it was', async () => {
  const { leaked, good, other } = keys
  await put({ [main]: lines('\r\n', leaked.public, '# mine'), [second]: lines('\n', other.public) })
  expect([await login(leaked), await login(good), await login(other)]).toEqual([
    'in',
    undefined,
    'in',
  ])
  expect(await apply([good.public], { exclusive: true })).toBe('changed')
  expect([await login(leaked), await login(good), await login(other)]).toEqual([
    undefined,
    'in',
    undefined,
  ])
  expect(await apply([good.public], { exclusive: true })).toBe('ok')
})

describe('options of a key', () => {
  test('stay in force when other keys are added or taken away', async () => {
    const { leaked, good, other } = keys
    await put({
      [main]: lines(
        '\r\n',
        `command="echo forced",from="127.0.0.0/8" ${good.public}`,
        leaked.public,
      ),
    })
    expect(await login(good)).toBe('forced')
    expect(await apply([other.public])).toBe('changed')
    expect(await apply([leaked.public], { absent: true })).toBe('changed')
    expect([await login(good), await login(other), await login(leaked)]).toEqual([
      'forced',
      'in',
      undefined,
    ])
    expect(await host.script(`grep -c 'from="127.0.0.0/8"' ${main}`)).toBe('1\n')
  })

  test('that are wanted are in force: command=, and from= keeps others out', async () => {
    const { good, other } = keys
    await put({ [main]: lines('\r\n', good.public), [second]: lines('\n', other.public) })
    const from = (place: string) => ({ key: other.public, options: [`from="${place}"`] })
    await apply([
      { key: good.public, options: 'restrict,command="echo only this"' },
      from('127.0.0.0/8'),
    ])
    expect([await login(good), await login(other)]).toEqual(['only this', 'in'])
    await apply([from('192.0.2.0/24')])
    expect([await login(good), await login(other)]).toEqual(['only this', undefined])
  })

  test('a line that sshd takes keeps its bytes', async () => {
    const text = lines('\r\n', `from="127.0.0.1,::1"   ${keys.good.public} and more`, '', '# end')
    await put({ [main]: text })
    const given = {
      key: keys.good.public.split(' ').slice(0, 2).join(' '),
      options: 'from="127.0.0.1,::1"',
    }
    await apply([given])
    expect(await login(keys.good)).toBe('in')
    expect(await host.script(`cat ${main}`)).toContain('and more\r\n\r\n# end\r\n')
  })
})
