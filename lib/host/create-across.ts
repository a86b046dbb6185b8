/** Makes what the hosts of a run share. */
import type { Progress } from '../report/progress.ts'
import type { Facts } from '../session/first-facts.ts'
import type { Across } from './across.ts'
import { createGuests } from './guests.ts'
import type { World } from './job.ts'
import { createTurns, createWaits } from './turns.ts'

/** For one run. */
export function createAcross(world: World): Across {
  const facts = new Map<string, Facts>()
  const waits = createWaits()
  const visitors: Progress[] = []
  const guests = createGuests(world, facts, visitors)
  return { facts, waits, turns: createTurns(waits), guests, visitors }
}
