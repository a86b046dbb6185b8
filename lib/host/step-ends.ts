/** A running program: the results of its steps so far, and the reports of those that end. */
import { type BootstrapError, InterruptedError, type StepError } from '../errors.ts'
import { accountOf } from '../program/account.ts'
import type { Step } from '../program/step.ts'
import { diffOf } from '../report/diff.ts'
import { stepStatusOf } from '../report/report.ts'
import { lastLines, stepError } from '../report/step-error.ts'
import type { StepProgress } from '../report/step-progress.ts'
import type { Resource } from '../resources/resource.ts'
import type { StepResult } from '../session/call.ts'
import { account, type Execution } from './execution.ts'
import { wantsDiff } from './mode.ts'

export interface Running {
  execution: Execution
  /** Where each step is reported. */
  shown: ReadonlyMap<Step, StepProgress>
  changed: Set<Resource>
  /** The first failure: nothing runs after it. */
  failure?: BootstrapError
  /** A step was skipped, but not because of its condition. */
  skipped: boolean
}

/** The result of a step that was not sent. */
export const leftOut: StepResult = {
  status: 'skipped',
  exitStatus: 0,
  code: '-',
  note: '',
  stdout: Buffer.alloc(0),
  stderr: Buffer.alloc(0),
  parts: new Map(),
  marks: [],
}

const notWanted = 'not wanted'

/** With --step: the result of a step that the user declined. */
export const declined: StepResult = { ...leftOut, note: notWanted }

/**
 * Reports the end of one step.
 * @param late its error, if it timed out
 */
export function endStep(step: Step, result: StepResult, running: Running, late?: StepError): void {
  const { execution, shown } = running
  const { ledger, mode } = execution
  const { declared, resource, handler, notify } = step
  const did = result.status === 'changed'
  // Also if it failed or was left out: a recipe may catch that, and ask later.
  ledger.note(declared, did)
  const diff = did && wantsDiff(mode) ? diffOf(resource, result) : undefined
  // A handler that nothing notified is not reported.
  const absent = handler !== undefined && result.status === 'skipped' && result.note === ''
  if (!absent) account(execution, () => accountOf(step, result, diff))
  const progress = shown.get(step)!
  for (const said of asides(result)) execution.progress.warn(said)
  if (result.status === 'failed' || late) {
    // What it has done before may be all that a later run looks at.
    if (did || result.marks.some(([word]) => word === 'owes'))
      ledger.becomeDue(notify.map(({ key }) => key))
    running.failure = failureOf(step, result, execution, late)
    progress.end(stepStatusOf(running.failure), { error: running.failure })
  } else if (result.status === 'skipped') {
    if (absent) {
      // It was due, and Ctrl-C came first.
      if (ledger.due.has(handler) && !running.failure) running.skipped = true
      progress.drop()
    } else progress.end('skipped', { note: skip(step, result, running) })
  } else {
    if (handler) ledger.noLongerDue(handler)
    if (did) {
      running.changed.add(declared)
      ledger.becomeDue(notify.map(({ key }) => key))
    }
    // The title may say the same: `service x reloaded`.
    const note = resource.title.endsWith(result.note) ? undefined : result.note
    progress.end(did ? 'changed' : 'ok', { note, diff })
  }
}

/** What a step says that is for people to know, whatever came of it. */
export const asides = ({ marks }: StepResult): string[] =>
  marks.flatMap(([word, ...said]) => (word === 'aside' ? [said.join(' ')] : []))

/** Reports the same end for several steps. */
export function endSteps(steps: readonly Step[], result: StepResult, running: Running): void {
  for (const step of steps) endStep(step, result, running)
}

function failureOf(
  { resource }: Step,
  result: StepResult,
  { interrupts }: Execution,
  late: StepError | undefined,
): BootstrapError {
  // The second Ctrl-C ended it: that is not its own failure. What the host has put back is to be known.
  if (interrupts.kill.aborted) {
    const { code, message } = stepError(resource, result)
    const said = code === 'reverted' || code === 'revert_failed' ? `: ${message}` : ''
    return new InterruptedError('interrupted', `ended by Ctrl-C${said}`, { step: resource.title })
  }
  if (!late) return stepError(resource, result)
  return late.within({ at: resource.at(), output: lastLines(result.stderr) || undefined })
}

/** Why a step was skipped, in a few words. */
function skip({ handler, when }: Step, { note }: StepResult, running: Running): string {
  if (running.failure) return 'a step before it failed'
  if (note === '') {
    running.skipped = true
    return 'interrupted'
  }
  // The host evaluated its condition, and removed it from the record.
  if (handler && when && note !== notWanted) running.execution.ledger.noLongerDue(handler)
  return note
}
