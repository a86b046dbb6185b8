/** Takes a host's lock: with the first write, when its holder has ended, or again after a restart. */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { InterruptedError, LockedError } from '../errors.ts'
import type { Progress } from '../report/progress.ts'
import type { HostCall, StepResult } from '../session/call.ts'
import { type Session, stateFilesOf } from '../session/session.ts'
import type { StateFiles } from './context.ts'
import type { Identity, World } from './job.ts'
import { lockCall, lockError, unknownEnds } from './lock.ts'

/** Pause between attempts to take a held lock. */
const lockIntervalMs = 1000

/** Makes the call with which a run takes a host's lock, or takes it again after its connection was lost. */
export type Claim = (again?: 'again') => HostCall

/** @param returns it may be taken again: with a word that nobody else knows, also not the same run on the same host */
export function createClaim(
  recipe: string,
  { run, attempt, owner, controller }: Identity,
  returns: boolean,
): Claim {
  const session = returns ? randomBytes(12).toString('hex') : undefined
  let time = ''
  return again => {
    if (!again) time = new Date().toISOString()
    return lockCall({ run, attempt, recipe, owner, controller, time, session }, again)
  }
}

/**
 * Evaluates the claim in the session's first write, and waits for a held lock if `lockMs` allows it.
 * @returns the state files, read again after waiting, because the last holder may have changed them
 * @throws {LockedError} another run holds it
 * @throws {StepError} it can't be taken
 * @throws {InterruptedError} Ctrl-C while waiting
 */
export async function takeLock(
  session: Session,
  claim: Claim,
  { timeouts, interrupts }: Pick<World, 'timeouts' | 'interrupts'>,
  progress: Progress,
): Promise<StateFiles> {
  const deadline = Date.now() + timeouts.lockMs
  // If the state can't be read, nor was the lock: then this getter throws the reason.
  if (session.first[0]!.status === 'skipped') session.stateFiles
  let answer = session.first[0]!
  let refusal = lockError(answer)
  if (!refusal) {
    warnOfUnknown(answer, progress)
    return () => session.stateFiles
  }
  let reported = ''
  while (refusal) {
    if (!(refusal instanceof LockedError) || Date.now() >= deadline) throw refusal
    if (refusal.message !== reported) progress.warn(`${refusal.message}; waiting`)
    reported = refusal.message
    const pauseMs = Math.min(lockIntervalMs, Math.max(0, deadline - Date.now()))
    await delay(pauseMs, undefined, { signal: interrupts.stop }).catch(() => {
      throw new InterruptedError('interrupted', 'interrupted while waiting for the lock')
    })
    answer = await session.call(claim())
    refusal = lockError(answer)
  }
  warnOfUnknown(answer, progress)
  const again = await session.call({ name: 'hw_read_state', args: [] })
  return () => stateFilesOf(again)
}

/** What is begun is never forgotten: each run says it until somebody has settled it. */
function warnOfUnknown(granted: StepResult, progress: Progress): void {
  for (const { run, title } of unknownEnds(granted))
    progress.warn(
      `run ${run} began “${title}”, and nobody knows how it ended: find out on the host, then say so with \`hostwright settle ${run}\``,
    )
}

/**
 * Takes the lock of a new boot, without waiting.
 * @throws as `takeLock`, after closing the session
 */
export async function takeLockAgain(session: Session, claim: Claim): Promise<void> {
  const refusal = lockError(await session.call(claim()))
  if (!refusal) return
  // An open connection would keep this process alive.
  await session.close()
  throw refusal
}
