/**
 * Connects to the hosts of a run. It holds everything that they share, so a run creates one and closes it at
 * its end.
 */
import { asBootstrapError } from '../errors.ts'
import type { Debug } from '../events.ts'
import type { Host } from '../inventory/inventory.ts'
import { type BecomeKnown, become } from './become/become.ts'
import { needsOnTheWay, refuseWithout } from './config/choice.ts'
import type { SshSettings } from './config/settings.ts'
import { createSshConfig } from './config/ssh-config.ts'
import { timeoutsOf } from './connecting/timeouts.ts'
import { connectChroot, connectContainer } from './container.ts'
import { connectLocal } from './local.ts'
import { type Answers, noAnswers } from './login/answers.ts'
import { createSshHosts, type SshEndpoint } from './ssh-hosts.ts'
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

export interface ConnectOptions {
  /** Timeout for everything up to the login, in milliseconds. */
  timeoutMs: number
  signal?: AbortSignal
  /** Called once the handshake has started: for work to do while waiting. */
  meanwhile?: () => void
  /** Reports decisions. */
  debug?: Debug
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
  const { acceptNew, sshConfigFile, hostNamed } = options
  const warn = onceEach(options.warn ?? (() => {}))
  const config = createSshConfig({ configFile: sshConfigFile, hostNamed })

  const sshHosts = createSshHosts({ acceptNew, notify: warn })
  const becoming = new Map<string, BecomeKnown>()

  const reasons = new Set<string>()
  const tellWhy = ({ name }: Host, need: string) => {
    // One line per reason, however many hosts it applies to.
    if (reasons.has(need)) return
    reasons.add(need)
    warn(`${name} and hosts like it are reached by the system’s ssh: it needs ${need}`)
  }

  const warnInsecure = ({ insecureHostKey, address, port }: SshSettings) => {
    if (!insecureHostKey) return
    warn(
      `insecure_host_key is set: ${address} port ${port} may present any host key, so anyone on the way can impersonate it`,
    )
  }

  const bySsh = async (host: Host, connecting: ConnectOptions, answers: Answers) => {
    const chosen = options.sshTransport ?? host.sshTransport
    const asked = config.settings(host)
    if (chosen !== 'openssh') sshHosts.prepare()
    const settings = await asked
    const { debug } = connecting
    debug?.('connect', describeWay(settings))
    warnInsecure(settings)
    const endpoint = {
      settings,
      timeouts: timeoutsOf(host.timeouts, settings.connectTimeoutMs),
      answers,
    }
    const hops = settings.jumps.length === 0 ? [] : await config.hops(settings)
    const jumps = hops.map((hop): SshEndpoint => {
      warnInsecure(hop.settings)
      const timeouts = timeoutsOf(hop.host?.timeouts, hop.settings.connectTimeoutMs)
      // The host’s own password must not be sent to jump hosts.
      const own = hop.host ? options.answersFor?.(hop.host) : { ...answers, password: undefined }
      return { settings: hop.settings, timeouts, answers: own ?? noAnswers }
    })
    // A host that is managed as another user needs no shell of the login.
    const how = { ...connecting, ahead: !host.become }
    const byProgram = (why: string) => {
      debug?.('connect', `using the system’s ssh: ${why}`)
      return sshHosts.connectByProgram(endpoint, jumps, how)
    }
    if (chosen === 'openssh') return byProgram('it is requested')
    const hopSettings = hops.map(hop => hop.settings)
    const needs = await needsOnTheWay(settings, hopSettings, sshHosts.agentKeys)
    if (chosen === 'ssh') refuseWithout(host.name, needs)
    else if (needs.length > 0) {
      tellWhy(host, needs.join(', '))
      return byProgram(`it needs ${needs.join(', ')}`)
    }
    if (settings.ignored.length > 0) {
      warn(`the ssh configuration sets ${settings.ignored.join(', ')}, which hostwright ignores`)
    }
    debug?.(
      'connect',
      `using hostwright’s own SSH: ${chosen ? 'it is requested' : 'nothing needs the system’s'}`,
    )
    return sshHosts.connect(endpoint, jumps, how).catch(error => {
      // What a server lacks is known only after asking it.
      if (chosen === 'ssh' || asBootstrapError(error).code !== 'no_common_algorithm') throw error
      const lack = 'an algorithm that hostwright’s own SSH lacks'
      tellWhy(host, lack)
      return byProgram(`it needs ${lack}`)
    })
  }
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
        return bySsh(host, connecting, answers)
    }
  }
  return {
    connect: async (host, connecting) => {
      const answers = options.answersFor?.(host) ?? noAnswers
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

/** `settings: root@127.0.0.1 port 22, key ~/.ssh/id, through jump1, jump2` */
function describeWay(settings: SshSettings): string {
  const { user, address, port, privateKeyFile, jumps, hostKeyAlias } = settings
  const parts = [
    `${user}@${address} port ${port}`,
    privateKeyFile && `key ${privateKeyFile}`,
    hostKeyAlias && `known as ${hostKeyAlias}`,
    jumps.length > 0 && `through ${jumps.join(', ')}`,
  ]
  return `settings: ${parts.filter(Boolean).join(', ')}`
}

function onceEach(warn: (message: string) => void): (message: string) => void {
  const reported = new Set<string>()
  return message => {
    if (reported.has(message)) return
    reported.add(message)
    warn(message)
  }
}
