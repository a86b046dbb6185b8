/** Sessions of hosts, over the transport that the inventory's entry asks for. */
import { InterruptedError, UnreachableError } from '../errors.ts'
import type { Host } from '../inventory/inventory.ts'
import type { HostCall } from '../session/call.ts'
import { openSession, type Session } from '../session/session.ts'
import { connectLocal } from '../transport/local.ts'
import type { Transport } from '../transport/transport.ts'

export interface TransportOptions {
  /** For connecting, handshake, authentication, and the first answer of the host's shell. */
  timeoutMs: number
  acceptNew: boolean
  /** Ctrl-C: nobody waits for the host any more. Once the session is open it means nothing. */
  signal?: AbortSignal
  /** Told when what runs there could be neither interrupted nor ended. */
  warn?: (message: string) => void
}

/**
 * Connects and opens the host's session.
 * @param first calls that travel with the session's first write: the lock
 * @throws {UnreachableError}
 * @throws {InterruptedError} by the signal
 */
export async function connectHost(
  host: Host,
  options: TransportOptions,
  first: readonly HostCall[],
): Promise<Session> {
  const deadline = Date.now() + options.timeoutMs
  const transport = await openTransport(host, options)
  const giveUp = givingUp(host, options, deadline)
  try {
    const opening = openSession({
      transport,
      bootstrapDir: host.bootstrapDir,
      first,
      // Ctrl-C is what it is for.
      reconnect: () => openTransport(host, { ...options, signal: undefined }),
      warn: options.warn,
    })
    return await Promise.race([opening, giveUp.failure])
  } catch (error) {
    transport.close()
    throw error
  } finally {
    giveUp.dispose()
  }
}

/** `failure` rejects when the time is over or the signal comes. */
function givingUp(host: Host, { timeoutMs, signal }: TransportOptions, deadline: number) {
  let dispose = () => {}
  const failure = new Promise<never>((_, reject) => {
    const stop = () => reject(new InterruptedError('interrupted', 'interrupted while connecting'))
    const late = () =>
      reject(
        new UnreachableError(
          'connect_timeout',
          `${host.address} port ${host.port} let us in, but the login’s shell said nothing within ${timeoutMs / 1000} s`,
          {
            hint: 'See what the login runs before it takes commands (its .bashrc); --timeout gives it longer.',
          },
        ),
      )
    // A shell of this machine reads no login's files.
    const timer = host.connection === 'ssh' ? setTimeout(late, deadline - Date.now()) : undefined
    signal?.addEventListener('abort', stop)
    if (signal?.aborted) stop()
    dispose = () => {
      clearTimeout(timer)
      signal?.removeEventListener('abort', stop)
    }
  })
  return { failure, dispose }
}

async function openTransport(
  host: Host,
  { timeoutMs, acceptNew, signal }: TransportOptions,
): Promise<Transport> {
  if (host.connection === 'local') return connectLocal()
  // Its libraries take their time to load: a run on localhost is spared them.
  const { connectSsh } = await import('../transport/ssh.ts')
  return connectSsh(host, { timeoutMs, acceptNew, signal })
}
