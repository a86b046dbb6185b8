/** Hosts that mean ill, before and behind the login: they fail by themselves, and take nothing else with them. */
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
  _protocol: {
    channelOpenConfirm(...numbers: [to: number, from: number, window: number, packet: number]): void
  }
}

const insidesOf = (client: Connection) => (client as unknown as Insides)._protocol

/** Says of each channel that it takes so many bytes at a time. */
const taking = (packet: number) => (client: Connection) => {
  const protocol = insidesOf(client)
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
