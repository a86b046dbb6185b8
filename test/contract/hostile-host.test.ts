/** Malicious hosts, before and after the login: they fail, and affect nothing else. */
import { writeFile } from 'node:fs/promises'
import { createConnection, type Socket } from 'node:net'
import { join } from 'node:path'
import type { AuthContext, Connection } from 'ssh2'
import { expect, onTestFinished, test } from 'vitest'
import { connectHost } from '../../lib/host/connect.ts'
import type { Host } from '../../lib/inventory/inventory.ts'
import { createKeyPair, keyData } from '../../lib/lab/keys.ts'
import { secret } from '../../lib/shell/secret.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import { noAnswers } from '../../lib/transport/login/answers.ts'
import { startServer } from './server.ts'

function connect(host: Host, timeoutMs = 20_000) {
  const hostNamed = (name: string) => (name === host.name ? host : undefined)
  const connector = createConnector({ acceptNew: false, hostNamed, sshConfigFile: 'none' })
  onTestFinished(() => connector.close())
  return connectHost(host, { timeoutMs, connector }, [])
}

/** The internals of a server connection in ssh2. */
interface Insides {
  _sock: Socket
  _protocol: {
    ping(): void
    channelOpenConfirm(...numbers: [to: number, from: number, window: number, packet: number]): void
  }
}

const insidesOf = (client: Connection) => client as unknown as Insides

/** Announces this packet size for each channel. */
const taking = (packet: number) => (client: Connection) => {
  const { _protocol: protocol } = insidesOf(client)
  const confirm = protocol.channelOpenConfirm.bind(protocol)
  protocol.channelOpenConfirm = (to, from, window) => confirm(to, from, window, packet)
}

// With 0, ssh2 would loop forever; the rule is the same.
test('a host that accepts only a few bytes per packet is refused', async () => {
  const { host } = await startServer({ meet: taking(16) })
  await expect(connect(host)).rejects.toMatchObject({
    code: 'shell_failed',
    message: expect.stringContaining('only 16 bytes per packet'),
  })
})

test('a host can’t enable compression', async () => {
  const { host } = await startServer({ compress: ['zlib', 'zlib@openssh.com'] })
  await expect(connect(host)).rejects.toMatchObject({
    code: 'connect_failed',
    message: expect.stringContaining('compression'),
  })
})

test('a host that keeps asking and rejects every answer is given up', async () => {
  const asking = (client: Connection) => {
    const { _sock: sock, _protocol: protocol } = insidesOf(client)
    let over = false
    client.on('close', () => {
      over = true
    })
    const ask = () => {
      for (let count = 0; count < 5000 && sock.writableLength < 5_000_000; count++) protocol.ping()
      if (!over) setImmediate(ask)
    }
    client.on('authentication', () => {
      sock.pause()
      ask()
    })
  }
  const { host } = await startServer({ meet: asking, authenticate: () => {} })
  await expect(connect(host)).rejects.toMatchObject({ code: 'auth_failed' })
})

test('the list of login methods that a host offers is limited', async () => {
  const names = [
    '\x1b[2J',
    'password',
    ...Array.from({ length: 3000 }, (_, index) => `way${index}`),
  ]
  const { host } = await startServer({ authenticate: login => login.reject(names as never) })
  const failure = await connect(host).catch(error => error)
  expect(failure.details.hint).toMatch(/^It accepts: password, way0, way1, .*, way18\. Check/)
})

test('a jump host that leads elsewhere gets nothing, and neither does the host that answers there', async () => {
  let logins = 0
  const other = await startServer({ authenticate: () => void logins++ })
  const astray = (client: Connection) => {
    client.on('tcpip', accept => {
      const channel = accept()
      channel.on('error', () => {})
      const socket = createConnection(other.host.port!, '127.0.0.1')
      socket.on('error', () => {})
      channel.pipe(socket).pipe(channel)
    })
  }
  const jump = await startServer({ meet: astray })
  const knownHostsFile = join(jump.directory, 'known of web')
  const { public: key } = createKeyPair('web')
  await writeFile(knownHostsFile, `web.invalid ssh-ed25519 ${keyData(key)}\n`)
  const { name } = jump.host
  const web = { ...jump.host, name: 'web', address: 'web.invalid', port: 22, knownHostsFile }
  const connector = createConnector({
    acceptNew: true,
    sshConfigFile: 'none',
    hostNamed: wanted => (wanted === name ? jump.host : undefined),
    answersFor: () => ({ ...noAnswers, password: secret('for web alone') }),
  })
  onTestFinished(() => connector.close())
  const connecting = connector.connect({ ...web, proxyJump: name }, { timeoutMs: 20_000 })
  await expect(connecting).rejects.toMatchObject({ code: 'host_key_changed' })
  expect(logins).toBe(0)
})

test('a host that asks forever is not answered forever', async () => {
  const authenticate = (login: AuthContext) => {
    if (login.method !== 'keyboard-interactive') return login.reject(['keyboard-interactive'])
    const ask = () => login.prompt([{ prompt: 'Again: ', echo: false }], ask)
    ask()
  }
  const { host } = await startServer({ authenticate })
  let asked = 0
  const ask = async () => {
    asked++
    return secret('again')
  }
  const connector = createConnector({
    acceptNew: false,
    sshConfigFile: 'none',
    answersFor: () => ({ ...noAnswers, ask }),
  })
  onTestFinished(() => connector.close())
  await expect(connector.connect(host, { timeoutMs: 20_000 })).rejects.toMatchObject({
    code: 'auth_failed',
    message: expect.stringContaining('keeps asking'),
  })
  expect(asked).toBe(30)
})
