/** What a run does: change hosts, only look at them, or apply a plan. */
import type { StepAccount } from '../program/account.ts'

/** Asks the user whether to run a step. */
export type Confirm = (host: string, title: string) => Promise<boolean>

/** Called with each step that a run comes to. */
export type OnStep = (host: string, step: StepAccount) => void

export type Mode =
  /** Bring hosts to the declared state. */
  | { kind: 'apply'; diff: boolean; confirm?: Confirm }
  /** `--check`: report what would change. */
  | { kind: 'check'; diff: boolean }
  /** `list tasks`: list the steps without checking their state on the host. */
  | { kind: 'list'; onStep: OnStep }
  /** `plan`: report what would change, for a plan file. */
  | { kind: 'plan'; diff: boolean; onStep: OnStep }
  /** `apply`: do exactly what was planned for each host, or nothing if the host or the recipe has changed. */
  | {
      kind: 'replay'
      diff: boolean
      planned: ReadonlyMap<string, readonly StepAccount[]>
      /** Hosts that an earlier attempt of the run has begun, and so changed itself. */
      begun: ReadonlySet<string>
    }

/** Whether the mode must not change hosts. The only place that decides this. */
export const onlyLooks = ({ kind }: Mode): boolean =>
  kind === 'check' || kind === 'list' || kind === 'plan'

/** Whether to fetch old and new texts for diffs. */
export const wantsDiff = (mode: Mode): boolean => mode.kind !== 'list' && mode.diff

/** What asks before each step, if anything does. */
export const confirmOf = (mode: Mode): Confirm | undefined =>
  mode.kind === 'apply' ? mode.confirm : undefined

/** What is called with each step, if anything is. */
export const onStepOf = (mode: Mode): OnStep | undefined =>
  mode.kind === 'list' || mode.kind === 'plan' ? mode.onStep : undefined
