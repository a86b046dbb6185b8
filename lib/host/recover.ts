/** Connects again to a host whose connection was lost in the middle of the work. */
import { setTimeout as delay } from 'node:timers/promises'
import pRetry from 'p-retry'
import {
  type BootstrapError,
  type ErrorCode,
  errorCodes,
  InterruptedError,
  isBootstrapError,
  UnreachableError,
} from '../errors.ts'
import type { Host } from '../inventory/inventory.ts'
import type { HostCall, StepResult } from '../session/call.ts'
import type { Session } from '../session/session.ts'
import { type ConnectedHost, type Connecting, connectHost } from './connect.ts'
import { changedBefore, isOwnShell, lockError } from './lock.ts'

/** What is to be there again. */
export interface Recovering {
  /** How long it may take to connect again, in milliseconds. */
  withinMs: number
  /** Takes the lock again; undefined if the session had none. */
  claim(): HostCall | undefined
  /** Shows what is being done. */
  say(message: string): void
}

/** A host that is connected again. */
export interface Recovered extends ConnectedHost {
  /** Ids of the steps that had changed something: their answers may be lost. */
  changed: ReadonlySet<number>
}

/**
 * Connects again and again, with pauses that grow, until it is there or the time is over.
 * @param lost how the connection was lost
 * @param after ids of calls begin after this
 * @throws {UnreachableError} connection_lost: not in time, or somebody else has had the lock; at once, with the code of
 *   the refusal, where the login or the host key is refused
 * @throws {InterruptedError} Ctrl-C
 */
export async function recoverHost(
  host: Host,
  connecting: Connecting,
  { withinMs, claim, say }: Recovering,
  lost: BootstrapError,
  after: number,
): Promise<Recovered> {
  const { timeoutMs, interrupts } = connecting
  const { stop: signal } = interrupts ?? {}
  const beganAt = performance.now()
  let last = ''
  const attempt = async (number: number) => {
    say(`connection lost, reconnecting (attempt ${number})…${last}`)
    const leftMs = Math.max(leastMs, withinMs - (performance.now() - beganAt))
    const { connector, warn, watch } = connecting
    const limited = { connector, interrupts, warn, watch, timeoutMs: Math.min(timeoutMs, leftMs) }
    const back = claim()
    const connected = await connectHost(host, limited, back ? [back] : [], after)
    try {
      const changed = back
        ? await takeLockBack(connected.session, back, { signal, say })
        : new Set<number>()
      say(`connected again after ${Math.ceil((performance.now() - beganAt) / 1000)} s`)
      return { ...connected, changed }
    } catch (error) {
      // An open connection would keep this process alive.
      await connected.session.close().catch(() => {})
      throw error
    }
  }
  try {
    return await pRetry(attempt, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 500,
      maxTimeout: 15_000,
      // Hosts whose connections were lost together must not come back together.
      randomize: true,
      maxRetryTime: withinMs,
      signal,
      shouldRetry: ({ error }) => {
        last = ` ${error.message}`
        return error instanceof UnreachableError && !lasting.has(error.code)
      },
    })
  } catch (error) {
    if (signal?.aborted)
      throw new InterruptedError('interrupted', 'interrupted while reconnecting', { cause: lost })
    throw notAgain(lost, error, withinMs)
  }
}

/** Refusals that another attempt would not change, or must not try to. */
const lasting: ReadonlySet<ErrorCode> = new Set([
  'auth_failed',
  'become_failed',
  'host_key_unknown',
  'host_key_changed',
  'host_key_revoked',
  'no_common_algorithm',
  'out_of_files',
])

/** An attempt has at least this time, however little is left. */
const leastMs = 1000

/** How often the lock is asked for while the old shell ends, in milliseconds. */
const againMs = 500

/** @returns ids of the steps that had changed something */
async function takeLockBack(
  session: Session,
  claim: HostCall,
  { signal, say }: { signal?: AbortSignal; say(message: string): void },
): Promise<ReadonlySet<number>> {
  let answer: StepResult = session.first[0]!
  for (let waits = 0; isOwnShell(answer); waits++) {
    // The step that was running has no end yet: what comes after it must not begin before.
    if (waits === 1) say('waiting for the step that was running when the connection was lost')
    await delay(againMs, undefined, { signal })
    answer = await session.call(claim)
  }
  const refusal = lockError(answer)
  if (refusal) throw refusal
  return changedBefore(answer)
}

/** The error of a host that is given up. */
function notAgain(lost: BootstrapError, error: unknown, withinMs: number): BootstrapError {
  if (!isBootstrapError(error)) return lost
  const { message, code, details } = error
  if (lasting.has(code))
    return new UnreachableError(code, `${lost.message}; reconnecting was refused: ${message}`, {
      output: details.output,
      hint: details.hint,
      cause: lost,
    })
  const late = error instanceof UnreachableError
  const why = late ? `not connected again within ${withinMs / 1000} s` : message
  return new UnreachableError('connection_lost', `${lost.message}; ${why}`, {
    output: late ? message : details.output,
    hint: errorCodes.connection_lost.next,
    cause: lost,
  })
}
