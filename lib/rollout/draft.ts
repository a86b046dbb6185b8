/** The state of a rollout while one event is taken, and what is left of its budgets. Pure. */
import type { RolloutStage } from '../events.ts'
import type { HostState, RolloutCommand, RolloutPlan, RolloutState } from './state.ts'
import { isGood } from './state.ts'

/** Where hosts are. */
export interface Layout {
  names: readonly string[]
  index: ReadonlyMap<string, number>
  /** Of each batch, its first host and the one after its last. */
  spans: readonly (readonly [number, number])[]
  /** Of each host, the numbers of the budgets it is in. */
  budgets: readonly (readonly number[])[]
}

export function layoutOf({ batches, budgets }: RolloutPlan): Layout {
  const names = batches.flat()
  const index = new Map(names.map((name, at) => [name, at]))
  let from = 0
  const spans = batches.map(({ length }) => {
    from += length
    return [from - length, from] as const
  })
  const own = names.map((): number[] => [])
  for (const [number, { hosts }] of budgets.entries())
    for (const host of hosts) own[index.get(host) ?? -1]?.push(number)
  return { names, index, spans, budgets: own }
}

export interface Draft {
  readonly plan: RolloutPlan
  readonly layout: Layout
  state: RolloutState
  readonly commands: RolloutCommand[]
}

export function setHost(draft: Draft, at: number, host: HostState): void {
  const hosts = [...draft.state.hosts]
  hosts[at] = host
  draft.state = { ...draft.state, hosts }
}

export function setStage(draft: Draft, stage: RolloutStage): void {
  draft.state = { ...draft.state, stage }
}

/** The hosts of a batch. */
export const hostsIn = ({ layout, state }: Draft, batch: number): HostState[] =>
  state.hosts.slice(...layout.spans[batch]!)

export const isBusy = ({ is }: HostState): boolean => is === 'working' || is === 'undoing'

/** Whether no host is at work. */
export const isIdle = ({ state }: Draft): boolean => !state.hosts.some(isBusy)

/** At work, or failed; a failure that a person has accepted keeps no other host waiting. */
export const isUnavailable = (host: HostState): boolean =>
  isBusy(host) || (host.is === 'ended' && !host.accepted && !isGood(host.status))

/**
 * Takes hosts of a batch for as long as the number of hosts at a time and the budgets allow it.
 * @param counts whether a host uses up budgets
 * @param taken what becomes of a host; undefined: it is not one to be taken
 * @returns the names of those taken, and the first budget that was used up
 */
export function takeHosts(
  draft: Draft,
  batch: number,
  counts: (host: HostState) => boolean,
  taken: (host: HostState) => HostState | undefined,
): { names: string[]; full?: string } {
  const { plan, layout, state } = draft
  const used = plan.budgets.map(() => 0)
  let room = plan.atOnce
  for (const [at, host] of state.hosts.entries()) {
    if (isBusy(host)) room--
    if (counts(host)) for (const budget of layout.budgets[at]!) used[budget]!++
  }
  const hosts = [...state.hosts]
  const names: string[] = []
  let full: string | undefined
  const [from, to] = layout.spans[batch]!
  for (let at = from; at < to && room > 0; at++) {
    const next = taken(hosts[at]!)
    if (!next) continue
    const own = layout.budgets[at]!
    const over = own.find(budget => used[budget]! >= plan.budgets[budget]!.limit)
    if (over !== undefined) {
      full ??= plan.budgets[over]!.name
      continue
    }
    room--
    for (const budget of own) used[budget]!++
    hosts[at] = next
    names.push(layout.names[at]!)
  }
  if (names.length > 0) draft.state = { ...state, hosts }
  return { names, full }
}
