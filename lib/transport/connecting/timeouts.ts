/** How long each part of reaching a host may take, in milliseconds. */
import type { HostTimeouts } from '../../inventory/inventory.ts'

/** Each names itself in the error when its time is over; all of them together are held to `--timeout`. */
export type Timeouts = Required<Omit<HostTimeouts, 'commandMs'>>

/** Ten seconds are three lost SYN packets (1, 2 and 4 s apart) and some. */
export const defaultTimeouts: Timeouts = { connectMs: 10_000, handshakeMs: 15_000, authMs: 20_000 }

/**
 * @param set what the inventory says
 * @param configured ssh’s ConnectTimeout: it holds for the connection, and for the handshake (ssh_config(5))
 */
export const timeoutsOf = (set: HostTimeouts = {}, configured?: number): Timeouts => ({
  connectMs: set.connectMs ?? configured ?? defaultTimeouts.connectMs,
  handshakeMs: set.handshakeMs ?? configured ?? defaultTimeouts.handshakeMs,
  authMs: set.authMs ?? defaultTimeouts.authMs,
})
