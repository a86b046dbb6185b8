/** The state of a rollout from its journal, for another attempt. Pure. */

import type { Ends } from '../callbacks/document.ts'
import type { HostOutcome } from '../events.ts'
import { type HostAccount, isChange, type RunAccount } from './journal/account.ts'
import { type HostState, initialState, type RolloutState, resumedState } from './state.ts'

/** The batches of a run that goes on: in each come first the hosts that others wait for, as they have begun for all. */
export function resumedBatches({ last, onces }: RunAccount): string[][] {
  const awaited = new Set(onces.flatMap(({ host, done }) => (done === undefined ? [host] : [])))
  return last.first.batches.map(names => [
    ...names.filter(name => awaited.has(name)),
    ...names.filter(name => !awaited.has(name)),
  ])
}

/** Batches that the run has begun, and whose end nobody has written down, from 0. */
export function openBatches({ attempts }: Pick<RunAccount, 'attempts'>): Set<number> {
  const open = new Set<number>()
  for (const record of attempts.flatMap(({ records }) => records)) {
    if (record.type === 'batch.start') open.add(record.number - 1)
    if (record.type === 'batch.end') open.delete(record.number - 1)
  }
  return open
}

/** How often it has come to an end, and each of its batches, by their numbers. */
export function endsOf({ attempts }: Pick<RunAccount, 'attempts'>): Ends {
  const batches = new Map<number, number>()
  for (const record of attempts.flatMap(({ records }) => records))
    if (record.type === 'batch.end')
      batches.set(record.number, (batches.get(record.number) ?? 0) + 1)
  return { run: attempts.filter(({ end }) => end !== undefined).length, batches }
}

/**
 * @param outcomes of hosts that are left alone; all others are begun again, or for the first time
 */
export function restoreState(
  account: RunAccount,
  outcomes: ReadonlyMap<string, HostOutcome>,
): RolloutState {
  const { hosts, stage } = account
  const batches = resumedBatches(account)
  const accepted = new Set(stage?.accepted)
  const states = batches.flat().map((name): HostState => {
    const outcome = outcomes.get(name)
    const known = hosts.get(name)!
    if (outcome) return stateOf(known, outcome, accepted.has(name))
    const changed = known.touched || known.records.some(isChange)
    return { is: 'waiting', ...(changed && { changed }) }
  })
  const begun = { ...initialState({ batches }), hosts: states }
  return resumedState(
    { batches },
    stage ? { ...begun, stage: stage.stage, passed: stage.passed } : begun,
  )
}

function stateOf(
  { changed, back }: HostAccount,
  { status }: HostOutcome,
  accepted: boolean,
): HostState {
  const is = back === 'done' ? 'undone' : back === 'failed' ? 'not undone' : 'ended'
  return {
    is,
    status,
    ...(changed && { changed }),
    ...(accepted && { accepted }),
  }
}
