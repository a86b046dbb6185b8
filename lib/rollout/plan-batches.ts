/** Which hosts are in which batch, and how many of them may be away at a time. Pure. */
import { UsageError } from '../errors.ts'
import type { Host } from '../inventory/inventory.ts'
import { suggestion } from '../shell/nearest.ts'
import { batches, countOf } from './batches.ts'
import { inOrder, orderHosts } from './order.ts'
import { type Policy, policyFlags } from './policy.ts'
import type { Budget, RolloutPlan } from './state.ts'

/** The batches of a run. */
export interface Planned {
  batches: Host[][]
  /** Whether the first one is the canary. */
  canary: boolean
}

/**
 * The hosts in their order, the canary first, the others in waves.
 * @param select the names that a pattern means
 * @param groups come one after the other; sizes are of each of them
 * @throws {UsageError} no_hosts: the canary's pattern matches none of them; unknown_name: no host has a variable
 */
export function planBatches(
  hosts: readonly Host[],
  { order, canary, waves }: Pick<Policy, 'order' | 'canary' | 'waves'>,
  select: (pattern: string) => readonly string[],
  groups: readonly string[] = [],
): Planned {
  if (order.by === 'spread') checkVariable(policyFlags.order, order.over, hosts)
  const ordered = orderHosts(hosts, order)
  if (!canary) {
    const each = inOrder(ordered, groups).flatMap(group => batches(group, waves))
    return { batches: each, canary: false }
  }
  const names = new Set(
    'pattern' in canary
      ? select(canary.pattern)
      : ordered.slice(0, countOf(canary.size, hosts.length)).map(({ name }) => name),
  )
  const first = ordered.filter(({ name }) => names.has(name))
  if (first.length === 0)
    throw new UsageError(
      'no_hosts',
      `the canary ${(canary as { pattern: string }).pattern} is none of the hosts of this run`,
      {
        hint: 'It must be some of those that --on selects.',
      },
    )
  const others = ordered.filter(({ name }) => !names.has(name))
  const waved = inOrder(others, groups).flatMap(group =>
    batches(group, waves, groups.length === 0 ? hosts.length : group.length),
  )
  return { batches: [first, ...waved], canary: true }
}

/** How many hosts may be at work or failed at a time. @throws {UsageError} unknown_name */
export function budgetsOf(
  hosts: readonly Host[],
  maxUnavailable: Policy['maxUnavailable'],
): Budget[] {
  if (!maxUnavailable) return []
  const { size, per } = maxUnavailable
  const all = hosts.map(({ name }) => name)
  if (per === undefined)
    return [
      {
        name: `${policyFlags.maxUnavailable} is ${size}`,
        hosts: all,
        limit: countOf(size, all.length),
      },
    ]
  checkVariable(policyFlags.maxUnavailable, per, hosts)
  const byValue = new Map<string, string[]>()
  for (const { name, vars } of hosts) {
    const value = vars.maybeText(per) ?? ''
    byValue.set(value, [...(byValue.get(value) ?? []), name])
  }
  return [...byValue].map(([value, names]) => ({
    name: `${policyFlags.maxUnavailable} is ${size} for ${per} ${value === '' ? '(none)' : value}`,
    hosts: names,
    limit: countOf(size, names.length),
  }))
}

function checkVariable(option: string, variable: string, hosts: readonly Host[]): void {
  if (hosts.some(({ vars }) => vars.maybe(variable) !== undefined)) return
  const known = hosts.flatMap(({ vars }) => Object.keys(vars))
  throw new UsageError(
    'unknown_name',
    `${option}: no host of this run has a variable ${variable}${suggestion(variable, known)}`,
  )
}

/** After which batches it pauses, as numbers from 0. @throws {UsageError} usage: there is no canary */
function pausesOf(
  pause: Policy['pause'],
  { batches: planned, canary }: Pick<RolloutPlan, 'batches' | 'canary'>,
): number[] {
  if (pause === 'never') return []
  if (pause === 'every-wave') return [...planned.keys()]
  if (pause !== 'after-canary') return pause.map(number => number - 1)
  if (canary) return [0]
  throw new UsageError('usage', `${policyFlags.pause} after-canary: there is no canary`, {
    hint: `Name one: ${policyFlags.canary} 1. Or: ${policyFlags.pause} never.`,
  })
}

/**
 * What is decided before the first host.
 * @param select the names that a pattern means
 * @param forks hosts at a time
 * @param groups come one after the other
 * @throws {UsageError} the policy does not fit these hosts
 */
export function planRollout(
  hosts: readonly Host[],
  policy: Policy,
  select: (pattern: string) => readonly string[],
  forks: number,
  groups?: readonly string[],
): RolloutPlan {
  const { batches: planned, canary } = planBatches(hosts, policy, select, groups)
  const names = planned.map(batch => batch.map(({ name }) => name))
  return planOf({ batches: names, canary }, hosts, policy, forks)
}

/** The same for another attempt of a run, with the batches that it had. */
export const planResumed = (
  earlier: readonly (readonly string[])[],
  hosts: readonly Host[],
  policy: Policy,
  forks: number,
): RolloutPlan =>
  planOf({ batches: earlier, canary: policy.canary !== undefined }, hosts, policy, forks)

function planOf(
  planned: Pick<RolloutPlan, 'batches' | 'canary'>,
  hosts: readonly Host[],
  policy: Policy,
  forks: number,
): RolloutPlan {
  return {
    batches: planned.batches,
    canary: planned.canary,
    atOnce: forks,
    budgets: budgetsOf(hosts, policy.maxUnavailable),
    limits: policy.limits ?? {},
    // Heartbeats are asked once at least, if that was asked for.
    bakeMs: policy.gate === 'heartbeat' ? Math.max(1, policy.bakeMs) : policy.bakeMs,
    gate: typeof policy.gate === 'function',
    pauses: pausesOf(policy.pause, planned),
    onFailure: policy.onFailure,
  }
}

/** `batch 1 of 3, the canary: web1`, a line for each batch, and what else is decided in advance. */
export function describePlan(
  plan: Pick<RolloutPlan, 'batches' | 'pauses' | 'bakeMs' | 'canary'>,
): string[] {
  const { batches: planned, pauses, canary } = plan
  if (planned.length < 2) return []
  return planned.map((names, index) => {
    const which = canary && index === 0 ? ', the canary' : ''
    const then = pauses.includes(index) && index < planned.length - 1 ? '; then it pauses' : ''
    return `batch ${index + 1} of ${planned.length}${which}: ${names.join(', ')}${then}`
  })
}
