/** What fails outside of the promise that a recipe's `run` returned. */
import { exitCodes } from '../errors.ts'
import { thrownError } from '../report/report.ts'

export interface Strays {
  /** What failed and was not taken yet, a line each. A promise awaited after it failed is none. */
  take(): string[]
  dispose(): void
}

/**
 * Without a listener Node ends the process at once, in the middle of other hosts' work. Listens until
 * `dispose`. A run with a stray is not to be called good.
 */
export function listenForStrays(): Strays {
  const strays = new Map<unknown, string>()
  const taken = new Set<string>()
  const rejected = (reason: unknown, promise: Promise<unknown>) => {
    const { exitCode } = thrownError(reason)
    // Steps without an await also fail after a lost connection or Ctrl-C: the host's own error reports that.
    if (exitCode === exitCodes.unreachable || exitCode === exitCodes.interrupted) return
    strays.set(promise, `the recipe did not await something that failed: ${describe(reason)}`)
  }
  const awaited = (promise: Promise<unknown>) => strays.delete(promise)
  const thrown = (error: unknown) => {
    const text = `an exception that nothing could catch: ${describe(error)}`
    strays.set(text, text)
  }
  process.on('unhandledRejection', rejected)
  process.on('rejectionHandled', awaited)
  process.on('uncaughtException', thrown)
  return {
    take: () => {
      const fresh = new Set([...strays.values()].filter(text => !taken.has(text)))
      for (const text of fresh) taken.add(text)
      return [...fresh]
    },
    dispose: () => {
      process.off('unhandledRejection', rejected)
      process.off('rejectionHandled', awaited)
      process.off('uncaughtException', thrown)
    },
  }
}

/** `$ make: exit status 2 (recipes/web.ts:12)` */
function describe(reason: unknown): string {
  const { message, details } = thrownError(reason)
  const what = message.trim().split('\n', 1)[0]!
  const step = details.step ? `${details.step}: ` : ''
  return `${step}${what}${details.at ? ` (${details.at})` : ''}`
}
