/** The lock of a rollout at a host of the inventory: for controllers that share no directory. */
import { setTimeout as delay } from 'node:timers/promises'
import { isBootstrapError, LockedError } from '../errors.ts'
import type { Host } from '../inventory/inventory.ts'
import { createProgress } from '../report/progress.ts'
import type { World } from './job.ts'
import { openSessions, recoveryOf } from './open-sessions.ts'
import { createClaim, takeLock } from './take-lock.ts'
import { watchHost } from './watch.ts'

/** How long giving it back may take; the host frees it by itself, a minute after it last heard of the controller. */
const backMs = 5000

/**
 * Takes it: the same lock as that of a host, in a directory of its own for each product, so work on that host goes on.
 * @param product what is rolled out
 * @returns gives it back
 * @throws {LockedError} another rollout is at work
 * @throws {UnreachableError} no connection
 * @throws {InterruptedError} Ctrl-C
 */
export async function takeRolloutLock(
  there: Host,
  product: string,
  recipe: string,
  world: World,
): Promise<() => Promise<void>> {
  const { connector, timeouts, interrupts, events, identity, reporting = {} } = world
  const { environment } = identity
  const bootstrapDir = `${there.bootstrapDir}/rollouts/${encodeURIComponent(`${environment}.${product}`)}`
  await world.prepare?.(there)
  const host = { ...there, bootstrapDir }
  const progress = createProgress(there.name, 'rollout', events)
  const reconnectMs = recoveryOf(host, timeouts)
  const claim = createClaim(recipe, identity, reconnectMs > 0)
  const watch = watchHost(host, events, reporting, progress)
  const around = { connector, timeouts, interrupts }
  const sessions = await openSessions(host, around, claim, reconnectMs, progress.warn, watch)
  try {
    await takeLock(sessions, claim, world, progress)
  } catch (error) {
    await sessions.close(true)
    if (!isBootstrapError(error) || error.code !== 'locked') throw error
    const what = `the rollout of ${product} in ${environment}, whose lock is at ${there.name}`
    throw new LockedError('locked', `${what}, is at work: ${error.message}`, {
      hint: 'Wait for it with --wait-lock 30m. If its controller is gone, the lock is free a minute later.',
    })
  }
  return async () => {
    const late = delay(backMs, undefined, { ref: false })
    await Promise.race([sessions.close().catch(() => {}), late])
  }
}
