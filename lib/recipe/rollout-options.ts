/** What a recipe declares of its rollout: which hosts work when, and what happens in between. */
import type { HostOutcome } from '../events.ts'

/** A number of hosts, or a share of all hosts of the run: `2`, `'25%'`. */
export type Share = number | `${number}` | `${number}%`

/** What a gate says of a batch. `unknown` pauses the rollout, it never ends it. */
export type GateVerdict = 'good' | 'bad' | 'unknown'

/** What a gate knows. */
export interface GateContext {
  /** Which batch, from 1, and of how many. */
  readonly batch: number
  readonly of: number
  /** The hosts that have ended until now, of this batch and those before. */
  readonly hosts: readonly HostOutcome[]
  /** The recipe’s arguments. */
  readonly args: Readonly<Record<string, unknown>>
  /** Aborts at Ctrl-C, and when the gate has taken too long. */
  readonly signal: AbortSignal
}

/**
 * Decides after each batch, once it has baked. What it throws is `unknown`, with the error’s message as the reason.
 * @example async ({ signal }) => (await errorRate(signal)) < 0.01 ? 'good' : { verdict: 'bad', why: 'too many errors' }
 */
export type Gate = (context: GateContext) => GateAnswer | Promise<GateAnswer>

export type GateAnswer = GateVerdict | { readonly verdict: GateVerdict; readonly why?: string }

/** What happens when more hosts failed than allowed, or a gate says `bad`. */
export type OnFailure = 'stop' | 'pause' | 'rollback'

/** A recipe’s `rollout`. Each key has an option of the command line, which takes precedence. */
export interface RolloutOptions {
  /** Sizes of batches; the last one is that of all that follow. Default: `['100%']`. */
  readonly waves?: Share | readonly Share[]
  /** Hosts that go first, as a batch of their own: a number, a share, or a pattern. Default: none. */
  readonly canary?: Share | (string & {})
  /**
   * How many hosts may be at work or failed at the same time: a number, a share of all, or either for each value of a
   * variable: `'1/zone'`. Default: as many as the batch has.
   */
  readonly maxUnavailable?: Share | `${number}/${string}` | `${number}%/${string}` | 'none'
  /** Which hosts come first: as in the inventory, shuffled by a seed, or spread over the values of a variable. */
  readonly order?: 'inventory' | 'shuffled' | `shuffled:${string}` | `spread:${string}`
  /** How long the heartbeats of all hosts that are done must stay good after each batch: `'5m'`. Default: 0. */
  readonly bake?: string
  /** Decides after each batch whether the next one begins. Default: `heartbeat`, for a product that has one. */
  readonly gate?: 'heartbeat' | 'none' | Gate
  /** After which batches a person is asked; numbers are those of batches, from 1. Default: `never`. */
  readonly pause?: 'never' | 'after-canary' | 'every-wave' | readonly number[]
  /** How many hosts may fail, over the whole run. Default: 0, between batches. */
  readonly maxFail?: Share
  /** The same for hosts that can’t be reached. */
  readonly maxUnreachable?: Share
  /** How long one host may take: `'10m'`. Default: no limit. */
  readonly deadline?: string
  /** Default: `stop`. `rollback` needs a way back: the recipe’s `rollback`. */
  readonly onFailure?: OnFailure
}
