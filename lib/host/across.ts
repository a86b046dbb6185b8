/** What the hosts of one run share with each other. */
import type { Progress } from '../report/progress.ts'
import type { Facts } from '../session/first-facts.ts'
import { createGuests, type Guests } from './guests.ts'
import type { World } from './job.ts'
import { createTurns, createWaits, type Turns, type Waits } from './turns.ts'

export interface Across {
  /** What sessions have reported of their hosts, by name. */
  readonly facts: Map<string, Facts>
  /** Who waits for whom. */
  readonly waits: Waits
  /** Who changes which host. */
  readonly turns: Turns
  /** Connections for work at other hosts. */
  readonly guests: Guests
  /** The reports of all hosts that have begun. */
  readonly visitors: Progress[]
}

/** For one run. */
export function createAcross(world: World): Across {
  const facts = new Map<string, Facts>()
  const waits = createWaits()
  const visitors: Progress[] = []
  const guests = createGuests(world, facts, visitors)
  return { facts, waits, turns: createTurns(waits), guests, visitors }
}
