/** Takes a host's lock: with the first write, when its holder has ended, or again after a restart. */
import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { InterruptedError, LockedError } from '../errors.ts'
import type { Progress } from '../report/progress.ts'
import type { HostCall, StepResult } from '../session/call.ts'
import { type Session, stateFilesOf } from '../session/session.ts'
import type { Identity, World } from './job.ts'
import { lockCall, lockError, parseHolder, putBack, unknownEnds } from './lock.ts'
import type { HostSessions } from './sessions.ts'
import type { StateFiles } from './state-files.ts'

/** Pause between attempts to take a held lock. */
const lockIntervalMs = 1000

/** The calls with which a run takes a host's lock. */
export interface Claim {
  take(): HostCall
  /** Takes it again after the connection was lost. Undefined: it had not been taken. */
  takeBack(): HostCall | undefined
  /** It was taken. */
  granted(): void
}

/** @param returns it may be taken again: with a word that nobody else knows, also not the same run on the same host */
export function createClaim(
  recipe: string,
  { run, attempt, owner, controller }: Identity,
  returns: boolean,
): Claim {
  const session = returns ? randomBytes(12).toString('hex') : undefined
  const who = { run, attempt, recipe, owner, controller, session }
  let time = ''
  let held = false
  return {
    take: () => {
      time = new Date().toISOString()
      return lockCall({ ...who, time })
    },
    takeBack: () => (held ? lockCall({ ...who, time }, 'again') : undefined),
    granted: () => {
      held = true
    },
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
  sessions: HostSessions,
  claim: Claim,
  { timeouts, interrupts }: Pick<World, 'timeouts' | 'interrupts'>,
  progress: Progress,
): Promise<StateFiles> {
  const deadline = Date.now() + timeouts.lockMs
  const session = sessions.main
  // If the state can't be read, nor was the lock: then this getter throws the reason.
  if (session.first[0]!.status === 'skipped') session.stateFiles
  let answer = session.first[0]!
  let refusal = lockError(answer)
  if (!refusal) {
    claim.granted()
    warnOfUnknown(answer, progress)
    return () => session.stateFiles
  }
  let reported = ''
  while (refusal) {
    if (!(refusal instanceof LockedError) || Date.now() >= deadline) throw refusal
    // How long the holder has been silent changes all the time.
    const { run, pid } = parseHolder(answer.stdout.toString('utf8'))!
    if (`${run} ${pid}` !== reported) progress.warn(`${refusal.message}; waiting`)
    reported = `${run} ${pid}`
    const pauseMs = Math.min(lockIntervalMs, Math.max(0, deadline - Date.now()))
    await delay(pauseMs, undefined, { signal: interrupts.stop }).catch(() => {
      throw new InterruptedError('interrupted', 'interrupted while waiting for the lock')
    })
    answer = await sessions.steadily(undefined, now => now.call(claim.take()))
    refusal = lockError(answer)
  }
  claim.granted()
  warnOfUnknown(answer, progress)
  const reading = { name: 'hw_read_state', args: [] }
  const again = await sessions.steadily(undefined, now => now.call(reading))
  return () => stateFilesOf(again)
}

/** What is begun is never forgotten: each run says it until somebody has settled it. */
function warnOfUnknown(granted: StepResult, progress: Progress): void {
  for (const { run, title } of unknownEnds(granted))
    progress.warn(
      `run ${run} began “${title}”, and nobody knows how it ended: find out on the host, then say so with \`hostwright settle ${run}\``,
    )
  for (const { done, run, title } of putBack(granted))
    progress.warn(
      done
        ? `run ${run} changed “${title}”, which nobody confirmed: it was put back`
        : `run ${run} changed “${title}”, which nobody confirmed, and it can’t be put back: see confirm/ in bootstrap_dir on the host`,
    )
}

/**
 * Takes the lock of a new boot, without waiting.
 * @throws as `takeLock`
 */
export async function takeLockAgain(session: Session, claim: Claim): Promise<void> {
  const refusal = lockError(await session.call(claim.take()))
  if (refusal) throw refusal
}
