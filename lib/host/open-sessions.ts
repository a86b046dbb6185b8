/** The sessions of one host in a run, over a connection that is made again if it is lost. */
import type { Host } from '../inventory/inventory.ts'
import type { Watch } from '../session/watch.ts'
import { connectHost, type Restarting, reconnectHost } from './connect.ts'
import { defaultReconnectMs, type Timeouts, type World } from './job.ts'
import { recoverHost } from './recover.ts'
import { createSessions, type HostSessions } from './sessions.ts'
import { type Claim, takeLockAgain } from './take-lock.ts'

/**
 * Connects, and connects again after a restart, or when the connection was lost; then it takes the lock again.
 * @param claim goes with the first write
 * @param over sessions whose connection is used for the first one; undefined: there is a new one
 * @throws {UnreachableError} no connection or no shell
 * @throws {InterruptedError} Ctrl-C
 */
export async function openSessions(
  host: Host,
  { connector, timeouts, interrupts }: Pick<World, 'connector' | 'timeouts' | 'interrupts'>,
  claim: Claim | undefined,
  reconnectMs: number,
  warn: (message: string) => void,
  watch: Watch,
  over?: HostSessions,
): Promise<HostSessions> {
  const { connectMs, keepalive } = timeouts
  const connecting = { connector, timeoutMs: connectMs, interrupts, warn, watch, keepalive }
  const first = claim ? [claim.take()] : []
  const connected = over
    ? await over.beside({ bootstrapDir: host.bootstrapDir, first, warn, watch })
    : await connectHost(host, connecting, first)
  const reconnect = (restarting: Restarting) =>
    reconnectHost(host, connecting, restarting, async session => {
      if (claim) await takeLockAgain(session, claim)
    })
  if (reconnectMs === 0) return createSessions(connected, reconnect, watch)
  const recovering = { claim: () => claim?.takeBack(), say: warn }
  return createSessions(connected, reconnect, watch, async (lost, after, last) => {
    // Ctrl-C came before: nothing new begins.
    if (interrupts.stop.aborted || (last && !claim?.takeBack())) throw lost
    const withinMs = last ? Math.min(reconnectMs, lastMs) : reconnectMs
    return recoverHost(host, connecting, { ...recovering, withinMs }, lost, after)
  })
}

/** How long it may take to give the lock back, in milliseconds, when all is done. The host frees it by itself in a minute. */
const lastMs = 15_000

/** How long a lost connection is made again, in milliseconds. Between this machine and itself nothing is lost. */
export const recoveryOf = ({ connection, timeouts }: Host, { reconnectMs }: Timeouts): number =>
  connection === 'ssh' ? (reconnectMs ?? timeouts?.reconnectMs ?? defaultReconnectMs) : 0
