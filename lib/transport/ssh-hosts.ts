/** SSH hosts: what the connections of one run share, and how they are opened. */

import type { Debug } from '../events.ts'
import type { SshSettings } from './config/settings.ts'
import { createPacing } from './connecting/pacing.ts'
import type { Timeouts } from './connecting/timeouts.ts'
import { type AgentKeys, agentKeys } from './login/agent.ts'
import type { Answers } from './login/answers.ts'
import { createKeyring, type Keyring } from './login/keyring.ts'
import { pooled } from './pool.ts'
import type { SshConnection } from './ssh/connection.ts'
import { createJumpHosts } from './ssh/jump-hosts.ts'
import type { Passage, SshOptions, SshShared } from './ssh/ssh.ts'
import type { Transport } from './transport.ts'
import { createKnownHosts } from './trust/known-hosts-files.ts'

/** The target of a connection, and who answers its prompts. */
export interface SshEndpoint {
  settings: SshSettings
  timeouts: Timeouts
  answers: Answers
}

export type SshConnecting = Pick<
  SshOptions,
  'timeoutMs' | 'signal' | 'meanwhile' | 'ahead' | 'again' | 'debug'
> & {
  /** By connections of its own to the jump hosts. */
  apart?: boolean
}

export interface SshHosts {
  /**
   * Connects to a host.
   * @param jumps jump hosts on the way, in the order of connecting
   * @throws as `connectSsh`
   */
  connect(
    host: SshEndpoint,
    jumps: readonly SshEndpoint[],
    options: SshConnecting,
  ): Promise<Transport>
  /** The same with the system’s `ssh`. */
  connectByProgram(
    host: SshEndpoint,
    jumps: readonly SshEndpoint[],
    options: SshConnecting,
  ): Promise<Transport>
  /** Loads the libraries for connecting in this process, while something else is awaited. */
  prepare(): void
  /** The keys of an agent; each agent is asked once per run. */
  agentKeys(path: string): Promise<AgentKeys>
  /** Ends connections to jump hosts. Idempotent. */
  close(): void
}

/** @param options.notify shows a notice that needs no answer: touch a security key */
export function createSshHosts(options: {
  acceptNew: boolean
  notify: (message: string) => void
}): SshHosts {
  const { acceptNew, notify } = options
  const agents = new Map<string, Promise<AgentKeys>>()
  const keysOf = (path: string) => {
    const known = agents.get(path) ?? agentKeys(path)
    agents.set(path, known)
    return known
  }
  let keyring: Keyring | undefined
  const shared: SshShared = {
    keyring: parse => {
      keyring ??= createKeyring(parse)
      return keyring
    },
    agentKeys: keysOf,
    knownHosts: createKnownHosts(),
    paceOf: createPacing().paceOf,
  }
  const start = async (
    { settings, timeouts, answers }: SshEndpoint,
    through: Passage | undefined,
    options: SshConnecting,
  ): Promise<SshConnection> => {
    // Loading the libraries takes time, which a run on localhost need not spend.
    const { connectSsh } = await import('./ssh/ssh.ts')
    return connectSsh(settings, { ...options, timeouts, acceptNew, answers, through, shared })
  }
  // Each gets the timeouts of the host that needed it first.
  const jumpHostsOf = () =>
    createJumpHosts<SshEndpoint & { timeoutMs: number; again?: boolean; debug?: Debug }>(
      (jump, through, signal) => {
        const { timeoutMs, debug, settings, again } = jump
        const name = `jump host ${settings.destination}`
        const named: Debug | undefined = debug && ((area, text) => debug(area, `${name}: ${text}`))
        return start(jump, through, { timeoutMs, signal, ahead: false, again, debug: named })
      },
    )
  const jumpHosts = jumpHostsOf()
  const connectBy = async (
    ways: typeof jumpHosts,
    host: SshEndpoint,
    jumps: readonly SshEndpoint[],
    options: SshConnecting,
  ) => {
    const { timeoutMs, debug, again } = options
    const hops = jumps.map(jump => ({ ...jump, timeoutMs, debug, again }))
    const through = ways.passage(hops, host.settings)
    const first = await start(host, through, options)
    // Further connections are needed during the run, even to end it: Ctrl-C must not stop them.
    const more = { timeoutMs, ahead: false, again: true, debug }
    return pooled(first, () => start(host, through, more), debug)
  }
  return {
    connect: async (host, jumps, options) => {
      if (!options.apart) return connectBy(jumpHosts, host, jumps, options)
      const own = jumpHostsOf()
      try {
        const transport = await connectBy(own, host, jumps, options)
        const close = () => {
          transport.close()
          own.close()
        }
        return { ...transport, close }
      } catch (error) {
        own.close()
        throw error
      }
    },
    connectByProgram: async ({ settings, timeouts, answers }, jumps, connecting) => {
      const { connectOpenSsh } = await import('./openssh/openssh.ts')
      const hops = jumps.map(jump => jump.settings)
      const pace = shared.paceOf(
        `${settings.jumps.at(-1) ?? ''} ${settings.address}:${settings.port}`,
      )
      const common = { timeouts, acceptNew, answers, hops, pace, notify }
      const first = await connectOpenSsh(settings, { ...connecting, ...common })
      const { timeoutMs, debug, apart } = connecting
      const more = { timeoutMs, again: true, apart, debug }
      const another = () => connectOpenSsh(settings, { ...more, ...common })
      return pooled(first, another, debug)
    },
    prepare: () => {
      // The error is reported to whoever connects.
      void import('./ssh/ssh.ts').then(({ loadLibraries }) => loadLibraries()).catch(() => {})
    },
    agentKeys: keysOf,
    close: jumpHosts.close,
  }
}
