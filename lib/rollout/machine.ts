/**
 * The rollout as a state machine: events in, commands out. It knows no clock, no host and no disk, and its state is
 * JSON, so that another attempt of the run goes on from it. Pure.
 *
 * A batch is worked on, bakes, and is judged by the gate; then the next one begins. A failure beyond the limits, or a
 * bad verdict, lets what is at work end and then stops, pauses, or goes back. An unknown verdict pauses.
 */
import type { AfterPause, HostStatus, RolloutStage } from '../events.ts'
import type { GateVerdict, OnFailure } from '../recipe/rollout-options.ts'
import { limitPassed } from './batches.ts'
import {
  type Draft,
  hostsIn,
  isBusy,
  isIdle,
  isUnavailable,
  layoutOf,
  setHost,
  setStage,
  takeHosts,
} from './draft.ts'
import {
  hasChanged,
  isGood,
  type RolloutCommand,
  type RolloutEvent,
  type RolloutPlan,
  type RolloutState,
  watchedHosts,
} from './state.ts'

/** What became of an event. */
export interface Advanced {
  state: RolloutState
  commands: RolloutCommand[]
}

/** @returns takes an event; what does not belong to the stage makes no difference */
export function createMachine(
  plan: RolloutPlan,
): (state: RolloutState, event: RolloutEvent) => Advanced {
  const layout = layoutOf(plan)
  return (state, event) => {
    const draft: Draft = { plan, layout, state, commands: [] }
    if (state.stage.kind !== 'ended') take(draft, event)
    return { state: draft.state, commands: draft.commands }
  }
}

function take(draft: Draft, event: RolloutEvent): void {
  switch (event.type) {
    case 'begin':
      enter(draft)
      break
    case 'ended':
      hostEnded(draft, event.host, event.status)
      break
    case 'undone':
      hostUndone(draft, event.host, event.how)
      break
    case 'verdict':
      if (event.host === undefined) gateSays(draft, event.verdict, event.why)
      else hostSays(draft, event.host, event.verdict, event.why)
      break
    case 'passed':
      timePassed(draft, event.ms)
      break
    case 'broken':
      broken(draft, event.why, event.hosts)
      break
    case 'continue':
      goOn(draft)
      break
    case 'abort':
      abort(draft, event.undo ? 'rollback' : 'stop', event.why)
      break
    case 'interrupt':
      draft.state = { ...draft.state, interrupted: true }
      endIfIdle(draft)
  }
}

/** Gives the commands that the stage begins with. */
function enter(draft: Draft): void {
  const { stage, interrupted } = draft.state
  if (interrupted) endIfIdle(draft)
  else if (stage.kind === 'working') work(draft)
  else if (stage.kind === 'baking') draft.commands.push({ do: 'bake', ms: stage.leftMs })
  else if (stage.kind === 'judging') draft.commands.push({ do: 'ask' })
  else if (stage.kind === 'paused') draft.commands.push({ do: 'pause', why: stage.why })
  else undo(draft)
}

/** After Ctrl-C it ends where it is, once no host is at work; another attempt goes on from there. */
function endIfIdle(draft: Draft): void {
  if (isIdle(draft)) draft.commands.push({ do: 'end' })
}

function end(draft: Draft, why?: string, final = false): void {
  const said = why === undefined ? {} : { why }
  setStage(draft, { kind: 'ended', ...said, ...(final && { final }) })
  draft.commands.push({ do: 'end', ...said })
}

/** Why no more hosts may begin, if more failed than allowed. */
function tooMany({ plan, state }: Draft, within: boolean): string | undefined {
  const ended = state.hosts.flatMap(host => (host.is === 'ended' ? [host] : []))
  const accepted = ended.flatMap(host => (host.accepted ? [host.status] : []))
  const statuses = ended.map(({ status }) => status)
  return limitPassed(statuses, plan.limits, state.hosts.length, within, accepted)
}

/** Starts what may be started of the batch; if it is done, what comes next. */
function work(draft: Draft): void {
  const { stage, interrupted } = draft.state
  if (stage.kind !== 'working') return
  const { batch, failing } = stage
  if (interrupted) endIfIdle(draft)
  else if (failing) {
    if (isIdle(draft)) settle(draft, batch, failing)
  } else if (batch >= draft.plan.batches.length) end(draft)
  else workOn(draft, batch)
}

