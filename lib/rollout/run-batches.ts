/** Batch after batch, in each up to `forks` hosts at a time. */
import pLimit from 'p-limit'
import type { EventStream, HostOutcome, HostStatus } from '../events.ts'
import type { Host } from '../inventory/inventory.ts'
import { batches, limitPassed } from './batches.ts'
import { countStatuses } from './journal/record.ts'
import type { Rollout, Run } from './rollout.ts'

/**
 * The hosts of each batch: those of an earlier attempt, or by the sizes of batches.
 * @param order groups that come one after the other; sizes are of each of them
 */
export function groupHosts(
  hosts: readonly Host[],
  { resumed, batches: sizes = ['100%'] }: Rollout,
  order: readonly string[] = [],
): Host[][] {
  if (!resumed) return inOrder(hosts, order).flatMap(group => batches(group, sizes))
  const named = new Map(hosts.map(host => [host.name, host]))
  // Others wait for what these have begun for all.
  const awaited = new Set(
    resumed.onces?.flatMap(({ host, done }) => (done === undefined ? [host] : [])),
  )
  return resumed.batches.map(names => {
    const group = names.flatMap(name => named.get(name) ?? [])
    const isAwaited = ({ name }: Host) => awaited.has(name)
    return [...group.filter(isAwaited), ...group.filter(host => !isAwaited(host))]
  })
}

/** The hosts of each of these groups, then those of none. A host of several comes with the first. */
export function inOrder(hosts: readonly Host[], order: readonly string[]): Host[][] {
  const left = new Set(hosts)
  const groups = order.map(name => [...left].filter(host => host.groups.includes(name)))
  for (const [at, group] of groups.entries()) groups[at] = group.filter(host => left.delete(host))
  return [...groups, [...left]].filter(group => group.length > 0)
}

/**
 * Runs the batches. A host that an earlier attempt is done with is only reported.
 * @returns the outcomes in the order of the batches, and why not all were started, if a limit was exceeded
 */
export async function runBatches(
  groups: readonly (readonly Host[])[],
  { rollout, journal, world }: Pick<Run, 'rollout' | 'journal' | 'world'>,
  work: (host: Host) => Promise<HostOutcome>,
): Promise<{ outcomes: HostOutcome[]; stopped?: string }> {
  const { hosts, events, interrupts } = world
  const earlier = rollout.resumed?.outcomes ?? new Map<string, HostOutcome>()
  const limit = pLimit(rollout.forks)
  const outcomes: HostOutcome[] = []
  const statuses: HostStatus[] = [...earlier.values()].map(({ status }) => status)
  /** Why no more hosts are started. */
  let stopped: string | undefined
  const mayBegin = (within: boolean) => {
    if (interrupts.stop.aborted || stopped !== undefined) return false
    stopped = limitPassed(statuses, rollout.limits ?? {}, hosts.length, within)
    if (stopped !== undefined)
      events.emit({
        type: 'decision',
        message: `no more hosts begin: ${stopped}`,
        by: 'hostwright',
      })
    return stopped === undefined
  }
  const begin = async (host: Host) => {
    const known = earlier.get(host.name)
    if (known) return repeat(known, events)
    if (!mayBegin(true)) return skipHost(host, events)
    const outcome = await work(host)
    statuses.push(outcome.status)
    return outcome
  }
  for (const [index, group] of groups.entries()) {
    const place = { number: index + 1, of: groups.length }
    // Within a batch that an earlier attempt began, nothing stops that did not stop it then.
    const begun = group.some(({ name }) => earlier.has(name))
    const begins = group.some(({ name }) => !earlier.has(name)) && mayBegin(begun || index === 0)
    if (begins) {
      // What the batches before have left decides on this one.
      if (index > 0) await journal?.committed()
      const names = group.map(host => host.name)
      events.emit({ type: 'batch.start', ...place, hosts: names })
    }
    const ended = await Promise.all(group.map(host => limit(() => begin(host))))
    outcomes.push(...ended)
    if (begins) events.emit({ type: 'batch.end', ...place, statuses: countStatuses(ended) })
  }
  if (stopped === undefined || !rollout.limits) return { outcomes }
  const left = outcomes.filter(({ status }) => status === 'skipped').length
  const what = left === 1 ? '1 host was' : `${left} hosts were`
  return { outcomes, stopped: `${stopped}: ${what} not started` }
}

function repeat(outcome: HostOutcome, events: EventStream): HostOutcome {
  events.emit({ type: 'host.end', ...outcome, earlier: true })
  return outcome
}

function skipHost(host: Host, events: EventStream): HostOutcome {
  const outcome: HostOutcome = {
    host: host.name,
    status: 'skipped',
    counts: { ok: 0, changed: 0, failed: 0, unknown: 0, skipped: 0 },
    durationMs: 0,
    roundTrips: 0,
  }
  events.emit({ type: 'host.end', ...outcome })
  return outcome
}
