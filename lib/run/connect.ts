/** The transport that a host's inventory entry asks for. */
import type { Host } from '../inventory/inventory.ts'
import { connectLocal } from '../transport/local.ts'
import type { Transport } from '../transport/transport.ts'

export interface TransportOptions {
  /** For connecting, handshake and authentication. */
  timeoutMs: number
  acceptNew: boolean
}

/** @throws {UnreachableError} */
export async function openTransport(
  host: Host,
  { timeoutMs, acceptNew }: TransportOptions,
): Promise<Transport> {
  if (host.connection === 'local') return connectLocal()
  // Its libraries take their time to load: a run on localhost is spared them.
  const { connectSsh } = await import('../transport/ssh.ts')
  return connectSsh(host, { timeoutMs, acceptNew })
}
