/** Timeouts for each part of reaching a host, in milliseconds. */
import type { HostTimeouts } from '../../inventory/inventory.ts'

/** Each is named in the error when it is over; `--timeout` limits all of them together. */
export type Timeouts = Required<Omit<HostTimeouts, 'commandMs' | 'reconnectMs'>>

/** Ten seconds allow for three lost SYN packets (1, 2 and 4 s apart). */
export const defaultTimeouts: Timeouts = { connectMs: 10_000, handshakeMs: 15_000, authMs: 20_000 }

/**
 * @param set the inventory’s values
 * @param configured ssh’s ConnectTimeout: it applies to the connection and to the handshake (ssh_config(5))
 */
export const timeoutsOf = (set: HostTimeouts = {}, configured?: number): Timeouts => ({
  connectMs: set.connectMs ?? configured ?? defaultTimeouts.connectMs,
  handshakeMs: set.handshakeMs ?? configured ?? defaultTimeouts.handshakeMs,
  authMs: set.authMs ?? defaultTimeouts.authMs,
})
