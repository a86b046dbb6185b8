/** Taking a host's lock: with its first write, again after a restart, or when whoever holds it is done. */
import { setTimeout as delay } from 'node:timers/promises'
import { InterruptedError, LockedError } from '../errors.ts'
import type { Progress } from '../report/progress.ts'
import { type Session, stateFilesOf } from '../session/session.ts'
import type { StateFiles } from './context.ts'
import type { Identity, World } from './job.ts'
import { lockCall, lockError } from './lock.ts'

/** How often a held lock is asked for again. */
const lockIntervalMs = 1000

/** The call by which a run takes a host's lock. */
export const claimLock = (recipe: string, { run, owner, controller }: Identity) =>
  lockCall({ run, recipe, owner, controller, time: new Date().toISOString() })

/**
 * Waits for the lock if asked to.
 * @returns the state files: read again after waiting, as the last holder may have changed them
 * @throws {LockedError} another run holds it; {StepError} it can't be taken
 */
export async function takeLock(
  session: Session,
  recipe: string,
  { identity, timeouts, interrupts }: World,
  progress: Progress,
): Promise<StateFiles> {
  const deadline = Date.now() + timeouts.lockMs
  // Where the state can't be looked at, the lock was not: the getter says why.
  if (session.first[0]!.status === 'skipped') session.stateFiles
  let refusal = lockError(session.first[0]!)
  if (!refusal) return () => session.stateFiles
  let told = ''
  while (refusal) {
    if (!(refusal instanceof LockedError) || Date.now() >= deadline) throw refusal
    if (refusal.message !== told) progress.warn(`${refusal.message}; waiting`)
    told = refusal.message
    const pauseMs = Math.min(lockIntervalMs, Math.max(0, deadline - Date.now()))
    await delay(pauseMs, undefined, { signal: interrupts.stop }).catch(() => {
      throw new InterruptedError('interrupted', 'interrupted while waiting for the lock')
    })
    refusal = lockError(await session.call(claimLock(recipe, identity)))
  }
  const again = await session.call({ name: 'hw_read_state', args: [] })
  return () => stateFilesOf(again)
}

/**
 * Takes the lock of a new boot.
 * @throws as `takeLock`, which nobody waits for: the session is closed then
 */
export async function takeLockAgain(
  session: Session,
  recipe: string,
  identity: Identity,
): Promise<void> {
  const refusal = lockError(await session.call(claimLock(recipe, identity)))
  if (!refusal) return
  // An open connection would keep this process alive.
  await session.close()
  throw refusal
}
