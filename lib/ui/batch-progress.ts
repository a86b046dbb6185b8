/** How far a run of several batches is, and about how long it still takes. Pure. */
import type { HostStatus, RunEvent } from '../events.ts'
import { failures } from '../rollout/batches.ts'
import { formatDuration } from './format-duration.ts'
import { count, countsOfHosts } from './summary.ts'

export interface BatchProgress {
  /** Takes an event; what is to be said of a batch that ended with it. */
  add(event: RunEvent): string | undefined
  /** While a batch is at work; undefined: there is only one batch, or none has begun. */
  line(now: number): string | undefined
}

export function createBatchProgress(): BatchProgress {
  let hosts = 0
  let check = false
  let batch: { number: number; of: number } | undefined
  let beganAt = 0
  let limits: { fail?: number; unreachable?: number } = {}
  /** When the bake that is under way ends. */
  let bakesUntil: number | undefined
  /** Hosts that have ended, those of earlier attempts too; only these of this attempt say how long one takes. */
  let ended = 0
  let own = 0
  const counts: Partial<Record<HostStatus, number>> = {}
  const left = (now: number) => {
    const remaining = hosts - ended
    const about = own > 0 ? `, about ${formatDuration(((now - beganAt) / own) * remaining)}` : ''
    return `${remaining} of ${count(hosts, 'host')} left${remaining > 0 ? about : ''}`
  }
  const add: BatchProgress['add'] = event => {
    switch (event.type) {
      case 'run.start':
        hosts = event.hosts.length
        check = event.check
        limits = event.limits ?? {}
        return undefined
      case 'rollout.stage': {
        const { at, stage, of } = event
        bakesUntil = stage.kind === 'baking' ? at + stage.leftMs : undefined
        // Another attempt may begin with a bake.
        if (stage.kind === 'baking' && of > 1) batch ??= { number: stage.batch + 1, of }
        return undefined
      }
      case 'batch.start':
        batch = event.of > 1 ? { number: event.number, of: event.of } : undefined
        beganAt ||= event.at
        return undefined
      case 'host.end':
        if (event.status === 'skipped') return undefined
        ended++
        if (!event.earlier) own++
        counts[event.status] = (counts[event.status] ?? 0) + 1
        return undefined
      case 'batch.end': {
        if (event.of < 2) return undefined
        const { number, of, statuses, at } = event
        return `batch ${number} of ${of} done: ${countsOfHosts(statuses, check)}; ${left(at)}`
      }
      default:
        return undefined
    }
  }
  return {
    add,
    line: now => {
      if (!batch) return undefined
      const bad = [...failures].reduce((sum, status) => sum + (counts[status] ?? 0), 0)
      const bake =
        bakesUntil === undefined
          ? ''
          : ` bakes, ${formatDuration(Math.max(0, bakesUntil - now))} left`
      const parts = [
        `batch ${batch.number} of ${batch.of}${bake}`,
        `${(counts.ok ?? 0) + (counts.changed ?? 0)} ok`,
        `${bad} failed${mayStill(limits.fail, bad)}`,
        `${counts.unreachable ?? 0} unreachable${mayStill(limits.unreachable, counts.unreachable ?? 0)}`,
        left(now),
      ]
      return parts.join(', ')
    },
  }
}

/** What is left of a budget. */
const mayStill = (limit: number | undefined, used: number): string =>
  limit === undefined ? '' : ` (${Math.max(0, limit - used)} more may)`
