/** Makes what the hosts of a run share. */
import type { Progress } from '../report/progress.ts'
import type { Facts } from '../session/first-facts.ts'
import type { Across } from './across.ts'
import { createGuests } from './guests.ts'
import type { World } from './job.ts'
import { createOnces, type OnceRecord } from './once.ts'
import { createTurns, createWaits } from './turns.ts'

/** What a run says of itself before it begins. */
export interface Before {
  /** The names of the hosts of each batch. */
  batches: readonly (readonly string[])[]
  /** Resolves when the disk has all events so far. */
  committed(): Promise<void>
  /** What earlier attempts have done once, or begun. */
  onces?: readonly OnceRecord[]
  /** How often each host’s part of the run has ended in them. */
  rounds?: ReadonlyMap<string, number>
}

/** For one run. */
export function createAcross(world: World, { batches, committed, onces, rounds }: Before): Across {
  const facts = new Map<string, Facts>()
  const waits = createWaits()
  const visitors: Progress[] = []
  const guests = createGuests(world, facts, visitors)
  const numbers = new Map(batches.flatMap((names, at) => names.map(name => [name, at + 1])))
  return {
    facts,
    turns: createTurns(waits),
    guests,
    visitors,
    onces: createOnces(waits, world.events, committed, onces),
    roundOf: host => (rounds?.get(host) ?? 0) + 1,
    batchOf: host => numbers.get(host) ?? 1,
  }
}
