/** Promises that a recipe did not wait for, and that failed. */
import { isBootstrapError } from '../errors.ts'

/**
 * Without a listener Node ends the process at once, in the middle of other hosts' work. Listens until
 * `dispose`, which says whether there was one: the run is then not to be called good.
 * @param tell shows a line to the person
 */
export function listenForStrayPromises(tell: (line: string) => void): { dispose(): boolean } {
  let found = false
  const listener = (reason: unknown) => {
    // What a host's failure does to steps that nobody waits for is told by the host's own error.
    if (isBootstrapError(reason) && reason.code !== 'internal') return
    found = true
    const message = reason instanceof Error ? reason.message : String(reason)
    tell(`the recipe did not await something that failed: ${message.split('\n', 1)[0]}`)
  }
  process.on('unhandledRejection', listener)
  return {
    dispose: () => {
      process.off('unhandledRejection', listener)
      return found
    },
  }
}
