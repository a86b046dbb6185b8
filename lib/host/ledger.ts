/** The ledger of one host: which handlers are due, and which resources changed something in this run. */
import { StepError } from '../errors.ts'
import type { Step } from '../program/step.ts'
import { lastLines } from '../report/step-error.ts'
import type { Resource } from '../resources/resource.ts'
import type { HostSessions } from './sessions.ts'

export interface Ledger {
  /** Keys of the handlers that are due. */
  readonly due: ReadonlySet<string>
  becomeDue(keys: Iterable<string>): void
  /** The handler ran, or its condition does not hold. */
  noLongerDue(key: string): void
  /** Whether a resource changed something; undefined: it has not run yet. */
  changed(resource: Resource): boolean | undefined
  /** What steps made, or with --check would make: the lines of lib/remote/foresee.sh. */
  readonly foreseen: readonly string[]
  /** With --check: something that is not a resource would make this. */
  foresee(made: string): void
  note(resource: Resource, changed: boolean): void
  /**
   * Records the handlers that steps of another user may make due. Only the main session can write the record,
   * so it writes before they begin, and nothing is lost if they are cut off; `settle` removes what is not due.
   * @returns the keys of these handlers, and of those among the steps that are due; undefined after Ctrl-C
   */
  owe(steps: readonly Step[]): Promise<string[] | undefined>
  /** Removes from the record those of these keys that are not due. */
  settle(owed: readonly string[]): Promise<void>
}

/** Which resources changed something, and what steps would make. */
export interface Noted {
  known: Map<Resource, boolean>
  foreseen: string[]
}

/**
 * @param check whether nothing may be changed
 * @param before keys of handlers that an earlier run left due
 * @param earlier what an earlier ledger of the same host has noted, which this one goes on with
 */
export function createLedger(
  sessions: HostSessions,
  check: boolean,
  before: Iterable<string>,
  earlier: Noted = { known: new Map(), foreseen: [] },
): Ledger {
  const due = new Set(before)
  const { known, foreseen } = earlier
  const mode = { check, diff: false }
  const settle = async (owed: readonly string[]) => {
    const done = owed.filter(key => !due.has(key))
    const calls = done.map(key => ({ call: { name: 'hw_undo_due', args: [key] } }))
    const settled = await sessions.steadily(undefined, session => session.segment(calls, mode))
    for (const [index, { status, stderr }] of settled.entries()) {
      if (status === 'failed') throw new StepError(lastLines(stderr))
      // Ctrl-C came first: it stays recorded, and will run again.
      if (status === 'skipped') due.add(done[index]!)
    }
  }
  const owe = async (steps: readonly Step[]) => {
    const wanted = handlersIn(steps).filter(key => due.has(key))
    const mayBe = steps.flatMap(({ notify }) => notify).filter(({ key }) => !due.has(key))
    if (mayBe.length === 0) return wanted
    const call = { name: 'hw_owe', args: mayBe.flatMap(({ key, record }) => [key, record]) }
    const [written] = await sessions.steadily(undefined, session =>
      session.segment([{ call }], mode),
    )
    if (written!.status === 'failed') throw new StepError(lastLines(written!.stderr))
    if (written!.status === 'skipped') return undefined
    return [...new Set([...wanted, ...mayBe.map(({ key }) => key)])]
  }
  return {
    due,
    becomeDue: keys => {
      for (const key of keys) due.add(key)
    },
    noLongerDue: key => void due.delete(key),
    changed: resource => known.get(resource),
    foreseen,
    foresee: made => void foreseen.push(made),
    note: (resource, changed) => {
      known.set(resource, changed)
      if (changed) foreseen.push(...resource.makes)
    },
    owe,
    settle,
  }
}

/** Keys of the handlers among these steps. */
export const handlersIn = (steps: readonly Step[]): string[] =>
  steps.flatMap(({ handler }) => handler ?? [])
