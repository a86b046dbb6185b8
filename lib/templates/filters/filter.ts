import type { State, Work } from '../evaluate.ts'
import { type Take, taker } from '../methods.ts'

export type Filters = Readonly<Record<string, Work>>

/** A filter that takes its arguments by position or name, and refuses others. */
export const filter =
  (work: (value: unknown, take: Take, state: State) => unknown): Work =>
  (value, given, state) => {
    const { take, check } = taker(given, 'it')
    const made = work(value, take, state)
    check()
    return made
  }
