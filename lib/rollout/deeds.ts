/** What a rollout does with hosts and people: the interface between decisions and the world. */
import type { ErrorReport, HostOutcome } from '../events.ts'
import type { Host } from '../inventory/inventory.ts'
import type { GateVerdict } from '../recipe/rollout-options.ts'
import type { HookDeeds } from './hooks.ts'

/** What a heartbeat or a gate says. */
export interface Said {
  verdict: GateVerdict
  why: string
  /** Of a host that turned bad. */
  error?: ErrorReport
}

/** What a person says at a pause. */
export type Decision = 'continue' | 'abort' | 'roll back'

/** What became of going back. */
export interface Undone {
  how: 'done' | 'failed' | 'cut off'
  outcome: HostOutcome
}

/** None of these throws because of what happens on a host. */
export interface Deeds {
  /** What is done before and after. Undefined: the recipe has nothing of that. */
  hooks?: HookDeeds
  work(host: Host): Promise<HostOutcome>
  /** @param before the host's outcome */
  undo(host: Host, before: HostOutcome): Promise<Undone>
  /** Asks a host's heartbeat. Undefined: there is none. */
  heartbeat?: (host: Host) => Promise<Said>
  /** Asks the gate about a batch, from 1. */
  judge(number: number, of: number, outcomes: readonly HostOutcome[]): Promise<Said>
  /**
   * Asks a person.
   * @returns undefined: there is nobody, so the run is left paused
   */
  decide(why: string): Promise<Decision | undefined>
}
