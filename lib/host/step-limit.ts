/** The time that a step may take, on the controller's clock: `command_timeout`. */
import { errorCodes, StepError } from '../errors.ts'

/** How a step is ended. */
export interface StepEnding {
  /** Signals what the step runs. Rejects where that can't be done. */
  signal(name: 'TERM' | 'KILL'): Promise<void>
  /** Ends the connection: for a host on which nothing ends the step. */
  drop(): void
}

/** The limit of one step. */
export interface StepLimit {
  /** The step runs. Only the first call counts. */
  begin(): void
  /** The step is over, whatever came of it. */
  end(): void
  /** That it took too long: what it fails with, also if it ended well in spite of it. */
  readonly late: StepError | undefined
}

/** As long as `timeout -k 10` gives what was asked to end; then the same for what was killed. */
const patienceMs = 10_000

/**
 * @param limitMs undefined: the step may take as long as it does
 * @param graceMs between the request to end, the kill, and the end of the connection
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
  // Where there is no way to signal, the next stage has its turn all the same.
  const signal = (name: 'TERM' | 'KILL') => void ending.signal(name).catch(() => {})
  const expire = () => {
    late = new StepError('command_timeout', `not done within ${limitMs! / 1000} s: it was ended`, {
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
