/** The timeout of a step, on the controller's clock: `command_timeout`. */
import { errorCodes, StepError } from '../errors.ts'

/** How to end a step. */
export interface StepEnding {
  /** Signals the step's processes. Rejects if that fails. */
  signal(name: 'TERM' | 'KILL'): Promise<void>
  /** Ends the connection, if nothing else ends the step. */
  drop(): void
}

/** The timeout of one step. */
export interface StepLimit {
  /** Starts the clock. Only the first call counts. */
  begin(): void
  /** Stops the clock: the step has ended, in whatever way. */
  end(): void
  /** Set if the step timed out: it fails with this, even if it then exits with 0. */
  readonly late: StepError | undefined
}

/** As `timeout -k 10`: the time between TERM and KILL, and again between KILL and dropping the connection. */
const patienceMs = 10_000

/**
 * @param limitMs undefined: no timeout
 * @param graceMs time between TERM, KILL, and dropping the connection
 */
export function createStepLimit(
  title: string,
  limitMs: number | undefined,
  ending: StepEnding,
  graceMs: number = patienceMs,
): StepLimit {
  let late: StepError | undefined
  let timer: NodeJS.Timeout | undefined
  let over = false
  // If signalling fails, the next stage follows anyway.
  const signal = (name: 'TERM' | 'KILL') => void ending.signal(name).catch(() => {})
  const expire = () => {
    late = new StepError('command_timeout', `timed out after ${limitMs! / 1000} s`, {
      step: title,
      hint: errorCodes.command_timeout.next,
    })
    signal('TERM')
    timer = setTimeout(() => {
      signal('KILL')
      timer = setTimeout(ending.drop, graceMs)
    }, graceMs)
  }
  return {
    begin: () => {
      if (limitMs === undefined || over) return
      timer ??= setTimeout(expire, limitMs)
    },
    end: () => {
      over = true
      clearTimeout(timer)
    },
    get late() {
      return late
    },
  }
}
