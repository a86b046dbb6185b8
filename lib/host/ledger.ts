/** What is due, owed and settled on one host, and which resources changed something in this run. */
import { StepError } from '../errors.ts'
import type { Step } from '../program/step.ts'
import { lastLines } from '../report/step-error.ts'
import type { Resource } from '../resources/resource.ts'
import type { HostSessions } from './sessions.ts'

export interface Ledger {
  /** Keys of the handlers that are due. */
  readonly due: ReadonlySet<string>
  becomeDue(keys: Iterable<string>): void
  /** It ran, or its condition took it out. */
  noLongerDue(key: string): void
  /** Whether a resource changed something; undefined: its turn has not come. */
  changed(resource: Resource): boolean | undefined
  /** Whether any resource did. */
  readonly anyChanged: boolean
  note(resource: Resource, changed: boolean): void
  /**
   * Only the main session writes down what is due. What steps of another user may make due is written
   * before they begin, so that it is not lost with them, whatever happens; `settle` takes out what is not.
   * @returns the keys of what may be due, and of handlers that are to run; undefined if Ctrl-C came before
   */
  owe(steps: readonly Step[]): Promise<string[] | undefined>
  /** Takes out what was owed and is not due, or not any more. */
  settle(owed: readonly string[]): Promise<void>
}

/**
 * @param check whether the host is only looked at
 * @param before keys of what an earlier run left due
 */
export function createLedger(
  sessions: HostSessions,
  check: boolean,
  before: Iterable<string>,
): Ledger {
  const due = new Set(before)
  const known = new Map<Resource, boolean>()
  const mode = { check, diff: false }
  const settle = async (owed: readonly string[]) => {
    const done = owed.filter(key => !due.has(key))
    const calls = done.map(key => ({ call: { name: 'hw_undo_due', args: [key] } }))
    const settled = await sessions.main.segment(calls, mode)
    for (const [index, { status, stderr }] of settled.entries()) {
      if (status === 'failed') throw new StepError(lastLines(stderr))
      // Ctrl-C came before: it stays on the host, to run once more.
      if (status === 'skipped') due.add(done[index]!)
    }
  }
  const owe = async (steps: readonly Step[]) => {
    const wanted = handlersIn(steps).filter(key => due.has(key))
    const mayBe = steps.flatMap(({ notify }) => notify).filter(({ key }) => !due.has(key))
    if (mayBe.length === 0) return wanted
    const call = { name: 'hw_owe', args: mayBe.flatMap(({ key, record }) => [key, record]) }
    const [written] = await sessions.main.segment([{ call }], mode)
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
    get anyChanged() {
      return [...known.values()].includes(true)
    },
    note: (resource, changed) => void known.set(resource, changed),
    owe,
    settle,
  }
}

/** Keys of the handlers among these steps. */
export const handlersIn = (steps: readonly Step[]): string[] =>
  steps.flatMap(({ handler }) => handler ?? [])
