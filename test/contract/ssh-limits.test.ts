/** Limits and failures of servers: connections, shells, answers, and crashes. */
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { connectHost } from '../../lib/host/connect.ts'
import { createSessions } from '../../lib/host/sessions.ts'
import type { Host } from '../../lib/inventory/inventory.ts'
import { file } from '../../lib/resources/files/file.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import type { ShellStream } from '../../lib/transport/transport.ts'
import { descendantsOf, kill } from '../support/descendants.ts'
import { root, temporaryDirectory } from '../support/shells.ts'
import { startSshd } from '../support/sshd.ts'
import { startServer } from './server.ts'

const options = { timeoutMs: 20_000 }

function newConnector() {
  const connector = createConnector({ acceptNew: false })
  onTestFinished(() => connector.close())
  return connector
}

const finished = (shell: ShellStream) =>
  Promise.all([text(shell.stdout), text(shell.stderr), shell.ended])

describe('a server that drops connections before login', { tags: ['sshd'] }, () => {
  test('accepts 40 simultaneous runs with MaxStartups 2:50:5', { timeout: 60_000 }, async () => {
    const sshd = await startSshd({ config: ['MaxStartups 2:50:5'] })
    const began = performance.now()
    const ends = await Promise.allSettled(
      Array.from({ length: 40 }, async () => {
        const transport = await newConnector().connect(sshd.host(), { timeoutMs: 30_000 })
        const shell = await transport.open()
        shell.stdin.end('echo in\n')
        const [said] = await finished(shell)
        transport.close()
        return said
      }),
    )
    const reasons = ends.flatMap(end => (end.status === 'rejected' ? [String(end.reason)] : []))
    expect(reasons).toEqual([])
    expect(performance.now() - began).toBeLessThan(30_000)
    expect(sshd.count(/MaxStartups|drop connection/)).toBeGreaterThan(0)
  })

  test('drops no connection of one run with the default MaxStartups', {
    timeout: 60_000,
  }, async () => {
    const sshd = await startSshd({ config: ['MaxStartups 10:30:100'] })
    const connector = newConnector()
    const transports = await Promise.all(
      Array.from({ length: 40 }, () => connector.connect(sshd.host(), { timeoutMs: 30_000 })),
    )
    for (const transport of transports) transport.close()
    expect(sshd.count(/^Connection from/)).toBe(40)
    expect(sshd.count(/drop connection/)).toBe(0)
  })
})

describe('a server that allows one shell per connection', { tags: ['sshd'] }, () => {
  const steps = (directory: string) =>
    [`: >${directory}/begun; while [ ! -e ${directory}/go ]; do sleep 0.02; done`, 'true'].map(
      command => ({ call: { name: 'hw_run', args: ['sh', '', '', command] } }),
    )

  test('has shells on as many connections as needed', async () => {
    const sshd = await startSshd({ config: ['MaxSessions 1'] })
    const transport = await newConnector().connect(sshd.host(), options)
    const shells: ShellStream[] = []
    for (let count = 0; count < 3; count++) shells.push(await transport.open())
    const ends = shells.map(finished)
    for (const { stdin } of shells) stdin.end('echo here\n')
    expect((await Promise.all(ends)).map(([said]) => said)).toEqual(Array(3).fill('here\n'))
    expect(sshd.count(/^Connection from/)).toBe(3)
    // Free connections are reused.
    const again = await transport.open()
    again.stdin.end()
    await finished(again)
    expect(sshd.count(/^Connection from/)).toBe(3)
    transport.close()
    await sshd.logged(/^(Connection closed|Disconnected|Received disconnect)/, 3)
  })

  test('runs steps of other users, accepts an upload, and is interrupted', async () => {
    const sshd = await startSshd({ config: ['MaxSessions 1'] })
    const directory = await temporaryDirectory()
    const warnings: string[] = []
    const warn = (message: string) => void warnings.push(message)
    const host = sshd.host({ bootstrapDir: `${directory}/state` })
    const connected = await connectHost(host, { ...options, connector: newConnector(), warn }, [])
    const sessions = createSessions(connected, () => Promise.reject(new Error('no')))
    const id = { name: 'hw_run', args: ['sh', '', '', 'id -un'] }
    for (const user of root ? ['daemon', 'nobody'] : []) {
      const session = await sessions.as(user)
      expect((await session.call(id)).stdout.toString()).toBe(`${user}\n`)
    }
    const large = file(`${directory}/large`, { content: Buffer.alloc(3_000_000, 'x') })
    const results = await sessions.main.segment([{ call: large.call }], {
      check: false,
      diff: false,
    })
    expect(results.map(({ status }) => status)).toEqual(['changed'])
    expect((await readFile(`${directory}/large`)).length).toBe(3_000_000)
    const running = sessions.main.segment(steps(directory), { check: false, diff: false })
    while (!existsSync(`${directory}/begun`)) await delay(5)
    await sessions.interrupt()
    await writeFile(`${directory}/go`, '')
    expect((await running).map(({ status }) => status)).toEqual(['ok', 'skipped'])
    await sessions.close()
    expect(warnings).toEqual([])
  })
})

