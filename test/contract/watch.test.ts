/** What --debug and a trace say of hosts that are reached by real SSH. */
import { readdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createAnswers } from '../../lib/cli/answers.ts'
import type { Debug } from '../../lib/events.ts'
import { createEventStream } from '../../lib/events.ts'
import { watchHost } from '../../lib/host/watch.ts'
import type { Host } from '../../lib/inventory/inventory.ts'
import { openSession } from '../../lib/session/session.ts'
import { createTracer, prepareTraceDirectory } from '../../lib/session/trace-files.ts'
import { createRedactor } from '../../lib/shell/redact.ts'
import { secret } from '../../lib/shell/secret.ts'
import { type ConnectorOptions, createConnector } from '../../lib/transport/connector.ts'
import { temporaryDirectory } from '../support/shells.ts'
import { makeKey } from '../support/ssh-keys.ts'
import { startSshd } from '../support/sshd.ts'
import { startUserHost } from '../support/user-hosts.ts'

/** Connects, opens this many shells, and gives back what was reported. */
async function reported(host: Host, more: Partial<ConnectorOptions> = {}, shells = 0) {
  const lines: string[] = []
  // A busy machine waits for its turn, which is said too.
  const debug: Debug = (area, message) => {
    if (area !== 'pacing') lines.push(`${area}: ${message}`)
  }
  const connector = createConnector({ acceptNew: false, ...more })
  onTestFinished(() => connector.close())
  const transport = await connector
    .connect(host, { timeoutMs: 20_000, debug })
    .catch(() => undefined)
  for (let count = 0; count < shells; count++) await transport!.open()
  transport?.close()
  return lines
}

describe('debug lines of real SSH', { tags: ['sshd'] }, () => {
  test('say which SSH, where to, whose key, and how the login went', async () => {
    const sshd = await startSshd()
    const { address, port, user, key } = sshd
    expect(await reported(sshd.host())).toEqual([
      `connect: settings: ${user}@${address} port ${port}, key ${key.file}`,
      'connect: using hostwright’s own SSH: nothing needs the system’s',
      `connect: to ${address} port ${port} as ${user}`,
      expect.stringMatching(
        /^host key: .* presents ssh-ed25519 SHA256:\S+: known \(\S+known_hosts:1\)$/,
      ),
      expect.stringMatching(/^connect: agreed on \S+, ssh-ed25519, \S+$/),
      `login: trying key ${key.file} without offering it first`,
      `login: key ${key.file}: accepted`,
    ])
  })

  test('say of each key what came of it', async () => {
    const sshd = await startSshd()
    const wrong = await makeKey()
    const lines = await reported(sshd.host({ privateKeyFile: wrong.file }))
    expect(lines).toContain(`login: trying key ${wrong.file} without offering it first`)
    expect(lines).toContain(`login: key ${wrong.file}: refused; it goes on with publickey`)
    expect(lines.at(-1)).toMatch(/^connect: not connected: .*permission denied/)
  })

  test('say what known_hosts makes of a key', async () => {
    const sshd = await startSshd()
    const unknown = join(await temporaryDirectory(), 'known_hosts')
    expect(await reported(sshd.host({ knownHostsFile: unknown }))).toContainEqual(
      expect.stringMatching(/^host key: .*: unknown$/),
    )
    const added = await reported(sshd.host({ knownHostsFile: unknown }), { acceptNew: true })
    expect(added).toContain(`host key: added to ${unknown}`)
  })

  test('say how many shells a connection takes', async () => {
    const sshd = await startSshd({ config: ['MaxSessions 1'] })
    const lines = await reported(sshd.host(), {}, 2)
    expect(lines).toContain('shells: another channel was refused: 1 per connection (MaxSessions)')
    expect(lines).toContain('shells: opening another connection: 1 connections are full')
  })

  test('say which jump hosts are on the way', async () => {
    const [outer, last] = [await startSshd(), await startSshd()]
    const hosts = [outer.host({ name: 'outer' }), last.host({ name: 'last', proxyJump: 'outer' })]
    const hostNamed = (name: string) => hosts.find(host => host.name === name)
    const lines = await reported(hosts[1]!, { hostNamed })
    expect(lines[0]).toMatch(/^connect: settings: .*, through outer$/)
    const said = (end: string) => lines.some(line => line.endsWith(end))
    expect(said(` through ${outer.address}`)).toBe(true)
    expect(said(`jump host ${outer.address}: key ${outer.key.file}: accepted`)).toBe(true)
  })
})

