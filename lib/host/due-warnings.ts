/** Warnings about handlers that runs leave due. */
import type { Remembered } from '../program/remembered.ts'
import type { Progress } from '../report/progress.ts'

/**
 * Warns about what an earlier run left due.
 * @param now whether due handlers run in this run
 */
export function warnOfRemembered(
  remembered: readonly Remembered[],
  now: boolean,
  progress: Progress,
): void {
  for (const { title, run, recipe, call, key, refused } of remembered) {
    if (refused) {
      progress.warn(
        `${title} is recorded as due under a key that is not the hash of what it does (${key}): it is not run. Find out who wrote that into the file handlers in bootstrap_dir, then remove the line.`,
      )
      continue
    }
    const what = `${title} has been due since run ${run} of ${recipe}`
    if (!now) progress.warn(`${what}: it runs in the next run that changes something`)
    else if (call) progress.warn(`${what}: it runs in this run`)
    else progress.warn(`${what}: it runs when ${recipe} runs again`)
  }
}

/** Warns that this run leaves handlers due. */
export function warnOfLeft(number: number, progress: Progress): void {
  if (number === 0) return
  const [what, they] =
    number === 1 ? ['a handler is', 'it runs'] : [`${number} handlers are`, 'they run']
  progress.warn(`${what} still due: ${they} in the host’s next run`)
}
