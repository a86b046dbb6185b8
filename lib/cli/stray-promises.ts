/** Promises that a recipe did not wait for, and that failed. */
import { isBootstrapError } from '../errors.ts'

export interface StrayPromises {
  /** What they failed with, a line each. One that was awaited after it failed is none. */
  messages(): string[]
  dispose(): void
}

/**
 * Without a listener Node ends the process at once, in the middle of other hosts' work. Listens until
 * `dispose`. A run with a stray is not to be called good.
 */
export function listenForStrayPromises(): StrayPromises {
  const strays = new Map<Promise<unknown>, string>()
  const unhandled = (reason: unknown, promise: Promise<unknown>) => {
    // What a host's failure does to steps that nobody waits for is told by the host's own error.
    if (isBootstrapError(reason) && reason.code !== 'internal') return
    strays.set(promise, reason instanceof Error ? reason.message : String(reason))
  }
  const handled = (promise: Promise<unknown>) => strays.delete(promise)
  process.on('unhandledRejection', unhandled)
  process.on('rejectionHandled', handled)
  return {
    messages: () => Array.from(strays.values(), message => message.trim().split('\n', 1)[0]!),
    dispose: () => {
      process.off('unhandledRejection', unhandled)
      process.off('rejectionHandled', handled)
    },
  }
}
