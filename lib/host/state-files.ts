/** Calls to a host that are not steps, and writing its state files. */
import { InterruptedError, StepError } from '../errors.ts'
import { lastLines } from '../report/step-error.ts'
import type { HostCall, StepResult } from '../session/call.ts'
import type { Session } from '../session/session.ts'
import type { Execution } from './execution.ts'
import { checkNotStopped } from './interrupts.ts'
import { onlyLooks } from './mode.ts'

/** The state files, read under the lock. */
export type StateFiles = () => Session['stateFiles']

/**
 * Runs a call. The caller handles its failure.
 * @throws {InterruptedError} Ctrl-C
 */
export type Ask = (call: HostCall) => Promise<StepResult>

/**
 * Writes a state file, by name. Does nothing with --check.
 * @param title what the host's log says of it; default: nothing
 * @throws {StepError} it can't be written
 */
export type WriteState = (name: string, text: string, title?: string) => Promise<void>

export const createAsk =
  ({ sessions, interrupts }: Execution): Ask =>
  async call => {
    checkNotStopped(interrupts)
    const result = await sessions.steadily(undefined, session => session.call(call))
    // Skipped because of Ctrl-C: there is no answer.
    if (result.status === 'skipped') throw new InterruptedError('interrupted', 'interrupted')
    return result
  }

export const createWriteState =
  (ask: Ask, { mode }: Execution): WriteState =>
  async (name, text, title) => {
    if (onlyLooks(mode)) return
    const result = await ask({
      name: 'hw_write_state',
      args: [name],
      content: { sha256: '', bytes: Buffer.from(text) },
      logged: title === undefined ? undefined : { title, always: 'changed' },
    })
    if (result.status === 'failed') throw new StepError(lastLines(result.stderr))
  }