test('debug lines say what the system’s ssh is called with, and what it says', {
  tags: ['sshd', 'openssh-client'],
}, async () => {
  const sshd = await startSshd()
  const lines = await reported(sshd.host(), { sshTransport: 'openssh' })
  expect(lines).toContain('connect: using the system’s ssh: it is requested')
  expect(lines).toContainEqual(expect.stringMatching(/^connect: ssh .*-N\b/))
  expect(lines.filter(line => line.startsWith('connect: ssh says: ')).length).toBeGreaterThan(5)
})

test('passwords that are typed to log in and to become root are in no trace and no debug line', {
  tags: ['sshd', 'overlay'],
}, async () => {
  const [login, root] = ['typed to log in', 'pa ss of sudo']
  const user = {
    name: 'worker',
    password: login,
    sudoers: ['Defaults:@ rootpw', '@ ALL=(ALL) ALL'],
  }
  const remote = await startUserHost({
    users: [user],
    pam: true,
    setup: `printf '%s\\n' 'root:${root}' | chpasswd
printf '%s\\n' 'auth required pam_unix.so nodelay' 'account required pam_unix.so' \\
  'session required pam_permit.so' >/etc/pam.d/sudo`,
  })
  const directory = join(await temporaryDirectory(), 'traces')
  prepareTraceDirectory(directory)
  const tracer = createTracer(directory, { run: 'r1', warn: () => {} })
  const asked: string[] = []
  const answers = createAnswers({
    passwordsOf: () => ({ become: secret(root) }),
    typed: answer => tracer.hide([answer]),
    ask: async question => {
      asked.push(question)
      return login
    },
  })
  const host = remote.host({
    user: 'worker',
    privateKeyFile: undefined,
    become: { method: 'sudo', user: 'root' },
  })
  const events = createEventStream()
  const seen: string[] = []
  events.subscribe(event => void seen.push(JSON.stringify(event)))
  const hidden = createRedactor()
  hidden.hide([root])
  const watch = watchHost(host, events, { debug: true, tracer }, hidden)
  const connector = createConnector({ acceptNew: false, answersFor: answers.answersFor })
  const transport = await connector.connect(host, { timeoutMs: 20_000, debug: watch.debug })
  const session = await openSession({ transport, bootstrapDir: '/srv/bootstrap', watch })
  // The host knows them too, and says them.
  const say = { name: 'hw_run', args: ['sh', '', '', `id -un; echo '${root}' '${login}'`] }
  const { stdout } = await session.call(say)
  expect(stdout.toString()).toBe(`root\n${root} ${login}\n`)
  await session.close()
  tracer.close()
  connector.close()
  expect(asked).toHaveLength(1)
  const names = await readdir(directory)
  expect(names).toEqual([`${host.name}-root-1.trace`])
  const text = await readFile(join(directory, names[0]!), 'utf8')
  expect(text).toContain('| root\n')
  expect(text).toContain('| ******** ********\n')
  for (const word of [login, root, Buffer.from(root).toString('base64')])
    expect(text).not.toContain(word)
  // Here the command line itself holds them, which is no secret that debug lines know of.
  const lines = seen.filter(line => !line.includes('round trip'))
  expect(lines.join('\n')).toContain('by sudo, with a password')
  for (const word of [login, root]) expect(lines.join('\n')).not.toContain(word)
  await rm(directory, { recursive: true })
})
