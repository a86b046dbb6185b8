/** What a run is given, in named parts: what `lib/host/job.ts` has, and which hosts when. */
import type { HostOutcome, RunEvent } from '../events.ts'
import type { Job } from '../host/job.ts'
import type { OnceRecord } from '../host/once.ts'
import type { ArgumentTypes } from '../recipe/arguments.ts'
import type { HostLimits } from './batches.ts'

/** Which hosts run at the same time. */
export interface Rollout {
  /** Sizes of batches (`parseSerial`). Default: all hosts at once. */
  batches?: readonly string[]
  /** Hosts at a time within a batch. */
  forks: number
  /** How many hosts may fail before no more are started. Default: none in earlier batches. */
  limits?: HostLimits
  /** What an earlier attempt of the run has left. */
  resumed?: Resumed
}

/** An earlier attempt of the run. */
export interface Resumed {
  /** The names of the hosts of each batch, instead of sizes. */
  batches: readonly (readonly string[])[]
  /** Outcomes of hosts that are left alone now; they count towards the limits. */
  outcomes: ReadonlyMap<string, HostOutcome>
  /** What was done once, or begun. */
  onces?: readonly OnceRecord[]
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
  /** What the person decided on the command line. */
  decisions?: readonly string[]
}
