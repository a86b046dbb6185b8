/** Faults of the command line and the project: collected, so that a person sees all of them at once. */
import { type BootstrapError, exitCodes, exitOf, isBootstrapError, UsageError } from './errors.ts'

/** What was found to be wrong so far. */
export interface Faults {
  readonly any: boolean
  /** What `read` returns; undefined if it throws a usage error, which is kept. */
  take<T>(read: () => T): T | undefined
  /** The same for promises: `await read().catch(faults.keep)`. Rethrows what is not a usage error. */
  keep(error: unknown): undefined
  /** @throws {UsageError} all that was kept, as one error */
  throwAny(): void
}

export function createFaults(): Faults {
  const found: BootstrapError[] = []
  const throwAny = () => {
    if (found.length > 0) throw joinFaults(found)
  }
  const keep = (error: unknown): undefined => {
    if (isUsage(error)) {
      // Two checks may come upon the same fault.
      const known = found.flatMap(linesOf)
      if (!linesOf(error).every(line => known.includes(line))) found.push(error)
      return undefined
    }
    // It may be a consequence of what was found before.
    throwAny()
    throw error
  }
  return {
    get any() {
      return found.length > 0
    },
    take: read => {
      try {
        return read()
      } catch (error) {
        return keep(error)
      }
    },
    keep,
    throwAny,
  }
}

/** One error that says what each of these says, a line each, with the code of the first. One alone stays as it is. */
export function joinFaults(faults: readonly BootstrapError[]): BootstrapError {
  const [first] = faults
  if (faults.length === 1) return first!
  const hints = faults.flatMap(({ details }) => details.hint ?? [])
  return new UsageError(first!.code, faults.flatMap(linesOf).join('\n'), {
    hint: [...new Set(hints)].join('\n') || undefined,
  })
}

const linesOf = ({ message, details: { at } }: BootstrapError) =>
  (at === undefined ? message : `${message} (${at})`).split('\n')

const isUsage = (error: unknown): error is BootstrapError =>
  isBootstrapError(error) && exitOf(error.code) === exitCodes.usage
