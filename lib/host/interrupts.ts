/** Ctrl-C, in the same shape everywhere. */
import { InterruptedError } from '../errors.ts'

/**
 * `stop` aborts at the first Ctrl-C, `kill` at the second; `abandon` some time later: what has not ended by then is
 * waited for no longer.
 */
export interface Interrupts {
  stop: AbortSignal
  kill: AbortSignal
  abandon: AbortSignal
}

/** @throws {InterruptedError} Ctrl-C was pressed */
export function checkNotStopped({ stop }: Interrupts): void {
  if (stop.aborted) throw new InterruptedError('interrupted', 'interrupted')
}
