/** Heartbeats: a probe asked again until it is answered well often enough in a row, or never. */
import pRetry from 'p-retry'
import type { Heartbeat } from '../bootstrap/definitions.ts'
import { InterruptedError, isBootstrapError, StepError } from '../errors.ts'
import type { HostCall, StepResult } from '../session/call.ts'
import { type HostProbe, judge, probeCall, type Verdict } from './probe.ts'

/** What a heartbeat needs of a session. */
export interface Asker {
  ask(call: HostCall): Promise<StepResult>
  /** Ends the waiting: Ctrl-C. */
  signal?: AbortSignal
  /** Told after each question that was not the last. */
  onAnswer?(verdict: Verdict, attempt: number): void
}

/** A heartbeat whose probe is asked on the host, its templates expanded. */
export interface HostHeartbeat extends Heartbeat {
  probe: HostProbe
}

/**
 * Asks until `successes` good answers came in a row, at most `attempts` times, every `intervalMs`.
 * @param once a single question: the state now
 * @returns the last answer
 * @throws {StepError} heartbeat_failed, with the last answer
 * @throws {UnreachableError} at once: a lost connection is no answer
 * @throws {InterruptedError} the signal came
 */
export async function awaitHeartbeat(
  product: string,
  heartbeat: HostHeartbeat,
  { ask, signal, onAnswer }: Asker,
): Promise<Verdict> {
  let inRow = 0
  let last: Verdict = { up: false, answer: 'not asked' }
  const question = async (attempt: number) => {
    const result = await ask(probeCall(heartbeat.probe, heartbeat.timeoutMs))
    last = judge(heartbeat.probe, result)
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

/** One question, for `hostwright heartbeat`: the state now, good or bad. */
export async function askHeartbeat(heartbeat: HostHeartbeat, { ask }: Asker): Promise<Verdict> {
  return judge(heartbeat.probe, await ask(probeCall(heartbeat.probe, heartbeat.timeoutMs)))
}
