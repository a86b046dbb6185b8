/** What the hosts of one run share with each other. */
import type { Host } from '../inventory/inventory.ts'
import type { Progress } from '../report/progress.ts'
import type { Facts } from '../session/first-facts.ts'
import type { Onces } from './once.ts'
import type { HostSessions } from './sessions.ts'
import type { Turns } from './turns.ts'

export interface Across {
  /** What sessions have reported of their hosts, by name. */
  readonly facts: Map<string, Facts>
  /** Who changes which host. */
  readonly turns: Turns
  /** Connections for work at other hosts. */
  readonly guests: Guests
  /** What is done once. */
  readonly onces: Onces
  /** The number of a host's batch. */
  batchOf(host: string): number
  /** How often a host’s part of the run begins, with this time: from 1. */
  roundOf(host: string): number
  /** The reports of all hosts that have begun. */
  readonly visitors: Progress[]
}

/** The connections of a run to hosts that `on()` names. */
export interface Guests {
  /**
   * Sessions of a host without its lock, opened at the first call: for what only looks, and for further sessions beside.
   * @throws {UnreachableError} it can't be reached; the next call tries again
   * @throws {InterruptedError} Ctrl-C
   */
  sessions(host: Host): Promise<HostSessions>
  /** Passwords of these hosts, which nothing may show. */
  readonly hidden: readonly string[]
  /** Ends all connections. */
  close(): Promise<void>
}