function workOn(draft: Draft, batch: number): void {
  const hosts = hostsIn(draft, batch)
  if (!hosts.some(({ is }) => is === 'waiting')) {
    if (!hosts.some(isBusy)) batchDone(draft, batch)
    return
  }
  // Within a batch that has begun, nothing stops that was not asked for.
  const begun = batch === 0 || hosts.some(({ is }) => is !== 'waiting')
  const why = tooMany(draft, begun)
  if (why !== undefined) {
    fail(draft, why, { kind: 'work' })
    return
  }
  const start = takeHosts(draft, batch, isUnavailable, host =>
    host.is === 'waiting' ? { ...host, is: 'working' } : undefined,
  )
  if (start.names.length > 0) draft.commands.push({ do: 'start', hosts: start.names })
  else if (start.full !== undefined && isIdle(draft))
    fail(draft, `hosts that failed count as unavailable, and ${start.full}`, { kind: 'work' })
}

function hostEnded(draft: Draft, name: string, status: HostStatus): void {
  const at = draft.layout.index.get(name)
  const host = at === undefined ? undefined : draft.state.hosts[at]!
  if (at === undefined || host?.is !== 'working') return
  const changed = hasChanged(status, host.changed)
  setHost(draft, at, { is: 'ended', status, ...(changed && { changed }) })
  work(draft)
}

function batchDone(draft: Draft, batch: number): void {
  const { bakeMs } = draft.plan
  if (batch < draft.state.passed) {
    goTo(draft, batch + 1)
    return
  }
  const why = tooMany(draft, false)
  if (why === undefined) bake(draft, batch, bakeMs)
  else fail(draft, why, { kind: 'bake', leftMs: bakeMs })
}

function goTo(draft: Draft, batch: number): void {
  setStage(draft, { kind: 'working', batch })
  work(draft)
}

function bake(draft: Draft, batch: number, leftMs: number): void {
  if (leftMs > 0 && watchedHosts(draft.plan, draft.state).length > 0) {
    setStage(draft, { kind: 'baking', batch, leftMs })
    draft.commands.push({ do: 'bake', ms: leftMs })
  } else judge(draft, batch)
}

function judge(draft: Draft, batch: number): void {
  if (draft.plan.gate) {
    setStage(draft, { kind: 'judging', batch })
    draft.commands.push({ do: 'ask' })
  } else batchPassed(draft, batch)
}

/** @param asked a person has just said to go on */
function batchPassed(draft: Draft, batch: number, asked = false): void {
  const { batches, pauses } = draft.plan
  draft.state = { ...draft.state, passed: Math.max(draft.state.passed, batch + 1) }
  const left = batches.slice(batch + 1).flat().length
  if (asked || left === 0 || !pauses.includes(batch)) {
    goTo(draft, batch + 1)
    return
  }
  const hosts = left === 1 ? '1 host is left' : `${left} hosts are left`
  pause(draft, batch, `batch ${batch + 1} of ${batches.length} is done, ${hosts}`, { kind: 'next' })
}

function pause(draft: Draft, batch: number, why: string, next: AfterPause): void {
  setStage(draft, { kind: 'paused', batch, why, next })
  draft.commands.push({ do: 'pause', why })
}

function timePassed(draft: Draft, ms: number): void {
  const { stage, interrupted } = draft.state
  if (stage.kind !== 'baking') return
  const leftMs = Math.max(0, stage.leftMs - ms)
  setStage(draft, { kind: 'baking', batch: stage.batch, leftMs })
  if (leftMs === 0 && !interrupted) judge(draft, stage.batch)
}

function hostSays(draft: Draft, name: string, verdict: GateVerdict, why: string): void {
  const { stage, interrupted } = draft.state
  if (stage.kind !== 'baking' || interrupted || verdict === 'good') return
  if (!watchedHosts(draft.plan, draft.state).includes(name)) return
  const at = draft.layout.index.get(name)!
  const host = draft.state.hosts[at]!
  if (host.is !== 'ended') return
  const next: AfterPause = { kind: 'bake', leftMs: stage.leftMs }
  if (verdict === 'unknown') {
    // Who goes on from here accepts that it can't be asked.
    setHost(draft, at, { ...host, accepted: true })
    pause(draft, stage.batch, why, next)
    return
  }
  setHost(draft, at, { ...host, status: 'failed' })
  const passed = tooMany(draft, false)
  if (passed !== undefined) fail(draft, passed, next)
}

