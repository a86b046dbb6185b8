/** What the steps of one host share. */
import type { Host } from '../inventory/inventory.ts'
import type { StepAccount } from '../program/account.ts'
import type { EffectKeys } from '../program/effects.ts'
import type { Step } from '../program/step.ts'
import { cleanReport } from '../report/clean.ts'
import type { Progress } from '../report/progress.ts'
import type { HostCall } from '../session/call.ts'
import type { Interrupts } from './interrupts.ts'
import type { Ledger } from './ledger.ts'
import { type Mode, onStepOf } from './mode.ts'
import type { HostSessions } from './sessions.ts'

/**
 * Logs in to the host again, by a connection of its own, for one call.
 * @throws {UnreachableError} there is none within the time
 */
export type LogInAnew = (call: HostCall, withinMs: number, over: AbortSignal) => Promise<void>

export interface Execution {
  host: Host
  /** The host for which it is done, if that is another one; plans and lists show its steps there. */
  forHost?: string
  /** What is done once a run now, for all hosts. */
  once?: string
  mode: Mode
  sessions: HostSessions
  progress: Progress
  ledger: Ledger
  interrupts: Interrupts
  /** Makes the keys of effects; undefined where nothing is remembered: without a lock, or where nothing is changed. */
  effects?: EffectKeys
  /** Confirms what can cut the host off. */
  logInAnew: LogInAnew
  /** Timeout of each step, in milliseconds. Undefined: none. */
  stepTimeoutMs?: number
  /** Throws if steps that are about to run differ from the plan that is applied. */
  checkPlanned?(steps: readonly Step[]): void
}

/**
 * Adds a step to the account that plans and lists keep; does nothing in other modes.
 * @param step called only where an account is kept: its hashes take time
 */
export function account(
  { host, forHost, once, mode, progress }: Execution,
  step: () => StepAccount,
): void {
  const onStep = onStepOf(mode)
  if (!onStep) return
  const known: StepAccount = { ...cleanReport(step(), progress.redact), ...(once && { once }) }
  if (forHost === undefined) onStep(host.name, known)
  else onStep(forHost, { ...known, on: host.name })
}
