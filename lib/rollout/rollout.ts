/** What a run is given, in named parts: what `lib/host/job.ts` has, and which hosts when. */
import type { HostOutcome, RunEvent } from '../events.ts'
import type { Job } from '../host/job.ts'
import type { OnceRecord } from '../host/once.ts'
import type { ArgumentTypes } from '../recipe/arguments.ts'
import type { Gate } from '../recipe/rollout-options.ts'
import type { Decision, Deeds } from './deeds.ts'
import type { HookPlace } from './hooks.ts'
import type { RolloutPlan, RolloutState } from './state.ts'

/** Which hosts run when, and what happens in between. */
export interface Rollout {
  plan: RolloutPlan
  /** Asked after each batch. */
  gate?: Gate
  /** Products whose heartbeats are asked while a batch bakes. */
  heartbeats?: readonly string[]
  /** How long a host may take. */
  deadlineMs?: number
  /** Asks a person at a pause. Default: there is nobody, and the run is left paused. */
  decide?: Deeds['decide']
  /** What an earlier attempt of the run has left. */
  resumed?: Resumed
}

/** An earlier attempt of the run. */
export interface Resumed {
  /** Outcomes of hosts that are left alone now; they count towards the limits. */
  outcomes: ReadonlyMap<string, HostOutcome>
  /** What was done once, or begun. */
  onces?: readonly OnceRecord[]
  /** What was done before and after. */
  hooks?: readonly HookPlace[]
  /** How often each host’s part has ended before. */
  rounds?: ReadonlyMap<string, number>
  state: RolloutState
  /** Batches that it has begun and not ended, from 0. */
  open: ReadonlySet<number>
  /** What was decided about a paused run. */
  decided?: Decision
}

/** The run’s start, as an event and as the first record of its journal. */
export type Start = Extract<RunEvent, { type: 'run.start' }>

/** Keeps the journal of a run. */
export interface Journaling {
  /**
   * Called before any event and any host.
   * @throws {UsageError} there can be no journal
   */
  begin(start: Omit<Start, 'at'>): Promise<void>
  /** Resolves when the disk has all that has happened: no further batch begins before. */
  committed(): Promise<void>
}

/** All that a run is given. */
export interface Run<A extends ArgumentTypes = ArgumentTypes> extends Omit<Job<A>, 'across'> {
  rollout: Rollout
  journal?: Journaling
  /** What the person decided on the command line, and who that is. */
  decisions?: { messages: readonly string[]; by: string }
}
