/** Hosts behind jump hosts: one shared connection to each, and why it fails. */
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Host } from '../../lib/inventory/inventory.ts'
import { type Connector, createConnector } from '../../lib/transport/connector.ts'
import type { Transport } from '../../lib/transport/transport.ts'
import { descendantsOf, kill } from '../support/descendants.ts'
import { startSshd } from '../support/sshd.ts'

const options = { timeoutMs: 20_000 }

/** A connector whose inventory has these hosts. */
function connectorFor(hosts: readonly Host[]): Connector {
  const hostNamed = (name: string) => hosts.find(host => host.name === name)
  const connector = createConnector({ acceptNew: false, hostNamed })
  onTestFinished(() => connector.close())
  return connector
}

async function says(transport: Transport): Promise<string> {
  const shell = await transport.open()
  shell.stdin.end('echo "$SSH_CONNECTION"\n')
  return (await text(shell.stdout)).trim()
}

/** A connection of a client to the server, in its log. */
const knocks = /^Connection from /

describe('a host behind jump hosts', { tags: ['sshd'] }, () => {
  const threeServers = async () => {
    const [outer, inner, last] = [await startSshd(), await startSshd(), await startSshd()]
    const hosts = [
      outer.host({ name: 'outer' }),
      inner.host({ name: 'inner' }),
      last.host({ name: 'last', proxyJump: 'outer,inner' }),
    ]
    return { outer, inner, last, hosts, connector: connectorFor(hosts) }
  }

  test('is reached over two hops, with one shared connection to each', async () => {
    const { outer, inner, last, hosts, connector } = await threeServers()
    const target = hosts[2]!
    const transports = await Promise.all(
      Array.from({ length: 8 }, () => connector.connect(target, options)),
    )
    const from = await Promise.all(transports.map(says))
    expect(new Set(from).size).toBe(8)
    for (const each of from) expect(each).toMatch(new RegExp(`${last.address} ${last.port}$`))
    for (const transport of transports) transport.close()
    await says(await connector.connect(target, options))
    expect([outer, inner, last].map(({ count }) => count(knocks))).toEqual([1, 1, 9])
  })

  test('is reached over new connections to each hop by one that shares nothing, which end with it', async () => {
    const { outer, inner, last, hosts, connector } = await threeServers()
    const target = hosts[2]!
    const shared = await connector.connect(target, options)
    const apart = await connector.connect(target, { ...options, apart: true })
    await says(apart)
    expect([outer, inner, last].map(({ count }) => count(knocks))).toEqual([2, 2, 2])
    apart.close()
    for (const each of [outer, inner, last])
      await each.logged(/^(Received disconnect|Disconnected|Connection (closed|reset))/)
    await says(shared)
    expect([outer, inner, last].map(({ count }) => count(knocks))).toEqual([2, 2, 2])
  })

  test('reconnects to a jump host that was lost', async () => {
    const { outer, inner, hosts, connector } = await threeServers()
    const target = hosts[2]!
    const first = await connector.connect(target, options)
    const shell = await first.open()
    const whole = Promise.all([text(shell.stdout), text(shell.stderr), shell.ended])
    await outer.logged(/^Accepted publickey/)
    for (const pid of descendantsOf(outer.pid)) kill(pid)
    expect((await whole)[2]).toMatchObject({ lost: true })
    const again = await connector.connect(target, options)
    expect(await says(again)).not.toBe('')
    expect([outer, inner].map(({ count }) => count(knocks))).toEqual([2, 2])
  })

  test('is not reached through a jump host that refuses our key, and the jump host is tried once', async () => {
    const bastion = await startSshd({ authorized: [] })
    const hosts = [
      bastion.host({ name: 'bastion' }),
      ...Array.from({ length: 10 }, (_, index) =>
        bastion.host({ name: `web${index}`, address: 'web.invalid', proxyJump: 'bastion' }),
      ),
    ]
    const connector = connectorFor(hosts)
    const [first, ...later] = hosts.slice(1)
    const ends = await Promise.allSettled(later.map(host => connector.connect(host, options)))
    ends.push(...(await Promise.allSettled([connector.connect(first!, options)])))
    for (const end of ends) {
      expect(end).toMatchObject({
        reason: {
          code: 'auth_failed',
          message: expect.stringMatching(/^jump host \S+ is unreachable: .*permission denied/),
        },
      })
    }
    expect(bastion.count(knocks)).toBe(1)
  })

  test('is not reached through a jump host with a different key', async () => {
    const { inner, hosts, connector } = await threeServers()
    hosts[0] = { ...hosts[0]!, knownHostsFile: inner.knownHosts }
    await expect(connector.connect(hosts[2]!, options)).rejects.toMatchObject({
      code: 'host_key_unknown',
      message: expect.stringContaining('jump host'),
    })
    expect(inner.count(knocks)).toBe(0)
  })

  test('is not reached over a connection with weaker host key checking', async () => {
    const { outer, inner } = await threeServers()
    const hosts = [
      outer.host({ name: 'careless', knownHostsFile: inner.knownHosts, insecureHostKey: true }),
      outer.host({ name: 'careful', knownHostsFile: inner.knownHosts }),
      inner.host({ name: 'one', proxyJump: 'careless' }),
      inner.host({ name: 'two', proxyJump: 'careful' }),
    ]
    const connector = connectorFor(hosts)
    expect(await says(await connector.connect(hosts[2]!, options))).not.toBe('')
    await expect(connector.connect(hosts[3]!, options)).rejects.toMatchObject({
      code: 'host_key_unknown',
      message: expect.stringContaining('jump host'),
    })
  })

  test('that is not listening is reported by the jump host', async () => {
    const { outer, hosts, connector } = await threeServers()
    const closed = { ...hosts[2]!, address: '127.0.0.1', port: 1, proxyJump: 'outer' }
    await expect(connector.connect(closed, options)).rejects.toMatchObject({
      code: 'connect_failed',
      message: `can’t connect to 127.0.0.1 port 1 through ${outer.address}: the jump host says "Connection refused"`,
    })
    expect(outer.count(knocks)).toBe(1)
  })

  test('is not reached if the jump host forbids forwarding', async () => {
    const bastion = await startSshd({ config: ['AllowTcpForwarding no'] })
    const hosts = [
      bastion.host({ name: 'bastion' }),
      bastion.host({ name: 'web', address: 'web.invalid', proxyJump: 'bastion' }),
    ]
    await expect(connectorFor(hosts).connect(hosts[1]!, options)).rejects.toMatchObject({
      code: 'connect_failed',
      details: { hint: expect.stringContaining('AllowTcpForwarding') },
    })
  })
})
