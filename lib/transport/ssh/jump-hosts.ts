/**
 * Connections to jump hosts: one to each, shared by all hosts behind it, opened for the first host that needs
 * it and kept for the run.
 */
import type { Duplex } from 'node:stream'
import { asBootstrapError, isBootstrapError, UnreachableError } from '../../errors.ts'
import type { SshSettings } from '../config/settings.ts'
import type { Limits } from '../connecting/limits.ts'
import type { SshConnection } from './connection.ts'
import type { Passage } from './ssh.ts'

/** A jump host, and what is needed to connect to it. */
export interface JumpHost {
  settings: Pick<
    SshSettings,
    | 'address'
    | 'port'
    | 'user'
    | 'destination'
    | 'hostKeyAlias'
    | 'userKnownHostsFiles'
    | 'globalKnownHostsFiles'
    | 'insecureHostKey'
  >
  /** The host behind it was connected before: it is tried again at once. */
  again?: boolean
}

export interface JumpHosts<Jump extends JumpHost> {
  /**
   * The passage to a host.
   * @param jumps in the order of connecting; undefined if there are none
   */
  passage(
    jumps: readonly Jump[],
    target: Pick<SshSettings, 'address' | 'port'>,
  ): Passage | undefined
  /** Ends all connections. Idempotent. */
  close(): void
}

/** How long an unreachable jump host is not retried, in milliseconds. */
const sulkMs = 30_000

/** Failures that a retry in the same run would not change. */
const lasting: readonly string[] = [
  'auth_failed',
  'host_key_unknown',
  'host_key_changed',
  'host_key_revoked',
]

interface Kept {
  connection: Promise<SshConnection>
  /** Set after a failure: not retried until then (`performance.now`). */
  failedUntil?: number
}

/** Whether the connection is there, or on its way, or is not to be tried again. */
const isToUse = ({ failedUntil }: Kept, { again = false }: JumpHost): boolean => {
  if (failedUntil === undefined || failedUntil === Number.POSITIVE_INFINITY) return true
  return !again && failedUntil > performance.now()
}

/** @param connect connects to a jump host, through another one or none; `signal` aborts it */
export function createJumpHosts<Jump extends JumpHost>(
  connect: (
    jump: Jump,
    through: Passage | undefined,
    signal: AbortSignal,
  ) => Promise<SshConnection>,
): JumpHosts<Jump> {
  const kept = new Map<string, Kept>()
  const closing = new AbortController()

  const connectionTo = (jumps: readonly Jump[]): Promise<SshConnection> => {
    const key = JSON.stringify(jumps.map(identify))
    const known = kept.get(key)
    const jump = jumps.at(-1)!
    if (known && isToUse(known, jump)) return known.connection
    const connection = connect(jump, passage(jumps.slice(0, -1), jump.settings), closing.signal)
    const entry: Kept = { connection }
    kept.set(key, entry)
    const forget = () => {
      if (kept.get(key) === entry) kept.delete(key)
    }
    connection.then(
      made => {
        if (closing.signal.aborted) made.close()
        else made.onLost(forget)
      },
      cause => {
        const lasts = lasting.includes(asBootstrapError(cause).code)
        entry.failedUntil = lasts ? Number.POSITIVE_INFINITY : performance.now() + sulkMs
      },
    )
    return connection
  }

  const passage = (
    jumps: readonly Jump[],
    { address, port }: Pick<SshSettings, 'address' | 'port'>,
  ): Passage | undefined => {
    const last = jumps.at(-1)
    if (!last) return undefined
    const name = nameOf(last)
    const reach = async (limits: Limits): Promise<Duplex> => {
      // Its own timeout: that of the host behind it starts after the jump host’s login.
      const connection = await limits.waitFor(connectionTo(jumps)).catch(error => {
        throw behind(error, name)
      })
      return connection.forward(address, port)
    }
    const open = (limits: Limits) =>
      reach(limits).catch(error => {
        // It was lost a moment ago, unnoticed.
        if (isBootstrapError(error) && error.code === 'connection_lost') return reach(limits)
        throw error
      })
    return { name, open }
  }

  /** Errors that already name the jump host. */
  const reported = new WeakSet<Error>()
  const behind = (error: unknown, name: string): unknown => {
    if (!(error instanceof UnreachableError) || reported.has(error)) return error
    const { hint, output, cause } = error.details
    const message = `jump host ${name} is unreachable: ${error.message}`
    const named = new UnreachableError(error.code, message, { hint, output, cause })
    reported.add(named)
    return named
  }

  return {
    passage,
    close: () => {
      closing.abort()
      for (const { connection } of kept.values()) {
        connection.then(
          made => made.close(),
          () => {},
        )
      }
      kept.clear()
    },
  }
}

/**
 * Two hops are the same only if they trust the same keys: insecure_host_key applies only to the host that
 * sets it.
 */
const identify = ({ settings }: JumpHost) => {
  const { user, address, port, hostKeyAlias, insecureHostKey } = settings
  const files = [settings.userKnownHostsFiles, settings.globalKnownHostsFiles]
  return [user, address, port, hostKeyAlias, insecureHostKey, files]
}

const nameOf = ({ settings: { destination } }: JumpHost) => destination
