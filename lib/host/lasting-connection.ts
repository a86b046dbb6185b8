/** The connection to one host, which may be replaced: after a restart, or when it was lost. */
import { type BootstrapError, isBootstrapError } from '../errors.ts'
import type { ConnectedHost } from './connect.ts'
import type { Recovered } from './recover.ts'

/** Connects to the host again. `after`: ids of calls begin after this. `last`: all is done, but the lock may be held. */
export type Recover = (lost: BootstrapError, after: number, last?: 'last') => Promise<Recovered>

export interface LastingConnection {
  readonly now: ConnectedHost & Partial<Recovered>
  /** How often the controller waited for the host, in the main sessions of all connections. */
  readonly roundTrips: number
  /** Ends the connection, and makes another one. */
  replace(connect: (lastId: number) => Promise<ConnectedHost>): Promise<void>
  /**
   * Returns once there is another connection in the place of one that was lost.
   * @param error how the work over the connection `from` ended
   * @param last as of `Recover`
   * @throws the error, unless it says that the connection was lost; or why there is no other one
   */
  restore(error: unknown, from: ConnectedHost, last?: 'last'): Promise<void>
  /** Ends the connection for good. */
  drop(): void
}

/** @param recover undefined: a connection that is lost is not made again */
export function createLastingConnection(
  first: ConnectedHost,
  recover?: Recover,
): LastingConnection {
  let now: ConnectedHost & Partial<Recovered> = first
  /** In the main sessions of earlier connections. */
  let trips = 0
  let replacing: Promise<void> | undefined
  /** No connection is made any more: it was ended on purpose, or given up for this. */
  let over: { error?: unknown } | undefined
  const connectAgain = async (connect: (lastId: number) => Promise<ConnectedHost>) => {
    const { session, transport } = now
    // The host may be down: don't wait for its goodbye.
    transport.close()
    const again = await connect(session.lastId)
    trips += session.roundTrips
    now = again
    if (over) again.transport.close()
  }
  const replace: LastingConnection['replace'] = connect => {
    replacing = connectAgain(connect).finally(() => {
      replacing = undefined
    })
    return replacing
  }
  return {
    get now() {
      return now
    },
    get roundTrips() {
      return trips + now.session.roundTrips
    },
    replace,
    restore: async (error, from, last) => {
      if (!recover || !isBootstrapError(error) || error.code !== 'connection_lost') throw error
      if (over) throw over.error ?? error
      if (replacing) return replacing
      if (now !== from) return
      await replace(lastId => recover(error, lastId, last)).catch(failure => {
        over = { error: failure }
        throw failure
      })
    },
    drop: () => {
      over ??= {}
      now.transport.close()
    },
  }
}
