/** Opens sessions on hosts, over the transport that the inventory sets. */
import { setTimeout as delay } from 'node:timers/promises'
import { errorCodes, InterruptedError, UnreachableError } from '../errors.ts'
import type { Host } from '../inventory/inventory.ts'
import type { HostCall } from '../session/call.ts'
import type { Keepalive } from '../session/keepalive.ts'
import { openSession, type Session, warmUp } from '../session/session.ts'
import type { Watch } from '../session/watch.ts'
import type { Connector } from '../transport/connector.ts'
import type { Transport } from '../transport/transport.ts'
import type { Interrupts } from './interrupts.ts'

/** How to connect to a host. */
export interface Connecting {
  /** For connecting, handshake, authentication, and the first answer of the host's shell. */
  timeoutMs: number
  connector: Connector
  /** Ctrl-C ends the connecting. It has no effect once the session is open. */
  interrupts?: Interrupts
  /** Called if the work on the host could be neither interrupted nor ended. */
  warn?: (message: string) => void
  /** Observers. */
  watch?: Watch
  /** When silence ends a session. */
  keepalive?: Keepalive
  /** The connection shares nothing with others, not even the way: it proves that the host can be reached. */
  apart?: boolean
}

/** A host with its connection and the session of the connection's user. */
export interface ConnectedHost {
  transport: Transport
  session: Session
  /** For the sessions of other users. */
  keepalive?: Keepalive
}

/**
 * Connects and opens the host's session.
 * @param first calls that go with the session's first write: the lock
 * @param after ids of calls begin after this
 * @throws {UnreachableError} no connection or no shell
 * @throws {InterruptedError} Ctrl-C
 */
export async function connectHost(
  host: Host,
  { connector, timeoutMs, interrupts, warn, watch, keepalive, apart }: Connecting,
  first: readonly HostCall[],
  after?: number,
): Promise<ConnectedHost> {
  const deadline = Date.now() + timeoutMs
  const signal = interrupts?.stop
  const debug = watch?.debug
  const again = after !== undefined
  const how = { timeoutMs, signal, meanwhile: warmUp, again, apart, debug }
  const transport = await connector.connect(host, how)
  const giveUp = givingUp(host, timeoutMs, deadline, signal)
  try {
    const { bootstrapDir } = host
    const { limit } = giveUp
    const opened = { transport, bootstrapDir, first, warn, watch, limit, after, keepalive }
    const session = await Promise.race([openSession(opened), giveUp.failure])
    return { transport, session, keepalive }
  } catch (error) {
    transport.close()
    throw error
  } finally {
    giveUp.dispose()
  }
}

/** A host that is restarting. */
export interface Restarting {
  withinMs: number
  /** Boot id before the restart. */
  boot: string
}

/**
 * Connects to a host that restarts, again and again until another boot answers.
 * @param ready what that boot has to do before the host counts as back
 * @throws {UnreachableError} host_not_back; immediately for host_key_changed, host_key_revoked and become_failed
 * @throws {InterruptedError} Ctrl-C
 */
export async function reconnectHost(
  host: Host,
  { connector, timeoutMs, interrupts, warn, watch, keepalive }: Connecting,
  { withinMs, boot }: Restarting,
  ready: (session: Session) => Promise<void>,
): Promise<ConnectedHost> {
  const deadline = Date.now() + withinMs
  let last = ''
  while (Date.now() < deadline) {
    const left = Math.min(timeoutMs, deadline - Date.now())
    try {
      const connecting = { connector, timeoutMs: left, interrupts, warn, watch, keepalive }
      const connected = await connectHost(host, connecting, [showBoot])
      if (connected.session.first[0]!.stdout.toString('utf8').trim() !== boot) {
        return await ready(connected.session).then(
          () => connected,
          async error => {
            // An open connection would keep this process alive.
            await connected.session.close().catch(() => {})
            throw error
          },
        )
      }
      last = 'it has not shut down yet'
      await connected.session.close()
    } catch (error) {
      // A closed port, a lost connection, or a host that refuses logins while it boots, is temporary.
      if (!(error instanceof UnreachableError) || neverPasses.has(error.code)) throw error
      last = error.message
    }
    await delay(retryMs, undefined, { signal: interrupts?.stop }).catch(() => {
      throw new InterruptedError('interrupted', 'interrupted while the host restarted')
    })
  }
  throw new UnreachableError('host_not_back', `it did not come back within ${withinMs / 1000} s`, {
    output: last,
    hint: errorCodes.host_not_back.next,
  })
}

/** A host with another key is another host; a refused password must not be sent again. */
const neverPasses: ReadonlySet<string> = new Set([
  'host_key_changed',
  'host_key_revoked',
  'become_failed',
])

const showBoot: HostCall = { name: 'hw_show_boot', args: [] }

/** Pause between attempts to reach a restarting host. */
const retryMs = 1000

/** How long after the deadline a login may take to say what it is, in milliseconds. */
const lastWordsMs = 1500

/** `limit` ends the opening of a session at the deadline; `failure` rejects soon after it, or on the signal. */
function givingUp(host: Host, timeoutMs: number, deadline: number, signal?: AbortSignal) {
  let dispose = () => {}
  const over = new AbortController()
  const late = (said: string) =>
    new UnreachableError(
      'connect_timeout',
      `${host.address} accepted the login, but its shell ran no command within ${timeoutMs / 1000} s`,
      {
        output: said || undefined,
        hint: 'Check what the login runs first (.bashrc, a menu, another shell), or raise --timeout.',
      },
    )
  const failure = new Promise<never>((_, reject) => {
    const stop = () => reject(new InterruptedError('interrupted', 'interrupted while connecting'))
    const end = () => {
      over.abort()
      timer = setTimeout(() => reject(late('')), lastWordsMs)
    }
    // A local shell reads no startup files of a login.
    let timer = host.connection === 'ssh' ? setTimeout(end, deadline - Date.now()) : undefined
    signal?.addEventListener('abort', stop)
    if (signal?.aborted) stop()
    dispose = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  })
  return { failure, dispose, limit: { signal: over.signal, late } }
}
