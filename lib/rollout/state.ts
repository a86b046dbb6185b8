/** What a rollout is decided to be, how far it is, and what it hears and says: the words of machine.ts. Pure. */
import type { HostStatus, RolloutStage } from '../events.ts'
import type { GateVerdict, OnFailure } from '../recipe/rollout-options.ts'
import type { HostLimits } from './batches.ts'

/** Hosts of which so many may be at work or failed at a time. */
export interface Budget {
  /** For messages: `--max-unavailable is 2`. */
  name: string
  hosts: readonly string[]
  limit: number
}

/** What is decided before the first host. */
export interface RolloutPlan {
  /** The names of the hosts of each batch. */
  batches: readonly (readonly string[])[]
  /** Whether the first batch is the canary. */
  canary: boolean
  /** Hosts at a time. */
  atOnce: number
  budgets: readonly Budget[]
  limits: HostLimits
  bakeMs: number
  /** Whether a gate is asked after each batch. */
  gate: boolean
  /** After which batches it pauses, from 0. */
  pauses: readonly number[]
  onFailure: OnFailure
}

/** How it is with a host. */
export type HostState =
  /** `changed`: an attempt that was interrupted has changed something. */
  | { is: 'waiting' | 'working'; changed?: boolean }
  /**
   * `changed`: this run has changed it, also if it turned bad afterwards. `accepted`: a person went on although it
   * failed, or could not be asked.
   */
  | {
      is: 'ended' | 'undoing' | 'undone' | 'not undone'
      status: HostStatus
      changed?: boolean
      accepted?: boolean
    }

export interface RolloutState {
  stage: RolloutStage
  /** In the order of the batches. */
  hosts: readonly HostState[]
  /** So many batches have baked and were judged. */
  passed: number
  /** Ctrl-C: nothing new begins. */
  interrupted?: boolean
}

export type RolloutEvent =
  /** Begins, or goes on where another attempt was. */
  | { type: 'begin' }
  | { type: 'ended'; host: string; status: HostStatus }
  /** `cut off`: Ctrl-C came, and it is to be undone by another attempt. */
  | { type: 'undone'; host: string; how: 'done' | 'failed' | 'cut off' }
  /** Of a host while it bakes, or of the gate. */
  | { type: 'verdict'; verdict: GateVerdict; why: string; host?: string }
  /** Baking has gone on for so long. */
  | { type: 'passed'; ms: number }
  /** What is before or after a batch, or the run, has failed: these hosts do not begin now. */
  | { type: 'broken'; why: string; hosts: readonly string[] }
  /** What a person, or a signal, decides. */
  | { type: 'continue' }
  | { type: 'abort'; undo: boolean; why: string }
  | { type: 'interrupt' }

export type RolloutCommand =
  | { do: 'start' | 'undo'; hosts: readonly string[] }
  /** Wait for so long, and ask the heartbeats of `watchedHosts` meanwhile. */
  | { do: 'bake'; ms: number }
  | { do: 'ask' }
  | { do: 'pause'; why: string }
  | { do: 'end'; why?: string }

/** The state before the first host. */
export const initialState = ({ batches }: Pick<RolloutPlan, 'batches'>): RolloutState => ({
  stage: { kind: 'working', batch: 0 },
  hosts: batches.flat().map(() => ({ is: 'waiting' })),
  passed: 0,
})

/** The state for another attempt: what was at work is begun again. */
export function resumedState(
  { batches }: Pick<RolloutPlan, 'batches'>,
  state: RolloutState,
): RolloutState {
  const { stage, passed } = state
  const hosts = state.hosts.map((host): HostState => {
    if (host.is === 'working') return { ...host, is: 'waiting' }
    return host.is === 'undoing' ? { ...host, is: 'ended' } : host
  })
  const fromStart: RolloutStage = { kind: 'working', batch: 0 }
  if (stage.kind === 'ended' && stage.final) return { stage, passed, hosts }
  // What it stopped for may be allowed now: it is looked at again.
  if (stage.kind === 'ended' || stage.kind === 'working') return { stage: fromStart, passed, hosts }
  // A batch with hosts that are still to be done can't bake.
  const done = batches.slice(0, stage.batch + 1).flat().length
  const open = stage.kind === 'baking' || stage.kind === 'judging'
  const left = open && hosts.slice(0, done).some(({ is }) => is === 'waiting')
  return { stage: left ? fromStart : stage, passed, hosts }
}

export const isGood = (status: HostStatus): boolean => status === 'ok' || status === 'changed'

/** Whether the run has changed a host. @param before whether an attempt that was interrupted had */
export const hasChanged = (status: HostStatus, before: boolean | undefined): boolean =>
  status === 'changed' || (status === 'ok' && before === true)

/** Which hosts are asked for their heartbeats while a batch bakes. */
export const watchedHosts = ({ batches }: RolloutPlan, { hosts }: RolloutState): string[] =>
  batches.flat().filter((_, at) => {
    const host = hosts[at]!
    return host.is === 'ended' && !host.accepted && isGood(host.status)
  })