describe('a server that can’t be used', () => {
  /** Takes connections and does this with them. */
  const listening = async (serve: (socket: Socket) => void): Promise<Host> => {
    const server = createServer(socket => {
      socket.on('error', () => {})
      onTestFinished(() => void socket.destroy())
      serve(socket)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const { host } = await startServer()
    return { ...host, port: (server.address() as AddressInfo).port }
  }
  const short = (ms: number) => ({ connectMs: ms, handshakeMs: ms, authMs: ms })
  const failure = (host: Host, more = {}) =>
    newConnector()
      .connect(host, { ...options, ...more })
      .then(
        () => undefined,
        error => error,
      )

  test('because it sends nothing times out', async () => {
    const host = await listening(() => {})
    expect(await failure({ ...host, timeouts: short(300) })).toMatchObject({
      code: 'handshake_timeout',
      message: `127.0.0.1 port ${host.port} accepted the connection but sent nothing: gave up after 0.3 s`,
      details: { hint: expect.stringContaining('handshake_timeout') },
    })
    expect(await failure(host, { timeoutMs: 200 })).toMatchObject({
      code: 'handshake_timeout',
      message: expect.stringContaining('0.2 s'),
      details: { hint: expect.stringContaining('--timeout') },
    })
  })

  test('because it stops in the handshake times out', async () => {
    const host = await listening(socket => void socket.write('SSH-2.0-OpenSSH_9.2\r\n'))
    expect(await failure({ ...host, timeouts: short(300) })).toMatchObject({
      code: 'handshake_timeout',
      message: expect.stringContaining('stopped in the handshake'),
    })
  })

  test('because it is not an SSH server is reported', async () => {
    const host = await listening(socket => socket.end('HTTP/1.1 400 Bad\u001b[2J Request\r\n\r\n'))
    expect(await failure(host)).toMatchObject({
      code: 'connect_failed',
      message: expect.stringMatching(
        /is not an SSH server: it sent "HTTP\/1.1 400 Bad\\u001b\[2J Request"/,
      ),
    })
  })

  test('because it refuses everybody is reported in its own words', async () => {
    const host = await listening(socket => socket.end('Exceeded MaxStartups\r\n'))
    expect(await failure(host, { timeoutMs: 500 })).toMatchObject({
      code: 'connect_failed',
      message: expect.stringContaining('before the handshake, saying "Exceeded MaxStartups"'),
    })
  })

  test('because the port is closed is reported at once', async () => {
    const host = await listening(() => {})
    const began = performance.now()
    expect(await failure({ ...host, port: 1 })).toMatchObject({
      code: 'connect_failed',
      message: 'can’t connect to 127.0.0.1 port 1: connection refused',
    })
    // It is given thirty seconds.
    expect(performance.now() - began).toBeLessThan(10_000)
  })

  test('because its name is unknown is reported', async () => {
    const host = await listening(() => {})
    expect(await failure({ ...host, address: 'no.such.invalid' })).toMatchObject({
      code: 'connect_failed',
      message: expect.stringMatching(/unknown host name|the name service did not answer/),
    })
  })
})

describe('a host that dies during a command', { tags: ['sshd'] }, () => {
  test('is given up after the configured time', async () => {
    const sshd = await startSshd()
    const alive = 'ServerAliveInterval 1\nServerAliveCountMax 2\n'
    const sshConfigFile = await sshd.writeConfig(alive)
    const transport = await newConnector().connect(sshd.host({ sshConfigFile }), options)
    const shell = await transport.open()
    shell.stdin.write('echo begun; sleep 100\n')
    await new Promise(resolve => shell.stdout.once('data', resolve))
    const stopped = descendantsOf(sshd.pid)
    const began = performance.now()
    for (const pid of stopped) kill(pid, 'SIGSTOP')
    try {
      const [, , end] = await finished(shell)
      expect(end).toEqual({
        lost: true,
        reason: 'the host stopped answering: nothing received for 2 s',
      })
      // Ten times as often asked and as long waited for, as by default, it would be 45 s.
      expect(performance.now() - began).toBeLessThan(20_000)
      await expect(transport.open()).rejects.toMatchObject({ code: 'connection_lost' })
    } finally {
      for (const pid of stopped) kill(pid, 'SIGCONT')
    }
  })

  test('keeps idle connections as long as it answers', async () => {
    const sshd = await startSshd()
    const sshConfigFile = await sshd.writeConfig('ServerAliveInterval 1\nServerAliveCountMax 1\n')
    const transport = await newConnector().connect(sshd.host({ sshConfigFile }), options)
    const shell = await transport.open()
    shell.stdin.end('sleep 2.5; echo alive\n')
    const [said] = await finished(shell)
    expect(said).toBe('alive\n')
    transport.close()
  })
})

test('a name with several addresses is reached at the one that listens', async () => {
  const { host } = await startServer()
  const knownHostsFile = join(await temporaryDirectory(), 'known')
  const known = await readFile(host.knownHostsFile!, 'utf8')
  await writeFile(knownHostsFile, known.replace('127.0.0.1', 'localhost'))
  const named = { ...host, address: 'localhost', knownHostsFile }
  const transport = await newConnector().connect(named, options)
  transport.close()
})

test('a connection whose turn never comes at a crowded server is reported', async () => {
  const { host } = await startServer({ silent: true })
  const connector = newConnector()
  const ends = await Promise.allSettled(
    Array.from({ length: 12 }, (_, index) =>
      connector.connect(host, { timeoutMs: index < 10 ? 900 : 300 }),
    ),
  )
  const reasons = ends.map(end => end.status === 'rejected' && end.reason)
  expect(reasons.slice(0, 10).map(({ code }) => code)).toEqual(Array(10).fill('handshake_timeout'))
  for (const reason of reasons.slice(10)) {
    expect(reason).toMatchObject({
      code: 'connect_timeout',
      message: expect.stringContaining('its turn did not come within 0.3 s'),
    })
  }
})

test('a server without an allowed host key type is reported with the types it offers', {
  tags: ['sshd'],
}, async () => {
  const sshd = await startSshd({ hostKeys: ['rsa'] })
  const sshConfigFile = await sshd.writeConfig('HostKeyAlgorithms ssh-ed25519\n')
  await expect(
    newConnector().connect(sshd.host({ sshConfigFile, sshTransport: 'ssh' }), options),
  ).rejects.toMatchObject({
    code: 'no_common_algorithm',
    message: expect.stringMatching(
      /no type of host key in common with hostwright: it offers rsa-sha2-512/,
    ),
  })
})

test('a server that resets the connection in the handshake is reported', async () => {
  const { host } = await startServer({ turnsAway: 1000, how: 'reset' })
  await expect(newConnector().connect(host, { timeoutMs: 400 })).rejects.toMatchObject({
    code: 'connect_failed',
    message: expect.stringMatching(/before the handshake/),
  })
})
