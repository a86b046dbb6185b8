/** What a run is for: to change hosts, to look at them, or to do what was planned. */
import type { StepAccount } from '../program/account.ts'

/** Asks a person whether a step is wanted. */
export type Confirm = (host: string, title: string) => Promise<boolean>

/** Given the account of each step that a run comes to. */
export type OnStep = (host: string, step: StepAccount) => void

export type Mode =
  /** Bring hosts to the declared state. */
  | { kind: 'apply'; diff: boolean; confirm?: Confirm }
  /** `--check`: find out what would change. */
  | { kind: 'check'; diff: boolean }
  /** `list tasks`: find out what would be done, and ask no host about it. */
  | { kind: 'list'; onStep: OnStep }
  /** `plan`: find out what would change, and write it down. */
  | { kind: 'plan'; diff: boolean; onStep: OnStep }
  /** `apply`: do just what was planned, by host; where the host or the recipe is another now, nothing. */
  | { kind: 'replay'; diff: boolean; planned: ReadonlyMap<string, readonly StepAccount[]> }

/** Whether hosts are only looked at. The one place that says so. */
export const onlyLooks = ({ kind }: Mode): boolean =>
  kind === 'check' || kind === 'list' || kind === 'plan'

/** Whether the texts of what changes are wanted. */
export const wantsDiff = (mode: Mode): boolean => mode.kind !== 'list' && mode.diff

/** Who is asked before each step. */
export const confirmOf = (mode: Mode): Confirm | undefined =>
  mode.kind === 'apply' ? mode.confirm : undefined

/** Who is given the account of each step. */
export const onStepOf = (mode: Mode): OnStep | undefined =>
  mode.kind === 'list' || mode.kind === 'plan' ? mode.onStep : undefined
