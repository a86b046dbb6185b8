/** Connects to an SSH host by hostwright’s own SSH, or by the system’s if the host needs what ours lacks. */
import { asBootstrapError } from '../errors.ts'
import type { Debug } from '../events.ts'
import type { Host } from '../inventory/inventory.ts'
import { needsOnTheWay, refuseWithout } from './config/choice.ts'
import type { SshSettings } from './config/settings.ts'
import type { SshConfig } from './config/ssh-config.ts'
import { isTooLong } from './connecting/connect-error.ts'
import { timeoutsOf } from './connecting/timeouts.ts'
import { type Answers, noAnswers } from './login/answers.ts'
import type { SshEndpoint, SshHosts } from './ssh-hosts.ts'
import type { Transport } from './transport.ts'

export interface ConnectOptions {
  /** Timeout for everything up to the login, in milliseconds. */
  timeoutMs: number
  signal?: AbortSignal
  /** Called once the handshake has started: for work to do while waiting. */
  meanwhile?: () => void
  /**
   * It was connected before: jump hosts that could not be reached a moment ago are tried again at once, and a connection
   * that is closed during the login is no refusal of that.
   */
  again?: boolean
  /** Shares nothing with other connections, not even the way: also to jump hosts there are new ones. */
  apart?: boolean
  /** Reports decisions. */
  debug?: Debug
}

/** What the SSH hosts of a run share. */
export interface SshWays {
  config: SshConfig
  sshHosts: SshHosts
  /** The SSH to use for all hosts. Default: each host’s own setting. */
  transport?: 'ssh' | 'openssh'
  answersFor?: (host: Host) => Answers
  /** The reasons for the system’s ssh that were shown. */
  explained: Set<string>
  /** Shows each message once. */
  warn: (message: string) => void
}

/**
 * @param answers to the prompts of the host’s login
 * @throws {UnreachableError}
 * @throws {UsageError} ssh_config_invalid
 */
export async function connectBySsh(
  ways: SshWays,
  host: Host,
  connecting: ConnectOptions,
  answers: Answers,
): Promise<Transport> {
  const { config, sshHosts, warn } = ways
  const chosen = ways.transport ?? host.sshTransport
  const asked = config.settings(host)
  if (chosen !== 'openssh') sshHosts.prepare()
  const settings = await asked
  const { debug } = connecting
  debug?.('connect', describeWay(settings))
  warnInsecure(settings, warn)
  const timeouts = timeoutsOf(host.timeouts, settings.connectTimeoutMs)
  const endpoint = { settings, timeouts, answers }
  const jumps = await jumpsTo(ways, settings, answers)
  // A host that is managed as another user needs no shell of the login.
  const how = { ...connecting, ahead: !host.become }
  const byProgram = (why: string) => {
    debug?.('connect', `using the system’s ssh: ${why}`)
    return sshHosts.connectByProgram(endpoint, jumps, how)
  }
  if (chosen === 'openssh') return byProgram('it is requested')
  const hopSettings = jumps.map(hop => hop.settings)
  const needs = await needsOnTheWay(settings, hopSettings, sshHosts.agentKeys)
  if (chosen === 'ssh') refuseWithout(host.name, needs)
  else if (needs.length > 0) {
    explain(ways, host, needs.join(', '))
    return byProgram(`it needs ${needs.join(', ')}`)
  }
  if (settings.ignored.length > 0) {
    warn(`the ssh configuration sets ${settings.ignored.join(', ')}, which hostwright ignores`)
  }
  const why = chosen ? 'it is requested' : 'nothing needs the system’s'
  debug?.('connect', `using hostwright’s own SSH: ${why}`)
  return sshHosts.connect(endpoint, jumps, how).catch(error => {
    // What a server lacks is known only after asking it.
    const lack =
      asBootstrapError(error).code === 'no_common_algorithm'
        ? 'an algorithm that hostwright’s own SSH lacks'
        : isTooLong(error) && 'a longer banner than hostwright’s own SSH can read'
    if (chosen === 'ssh' || !lack) throw error
    explain(ways, host, lack)
    return byProgram(`it needs ${lack}`)
  })
}

/** The jump hosts on the way, in the order of connecting. */
async function jumpsTo(
  { config, answersFor, warn }: SshWays,
  settings: SshSettings,
  answers: Answers,
): Promise<SshEndpoint[]> {
  if (settings.jumps.length === 0) return []
  return (await config.hops(settings)).map(hop => {
    warnInsecure(hop.settings, warn)
    const timeouts = timeoutsOf(hop.host?.timeouts, hop.settings.connectTimeoutMs)
    // The host’s own password must not be sent to jump hosts.
    const own = hop.host ? answersFor?.(hop.host) : { ...answers, password: undefined }
    return { settings: hop.settings, timeouts, answers: own ?? noAnswers }
  })
}

/** Says why the system’s ssh is used: one line per reason, however many hosts it applies to. */
function explain({ explained, warn }: SshWays, { name }: Host, need: string): void {
  if (explained.has(need)) return
  explained.add(need)
  warn(`${name} and hosts like it are reached by the system’s ssh: it needs ${need}`)
}

function warnInsecure({ insecureHostKey, address, port }: SshSettings, warn: SshWays['warn']) {
  if (!insecureHostKey) return
  warn(
    `insecure_host_key is set: ${address} port ${port} may present any host key, so anyone on the way can impersonate it`,
  )
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
