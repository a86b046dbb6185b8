/** Retries connecting until the server accepts, the failure is final, or the time is over. */
import pRetry from 'p-retry'
import { UnreachableError } from '../../errors.ts'
import type { Debug } from '../../events.ts'
import { connectError, type Destination, type Failure, prospectOf } from './connect-error.ts'
import { type Deadline, interrupted, isLate, leftOf } from './limits.ts'
import type { Pace, Turn } from './pacing.ts'

/** How often a possibly temporary failure is tried: a closed port is reported within a second. */
const unreadyTries = 3

/** Shorter waits for a turn, in milliseconds, are only this process being busy. */
const worthTelling = 20

/** Thrown by an attempt if another one may succeed. */
interface NotConnected extends Error {
  failure?: Failure
}

export const notConnected = (failure: Failure): NotConnected =>
  Object.assign(new Error('not connected'), { failure })

/**
 * @param attempt one attempt; throws `notConnected`, or an error that must not be retried
 * @param options.again whether to retry at once, in another way
 * @throws {UnreachableError} of the last attempt
 * @throws {InterruptedError} by the deadline’s signal
 */
export async function knock<T>(
  attempt: () => Promise<T>,
  to: Destination,
  options: { pace?: Pace; deadline: Deadline; again(failure: Failure): boolean; debug?: Debug },
): Promise<T> {
  const { pace, deadline, again, debug } = options
  const { signal } = deadline
  let unready = 0
  let last: Failure | undefined
  const once = async () => {
    const since = performance.now()
    const turn = pace && (await turnOf(pace, to, deadline))
    const waitedMs = Math.round(performance.now() - since)
    if (waitedMs >= worthTelling)
      debug?.(
        'pacing',
        `waited ${waitedMs} ms for its turn: at most ${pace!.limit} connections in progress`,
      )
    try {
      const connection = await attempt()
      turn?.letIn()
      return connection
    } catch (error) {
      const { failure } = error as NotConnected
      if (failure && prospectOf(failure) === 'turnedAway') {
        turn?.turnedAway()
        debug?.(
          'pacing',
          `turned away at the door (MaxStartups): ${pace?.limit ?? 1} may knock at once`,
        )
      }
      turn?.end()
      if (failure) debug?.('connect', `not connected: ${connectError(failure, to).message}`)
      throw error
    }
  }
  // This is called twice for each failure.
  let asked: { failure: Failure; otherwise: boolean } | undefined
  const otherwise = (failure: Failure) => {
    if (asked?.failure !== failure) asked = { failure, otherwise: again(failure) }
    return asked.otherwise
  }
  try {
    return await pRetry(once, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 150,
      maxTimeout: 1500,
      // So that connections that were refused together don’t return together.
      randomize: true,
      maxRetryTime: deadline.totalMs,
      signal,
      shouldConsumeRetry: ({ error }) => {
        const { failure } = error as NotConnected
        return !failure || !otherwise(failure)
      },
      shouldRetry: ({ error }) => {
        const { failure } = error as NotConnected
        if (!failure || leftOf(deadline) === 0) return false
        if (otherwise(failure)) return true
        const prospect = prospectOf(failure)
        if (prospect === 'none') return false
        last = failure
        return prospect === 'turnedAway' || ++unready < unreadyTries
      },
    })
  } catch (error) {
    if (signal?.aborted) throw interrupted()
    const { failure } = error as NotConnected
    if (!failure) throw error
    // The reason for the retries says more than a timeout.
    const late = isLate(failure.error) && failure.error.of === 'total'
    throw connectError(late && last ? last : failure, to)
  }
}

/** Waits for its turn until the deadline. */
async function turnOf(pace: Pace, { target }: Destination, deadline: Deadline): Promise<Turn> {
  const { address, port } = target
  const { totalMs, signal } = deadline
  const late = new AbortController()
  const timer = setTimeout(() => late.abort(), leftOf(deadline))
  try {
    return await pace.turn(signal ? AbortSignal.any([signal, late.signal]) : late.signal)
  } catch {
    if (signal?.aborted) throw interrupted()
    throw new UnreachableError(
      'connect_timeout',
      `too many connections are waiting to log in to ${address} port ${port}: its turn did not come within ${totalMs / 1000} s`,
      { hint: 'Work on fewer hosts at a time (--forks), or raise --timeout.' },
    )
  } finally {
    clearTimeout(timer)
  }
}
