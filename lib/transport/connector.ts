/**
 * Reaching the hosts of a run: what they share is kept here and nowhere else, so a run makes one and
 * closes it at its end.
 */
import { homedir, userInfo } from 'node:os'
import type { Host } from '../inventory/inventory.ts'
import { type Answers, noAnswers } from './answers.ts'
import { connectChroot, connectContainer } from './container.ts'
import { connectLocal } from './local.ts'
import { settingsOf } from './settings.ts'
import { timeoutsOf } from './timeouts.ts'
import type { Transport } from './transport.ts'

export interface ConnectorOptions {
  /** Adds host keys that are not known yet to known_hosts; never changed ones. */
  acceptNew: boolean
  /** Which SSH, for all hosts that are reached by it. Default: as each host says. */
  sshTransport?: 'ssh' | 'openssh'
  /** Instead of ~/.ssh/config and the machine's; `none` for neither. */
  sshConfigFile?: string
  /** A host of the inventory by its name: jump hosts may be among them. */
  hostNamed?: (name: string) => Host | undefined
  /** Who answers what a login is asked, by host. Default: nobody. */
  answersFor?: (host: Host) => Answers
  /** Told once a run each: why another transport was taken, what could not be honoured, what is insecure. */
  warn?: (message: string) => void
}

export interface ConnectOptions {
  /** For everything until the login is let in, in milliseconds. */
  timeoutMs: number
  signal?: AbortSignal
  /** Called once the handshake is under way: for work that the time of waiting is good for. */
  meanwhile?: () => void
}

export interface Connector {
  /**
   * Connects to a host by the transport that it wants.
   * @throws {UnreachableError}
   * @throws {InterruptedError} by the signal
   */
  connect(host: Host, options: ConnectOptions): Promise<Transport>
  /** Ends what hosts shared: connections to jump hosts. Idempotent. */
  close(): void
}

export function createConnector({ acceptNew, answersFor }: ConnectorOptions): Connector {
  return {
    connect: async (host, options) => {
      switch (host.connection) {
        case 'local':
          return connectLocal()
        case 'docker':
        case 'podman':
          return connectContainer(host.connection, { name: host.address, user: host.user })
        case 'chroot':
          return connectChroot(host.address)
      }
      const surroundings = { home: homedir(), user: userInfo().username, env: process.env }
      const settings = settingsOf(host, surroundings)
      const timeouts = timeoutsOf(host.timeouts, settings.connectTimeoutMs)
      const answers = answersFor?.(host) ?? noAnswers
      // Its libraries take their time to load: a run on localhost is spared them.
      const { connectSsh } = await import('./ssh.ts')
      return connectSsh(settings, { ...options, timeouts, acceptNew, answers })
    },
    close: () => {},
  }
}
