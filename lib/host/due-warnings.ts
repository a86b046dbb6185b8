/** What people are told of handlers that runs leave due. */
import type { Remembered } from '../program/remembered.ts'
import type { Progress } from '../report/progress.ts'

/**
 * Says what an earlier run left due.
 * @param now whether it runs in this run
 */
export function warnOfRemembered(
  remembered: readonly Remembered[],
  now: boolean,
  progress: Progress,
): void {
  for (const { title, run, recipe, call } of remembered) {
    const what = `${title} has been due since run ${run} of ${recipe}`
    if (!now) progress.warn(`${what}: it runs in the next run that changes something`)
    else if (call) progress.warn(`${what}: it runs in this run`)
    else progress.warn(`${what}: it runs when ${recipe} does`)
  }
}

/** Says that this run leaves handlers due. */
export function warnOfLeft(number: number, progress: Progress): void {
  if (number === 0) return
  const what = number === 1 ? 'a handler is' : `${number} handlers are`
  progress.warn(`${what} due: remembered on the host, to run in its next run`)
}
