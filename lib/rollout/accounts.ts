/** The outcomes of a run's hosts, and the events about its batches. */
import { type ErrorReport, type EventStream, type HostOutcome, noCounts } from '../events.ts'
import type { Host } from '../inventory/inventory.ts'
import type { HookPlace } from './hooks.ts'
import { countStatuses } from './journal/record.ts'
import type { HostState, RolloutPlan } from './state.ts'

/** What the outcomes of a run are kept with. */
export interface Keeping {
  hosts: readonly Host[]
  events: EventStream
  /** Outcomes of hosts that another attempt is done with: they are only reported. */
  earlier: ReadonlyMap<string, HostOutcome>
  /** Batches that another attempt has begun and not ended, from 0. */
  open: ReadonlySet<number>
  /** What other attempts have done before and after. */
  hooks?: readonly HookPlace[]
  /** Resolves when the disk has all that has happened. */
  committed?: () => Promise<void>
}

export type Accounts = ReturnType<typeof createAccounts>

export function createAccounts({ batches }: Pick<RolloutPlan, 'batches'>, keeping: Keeping) {
  const { events, earlier } = keeping
  const hosts = new Map(keeping.hosts.map(host => [host.name, host]))
  const outcomes = new Map(earlier)
  const opened = new Map<number, Promise<void>>()
  const closed = new Set<number>()
  const repeated = new Set<string>()
  const batchOf = new Map(batches.flatMap((names, batch) => names.map(name => [name, batch])))
  const of = batches.length
  const repeat = (batch: number) => {
    for (const name of batches[batch]!) {
      const known = earlier.get(name)
      if (!known || repeated.has(name)) continue
      repeated.add(name)
      events.emit({ type: 'host.end', ...known, earlier: true })
    }
  }
  const announce = (batch: number) => {
    const number = batch + 1
    events.emit({ type: 'batch.start', number, of, hosts: [...batches[batch]!] })
    for (let each = 0; each <= batch; each++) repeat(each)
  }
  const open = async (batch: number) => {
    // What the batches before have left decides on this one.
    if (batch > 0) await keeping.committed?.()
    announce(batch)
  }
  const isOpen = (batch: number) =>
    (opened.has(batch) || keeping.open.has(batch)) && !closed.has(batch)
  const close = (batch: number) => {
    closed.add(batch)
    // Another attempt began it, and none of its hosts is left for this one.
    if (!opened.has(batch)) announce(batch)
    const ended = batches[batch]!.flatMap(name => outcomes.get(name) ?? [])
    const statuses = countStatuses(ended)
    events.emit({ type: 'batch.end', number: batch + 1, of, statuses })
  }
  const skip = (name: string) => {
    const outcome = skipped(name)
    outcomes.set(name, outcome)
    events.emit({ type: 'host.end', ...outcome })
    return outcome
  }
  return {
    host: (name: string) => hosts.get(name)!,
    of: (name: string) => outcomes.get(name),
    /** The batch of a host, from 1. */
    numberOf: (name: string) => batchOf.get(name)! + 1,
    ended: () => batches.flat().flatMap(name => outcomes.get(name) ?? []),
    set: (outcome: HostOutcome) => void outcomes.set(outcome.host, outcome),
    skip,
    /** A host that was done is not any more. */
    turn: (name: string, error: ErrorReport | undefined) => {
      const known = outcomes.get(name)
      if (known) outcomes.set(name, { ...known, status: 'failed', error })
    },
    /** The batch of these hosts begins, if it has not. */
    open: (names: readonly string[]): Promise<void> => {
      const batch = batchOf.get(names[0]!)!
      const opening = opened.get(batch) ?? open(batch)
      opened.set(batch, opening)
      return opening
    },
    /** Ends the batches that have no more hosts to come. */
    closeDone: (states: readonly HostState[]) => {
      let from = 0
      for (const [batch, names] of batches.entries()) {
        const own = states.slice(from, from + names.length)
        from += names.length
        if (!isOpen(batch)) continue
        if (!own.some(({ is }) => is === 'waiting' || is === 'working')) close(batch)
      }
    },
    /** All is over: hosts that were not started are skipped. @returns outcomes in the order of the batches */
    finish: (): HostOutcome[] => {
      for (const [batch, names] of batches.entries()) {
        repeat(batch)
        for (const name of names) if (!outcomes.has(name)) skip(name)
        if (isOpen(batch)) close(batch)
      }
      return batches.flat().map(name => outcomes.get(name)!)
    },
  }
}

const skipped = (host: string): HostOutcome => ({
  host,
  status: 'skipped',
  counts: noCounts(),
  durationMs: 0,
  roundTrips: 0,
})
