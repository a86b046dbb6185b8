/** What is known of the steps of a segment that was sent, for when it is sent again. Pure. */

import type { Step } from '../program/step.ts'
import type { HostCall, StepResult } from '../session/call.ts'
import type { RepeatedOutput } from '../session/repeated-output.ts'
import type { Confirming } from './confirm.ts'

/** What is known of a step that is sent. */
export interface Sent {
  call: HostCall
  output: RepeatedOutput
  /** One, however often it is sent. */
  confirmation: Confirming
  /** The answer of its user to its condition. */
  holds?: boolean
  /** It runs in the main session, which knows what is under way. */
  inMain: boolean
  /** Its id in the session that it was sent to last. */
  id?: number
  /** It had changed something before the connection was lost, and its answer was lost too. */
  changed: boolean
  /** The same may be true: another user's session keeps no account of it. */
  mayHave: boolean
  /** Set once it has ended. */
  result?: StepResult
}

/** The result of a step that may have had nothing left to do when it was sent again. */
export function changedBefore(result: StepResult, { changed, mayHave }: Sent): StepResult {
  const isOk = result.status === 'ok'
  if (changed && (isOk || (result.status === 'skipped' && result.note === '')))
    return { ...result, status: 'changed', note: 'before the connection was lost' }
  // What depends on it must not be left out.
  if (mayHave && isOk)
    return { ...result, status: 'changed', note: 'perhaps, before the connection was lost' }
  return result
}

/** Handlers that are due before these steps, for a shell that does not know all: also of steps whose answers were lost. */
export function dueNow(
  left: readonly Step[],
  sent: ReadonlyMap<Step, Sent>,
  due: ReadonlySet<string>,
): ReadonlySet<string> {
  const now = new Set(due)
  const changed = left.filter(step => sent.get(step)!.changed)
  const mayHave = left.filter(step => sent.get(step)!.mayHave)
  for (const { notify } of [...changed, ...mayHave]) for (const { key } of notify) now.add(key)
  for (const step of changed) {
    if (!step.handler) continue
    // What is remembered does not run again, and its output may have been lost.
    if (sent.get(step)!.call.effect) now.add(step.handler)
    else now.delete(step.handler)
  }
  return now
}

/** Whether a step may be done again without a memory of it: it can be asked, or does no harm. */
export const isRepeatable = ({ resource: { effect } }: Step) => effect === undefined || effect.again
