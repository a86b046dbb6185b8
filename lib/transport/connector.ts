/**
 * Connects to the hosts of a run. It holds everything that they share, so a run creates one and closes it at
 * its end.
 */
import type { Host } from '../inventory/inventory.ts'
import { type BecomeKnown, become } from './become/become.ts'
import { type ConnectOptions, connectBySsh, type SshWays } from './by-ssh.ts'
import { createSshConfig } from './config/ssh-config.ts'
import { timeoutsOf } from './connecting/timeouts.ts'
import { connectChroot, connectContainer } from './container.ts'
import { connectLocal } from './local.ts'
import { type Answers, noAnswers } from './login/answers.ts'
import { createSshHosts } from './ssh-hosts.ts'
import type { Transport } from './transport.ts'

export interface ConnectorOptions {
  /** Adds unknown host keys to known_hosts; never changed ones. */
  acceptNew: boolean
  /** The SSH to use for all SSH hosts. Default: each host’s own setting. */
  sshTransport?: 'ssh' | 'openssh'
  /** Used instead of ~/.ssh/config and the system-wide file; `none` for neither. */
  sshConfigFile?: string
  /** Finds a host of the inventory by name: jump hosts may be in it. */
  hostNamed?: (name: string) => Host | undefined
  /** Answers the prompts of a login, by host. Default: nobody. */
  answersFor?: (host: Host) => Answers
  /**
   * Called once per run for each message: why another transport is used, which settings are ignored, what is
   * insecure.
   */
  warn?: (message: string) => void
}

export interface Connector {
  /**
   * Connects to a host with the transport that it needs.
   * @throws {UnreachableError}
   * @throws {InterruptedError} by the signal
   */
  connect(host: Host, options: ConnectOptions): Promise<Transport>
  /** Closes what hosts share: connections to jump hosts. Idempotent. */
  close(): void
}

/**
 * @example
 * const connector = createConnector({ acceptNew: false, warn: console.warn })
 * const transport = await connector.connect(host, { timeoutMs: 30_000 })
 */
export function createConnector(options: ConnectorOptions): Connector {
  const { acceptNew, sshConfigFile, hostNamed, answersFor } = options
  const warn = onceEach(options.warn ?? (() => {}))
  const config = createSshConfig({ configFile: sshConfigFile, hostNamed })
  const sshHosts = createSshHosts({ acceptNew, notify: warn })
  const sshWays: SshWays = {
    config,
    sshHosts,
    transport: options.sshTransport,
    answersFor,
    explained: new Set(),
    warn,
  }
  const becoming = new Map<string, BecomeKnown>()

  const connect = async (host: Host, connecting: ConnectOptions, answers: Answers) => {
    switch (host.connection) {
      case 'local':
        return connectLocal()
      case 'docker':
      case 'podman':
        return connectContainer(host.connection, { name: host.address, user: host.user })
      case 'chroot':
        return connectChroot(host.address)
      case 'ssh':
        return connectBySsh(sshWays, host, connecting, answers)
    }
  }
  return {
    connect: async (host, connecting) => {
      const answers = answersFor?.(host) ?? noAnswers
      const transport = await connect(host, connecting, answers)
      if (!host.become) return transport
      // Further connections to a host reuse what the first one learned.
      const known = becoming.get(host.name) ?? { terminal: false }
      becoming.set(host.name, known)
      const { method, user } = host.become
      const { authMs: limitMs } = timeoutsOf(host.timeouts)
      const { debug } = connecting
      const password = answers.becomePassword
      return become(transport, { method, user, password, limitMs, known, debug })
    },
    close: () => {
      sshHosts.close()
      config.close()
    },
  }
}

function onceEach(warn: (message: string) => void): (message: string) => void {
  const reported = new Set<string>()
  return message => {
    if (reported.has(message)) return
    reported.add(message)
    warn(message)
  }
}
