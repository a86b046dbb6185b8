/** Heartbeats: a probe that is retried until there are enough good answers in a row, or it fails. */
import pRetry from 'p-retry'
import type { Heartbeat } from '../bootstrap/definitions.ts'
import { InterruptedError, isBootstrapError, StepError } from '../errors.ts'
import type { HostCall, StepResult } from '../session/call.ts'
import { askProbe, type HostProbe, type Verdict } from './probe.ts'

/** What a heartbeat needs from a session. */
export interface Asker {
  ask(call: HostCall): Promise<StepResult>
  /** Stops waiting: Ctrl-C. */
  signal?: AbortSignal
  /** Called after each attempt that was not yet enough. */
  onAnswer?(verdict: Verdict, attempt: number): void
}

/** A heartbeat whose probe runs on the host, with expanded templates. */
export interface HostHeartbeat extends Heartbeat {
  probe: HostProbe
}

/**
 * Probes until there are `successes` good answers in a row, at most `attempts` times, every `intervalMs`.
 * @returns the last answer
 * @throws {StepError} heartbeat_failed, with the last answer
 * @throws {UnreachableError} at once: a lost connection is not an answer
 * @throws {InterruptedError} by the signal
 */
export async function awaitHeartbeat(
  product: string,
  heartbeat: HostHeartbeat,
  { ask, signal, onAnswer }: Asker,
): Promise<Verdict> {
  let inRow = 0
  let last: Verdict = { up: false, answer: 'not asked' }
  const question = async (attempt: number) => {
    last = await askProbe(heartbeat.probe, heartbeat.timeoutMs, ask)
    inRow = last.up ? inRow + 1 : 0
    if (inRow < heartbeat.successes) {
      onAnswer?.(last, attempt)
      throw new StepError('heartbeat_failed', last.answer)
    }
  }
  try {
    await pRetry(question, {
      retries: heartbeat.attempts - 1,
      factor: 1,
      minTimeout: heartbeat.intervalMs,
      maxTimeout: heartbeat.intervalMs,
      signal,
      shouldRetry: ({ error }) => isBootstrapError(error) && error.code === 'heartbeat_failed',
    })
    return last
  } catch (error) {
    if (signal?.aborted) throw new InterruptedError('interrupted', 'interrupted')
    if (!isBootstrapError(error) || error.code !== 'heartbeat_failed') throw error
    const tries = heartbeat.attempts === 1 ? '1 attempt' : `${heartbeat.attempts} attempts`
    throw new StepError(
      'heartbeat_failed',
      `${product} failed its heartbeat (${tries}): ${last.answer}`,
      {
        hint: `Check the log of ${product} on the host.`,
      },
    )
  }
}

/** A single check, for `hostwright heartbeat`: the current state, good or bad. */
export async function askHeartbeat(heartbeat: HostHeartbeat, { ask }: Asker): Promise<Verdict> {
  return askProbe(heartbeat.probe, heartbeat.timeoutMs, ask)
}
