/** Sessions of hosts, over the transport that the inventory's entry asks for. */
import type { Host } from '../inventory/inventory.ts'
import type { HostCall } from '../session/call.ts'
import { openSession, type Session } from '../session/session.ts'
import { connectLocal } from '../transport/local.ts'
import type { Transport } from '../transport/transport.ts'

export interface TransportOptions {
  /** For connecting, handshake and authentication. */
  timeoutMs: number
  acceptNew: boolean
}

/**
 * Connects and opens the host's session.
 * @param first calls that travel with the session's first write: the lock
 * @throws {UnreachableError}
 */
export async function connectHost(
  host: Host,
  options: TransportOptions,
  first: readonly HostCall[],
): Promise<Session> {
  const transport = await openTransport(host, options)
  try {
    return await openSession({ transport, bootstrapDir: host.bootstrapDir, first })
  } catch (error) {
    transport.close()
    throw error
  }
}

async function openTransport(
  host: Host,
  { timeoutMs, acceptNew }: TransportOptions,
): Promise<Transport> {
  if (host.connection === 'local') return connectLocal()
  // Its libraries take their time to load: a run on localhost is spared them.
  const { connectSsh } = await import('../transport/ssh.ts')
  return connectSsh(host, { timeoutMs, acceptNew })
}
