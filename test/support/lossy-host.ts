/** A host that is reached over a network that fails on purpose. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { RunEvent } from '../../lib/events.ts'
import type { Host } from '../../lib/inventory/inventory.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import { type CuttingProxy, startProxy } from './cutting-proxy.ts'
import { type Local, type LocalOptions, local, type Run } from './local-run.ts'
import { ofType } from './run-events.ts'
import { knownLines, type Sshd, startSshd } from './sshd.ts'

export interface There {
  place: Local
  sshd: Sshd
  proxy: CuttingProxy
  host: Host
  at(name: string): string
  read(name: string): Promise<string>
  run(what: Run, more?: LocalOptions): ReturnType<Local['run']>
}

/** How the host is reached: a jump host is behind the proxy in its place. */
export type Way = 'ssh' | 'openssh' | 'jump'

/**
 * A host behind a proxy.
 * @param sshConfig lines of ssh_config(5)
 */
export async function there(way: Way = 'ssh', sshConfig?: string): Promise<There> {
  const place = await local()
  const sshd = await startSshd()
  const bastion = way === 'jump' ? await startSshd() : sshd
  const proxy = await startProxy(bastion)
  const known = place.at('known')
  await writeFile(known, knownLines(`[127.0.0.1]:${proxy.port}`, bastion.hostKeys))
  const behind = { address: proxy.address, port: proxy.port, knownHostsFile: known }
  const own = { bootstrapDir: place.at('state') }
  const sshConfigFile = sshConfig !== undefined && {
    sshConfigFile: await sshd.writeConfig(sshConfig),
  }
  const host =
    way === 'jump'
      ? sshd.host({ ...own, proxyJump: 'bastion' })
      : sshd.host({ ...own, ...behind, sshTransport: way, ...sshConfigFile })
  const connector = createConnector({
    acceptNew: false,
    hostNamed: name => (name === 'bastion' ? bastion.host({ name, ...behind }) : undefined),
  })
  onTestFinished(() => connector.close())
  return {
    ...{ place, sshd, proxy, host, at: place.at },
    read: name => readFile(join(place.directory, name), 'utf8'),
    run: (what, more = {}) =>
      place.run(what, {
        hosts: [host],
        connector,
        timeoutMs: 20_000,
        reconnectMs: 60_000,
        ...more,
      }),
  }
}

export const warningsOf = (seen: readonly RunEvent[]) =>
  ofType(seen, 'warning').map(({ message }) => message)