function gateSays(draft: Draft, verdict: GateVerdict, why: string): void {
  const { stage, interrupted } = draft.state
  if (stage.kind !== 'judging' || interrupted) return
  if (verdict === 'good') batchPassed(draft, stage.batch)
  else if (verdict === 'unknown') pause(draft, stage.batch, why, { kind: 'next' })
  else fail(draft, why, { kind: 'next' })
}

/** No more hosts begin; what comes then waits for those at work. */
function fail(
  draft: Draft,
  why: string,
  next: AfterPause,
  then: OnFailure = draft.plan.onFailure,
  final = false,
): void {
  const { stage } = draft.state
  const last = draft.plan.batches.length - 1
  const batch = stage.kind === 'ended' ? last : Math.min(stage.batch, last)
  setStage(draft, { kind: 'working', batch, failing: { why, then, next, ...(final && { final }) } })
  work(draft)
}

/** No hosts begin, for want of what is before them, or after others. Nothing of it keeps hosts from going back. */
function broken(draft: Draft, why: string, names: readonly string[]): void {
  for (const name of names) {
    const at = draft.layout.index.get(name)!
    const host = draft.state.hosts[at]!
    if (host.is === 'working') setHost(draft, at, { ...host, is: 'waiting' })
  }
  const { stage, interrupted } = draft.state
  if (interrupted) endIfIdle(draft)
  else if (stage.kind === 'working') {
    if (stage.failing) work(draft)
    else fail(draft, why, { kind: 'work' })
  } else if (stage.kind === 'baking') fail(draft, why, { kind: 'bake', leftMs: stage.leftMs })
  else if (stage.kind === 'judging') fail(draft, why, { kind: 'bake', leftMs: 0 })
}

type Failing = NonNullable<Extract<RolloutStage, { kind: 'working' }>['failing']>

function settle(draft: Draft, batch: number, { why, then, next, final }: Failing): void {
  if (then === 'stop') end(draft, why, final)
  else if (then === 'pause') pause(draft, batch, why, next)
  else {
    setStage(draft, { kind: 'undoing', batch: draft.plan.batches.length - 1, why })
    undo(draft)
  }
}

/** A person goes on: what has failed until now is accepted. */
function goOn(draft: Draft): void {
  const { stage, interrupted } = draft.state
  if (stage.kind !== 'paused' || interrupted) return
  const hosts = draft.state.hosts.map(host =>
    host.is === 'ended' && !isGood(host.status) ? { ...host, accepted: true } : host,
  )
  draft.state = { ...draft.state, hosts }
  const { batch, next } = stage
  if (next.kind === 'work') goTo(draft, batch)
  else if (next.kind === 'bake') bake(draft, batch, next.leftMs)
  else batchPassed(draft, batch, true)
}

function abort(draft: Draft, then: 'stop' | 'rollback', why: string): void {
  const { stage, interrupted } = draft.state
  const goesBack =
    stage.kind === 'undoing' || (stage.kind === 'working' && stage.failing?.then === 'rollback')
  if (!interrupted && !goesBack) fail(draft, why, { kind: 'work' }, then, true)
}

/** Undoes what this run has changed, the newest batch first, under the same budgets. */
function undo(draft: Draft): void {
  const { stage, interrupted } = draft.state
  if (stage.kind !== 'undoing') return
  if (interrupted) {
    endIfIdle(draft)
    return
  }
  for (let { batch } = stage; batch >= 0; batch--) {
    // Those that failed keep no host from going back.
    const { names } = takeHosts(draft, batch, isBusy, host =>
      host.is === 'ended' && host.changed ? { ...host, is: 'undoing' } : undefined,
    )
    if (names.length === 0 && !hostsIn(draft, batch).some(isBusy)) continue
    setStage(draft, { kind: 'undoing', batch, why: stage.why })
    if (names.length > 0) draft.commands.push({ do: 'undo', hosts: names })
    return
  }
  end(draft, stage.why, true)
}

function hostUndone(draft: Draft, name: string, how: 'done' | 'failed' | 'cut off'): void {
  const at = draft.layout.index.get(name)
  const host = at === undefined ? undefined : draft.state.hosts[at]!
  if (at === undefined || host?.is !== 'undoing') return
  const is = { done: 'undone', failed: 'not undone', 'cut off': 'ended' } as const
  setHost(draft, at, { ...host, is: is[how] })
  undo(draft)
}
