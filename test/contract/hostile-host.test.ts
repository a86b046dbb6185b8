/** Hosts that mean ill, before and behind the login: they fail by themselves, and take nothing else with them. */
import type { Socket } from 'node:net'
import type { Connection } from 'ssh2'
import { expect, onTestFinished, test } from 'vitest'
import type { Host } from '../../lib/inventory/inventory.ts'
import { connectHost } from '../../lib/run/connect.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import { startServer } from './server.ts'

function connect(host: Host, timeoutMs = 20_000) {
  const hostNamed = (name: string) => (name === host.name ? host : undefined)
  const connector = createConnector({ acceptNew: false, hostNamed, sshConfigFile: 'none' })
  onTestFinished(() => connector.close())
  return connectHost(host, { timeoutMs, connector }, [])
}

/** What ssh2 has inside of a server's connection. */
interface Insides {
  _sock: Socket
  _protocol: {
    ping(): void
    channelOpenConfirm(...numbers: [to: number, from: number, window: number, packet: number]): void
  }
}

const insidesOf = (client: Connection) => client as unknown as Insides

/** Says of each channel that it takes so many bytes at a time. */
const taking = (packet: number) => (client: Connection) => {
  const { _protocol: protocol } = insidesOf(client)
  const confirm = protocol.channelOpenConfirm.bind(protocol)
  protocol.channelOpenConfirm = (to, from, window) => confirm(to, from, window, packet)
}

// With 0 ssh2 would never come back; the rule is the same.
test('a host that takes a few bytes at a time is sent none', async () => {
  const { host } = await startServer({ meet: taking(16) })
  await expect(connect(host)).rejects.toMatchObject({
    code: 'shell_failed',
    message: expect.stringContaining('no more than 16 bytes'),
  })
})

test('a host that asks and asks, and takes no answer, is left', async () => {
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

test('of the ways to log in that a host names, as many are shown as there may be', async () => {
  const names = [
    '\x1b[2J',
    'password',
    ...Array.from({ length: 3000 }, (_, index) => `way${index}`),
  ]
  const { host } = await startServer({ authenticate: login => login.reject(names as never) })
  const failure = await connect(host).catch(error => error)
  expect(failure.details.hint).toMatch(/^It takes: password, way0, way1, .*, way18\. See/)
})
