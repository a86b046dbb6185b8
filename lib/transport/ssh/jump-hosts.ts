/**
 * Connections to jump hosts: one to each, shared by all hosts behind it, opened when the first of them wants
 * it and kept for the run.
 */
import type { Duplex } from 'node:stream'
import { asBootstrapError, isBootstrapError, UnreachableError } from '../../errors.ts'
import type { SshSettings } from '../config/settings.ts'
import type { Limits } from '../connecting/limits.ts'
import type { SshConnection } from './connection.ts'
import type { Passage } from './ssh.ts'

/** A jump host, and whatever belongs to connecting to it. */
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
}

export interface JumpHosts<Jump extends JumpHost> {
  /**
   * The way to a host.
   * @param jumps in the order of connecting; undefined where there are none
   */
  passage(
    jumps: readonly Jump[],
    target: Pick<SshSettings, 'address' | 'port'>,
  ): Passage | undefined
  /** Ends all connections. Idempotent. */
  close(): void
}

/** How long a jump host that could not be reached is not tried again, in milliseconds. */
const sulkMs = 30_000

/** What trying again would not change in a run. */
const lasting: readonly string[] = [
  'auth_failed',
  'host_key_unknown',
  'host_key_changed',
  'host_key_revoked',
]

interface Kept {
  connection: Promise<SshConnection>
  /** It failed, and is not tried again until then (`performance.now`). */
  failedUntil?: number
}

/** @param connect connects to a jump host, through another one or none; `signal` ends that */
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
    if (known && (known.failedUntil ?? Number.POSITIVE_INFINITY) > performance.now()) {
      return known.connection
    }
    const jump = jumps.at(-1)!
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
      // Its own time: that of the host behind it begins when the jump host has let us in.
      const connection = await limits.waitFor(connectionTo(jumps)).catch(error => {
        throw behind(error, name)
      })
      return connection.forward(address, port)
    }
    const open = (limits: Limits) =>
      reach(limits).catch(error => {
        // It was lost a moment ago, and nobody had noticed.
        if (isBootstrapError(error) && error.code === 'connection_lost') return reach(limits)
        throw error
      })
    return { name, open }
  }

  /** Errors that name the jump host that failed. */
  const told = new WeakSet<Error>()
  const behind = (error: unknown, name: string): unknown => {
    if (!(error instanceof UnreachableError) || told.has(error)) return error
    const { hint, output, cause } = error.details
    const message = `jump host ${name} is unreachable: ${error.message}`
    const named = new UnreachableError(error.code, message, { hint, output, cause })
    told.add(named)
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

/** Who is trusted by the same is the same: insecure_host_key is for the host that has it, and no other. */
const identify = ({ settings }: JumpHost) => {
  const { user, address, port, hostKeyAlias, insecureHostKey } = settings
  const files = [settings.userKnownHostsFiles, settings.globalKnownHostsFiles]
  return [user, address, port, hostKeyAlias, insecureHostKey, files]
}

const nameOf = ({ settings: { destination } }: JumpHost) => destination
