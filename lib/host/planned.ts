/** Applying a plan: the host is compared with it before anything is changed, and then each step before it runs. */
import { errorCodes, StepError } from '../errors.ts'
import { createEventStream } from '../events.ts'
import { accountOf, differenceOf, type StepAccount, strangeStep } from '../program/account.ts'
import type { Step } from '../program/step.ts'
import { createProgress, type Progress } from '../report/progress.ts'
import type { Execution } from './execution.ts'
import type { Mode } from './mode.ts'

/** Works like the host's own progress, but reports nothing. */
export function silentProgress(host: string, { hide, redact }: Progress): Progress {
  const silent = createProgress(host, '', createEventStream())
  // The plan has stars in place of secrets, so what is compared with it must too.
  return { ...silent, hide, redact, elsewhere: on => ({ ...silent.elsewhere(on), hide, redact }) }
}

/** Plans like `plan`, and adds the steps to `found`. */
export const lookAgain = (diff: boolean, found: StepAccount[]): Mode => ({
  kind: 'plan',
  diff,
  onStep: (_, step) => found.push(step),
})

/**
 * @param begun whether the run has begun to change the host in an earlier attempt
 * @throws {StepError} plan_stale: what was found is not what was planned
 */
export function comparePlan(
  planned: readonly StepAccount[],
  found: readonly StepAccount[],
  begun: boolean,
): void {
  const difference = begun ? strangeStep(planned, found) : differenceOf(planned, found)
  if (difference === undefined) return
  throw new StepError('plan_stale', `the plan is out of date: ${difference}`, {
    hint: errorCodes.plan_stale.next,
  })
}

/**
 * Checks that the steps of each program are those of the plan, in order.
 * @param begun whether some of them may have been done in an earlier attempt, and are left out now
 */
export function createPlanCheck(
  planned: readonly StepAccount[],
  redact: Progress['redact'],
  begun: boolean,
): Execution['checkPlanned'] {
  // Handlers and commands depend on what changes, so compare only resources.
  const resources = planned.filter(({ kind, once }) => kind === 'resource' && once === undefined)
  // Two lists, each in its order: what is to be done, and what undoes it.
  const [forth, back] = [false, true].map(way => {
    const list = resources.filter(({ ifItFails = false }) => ifItFails === way)
    let at = 0
    return (step: StepAccount) => {
      const isSame = ({ title, does }: StepAccount) =>
        title === redact(step.title) && does === step.does
      const ahead = begun ? list.slice(at) : list.slice(at, at + 1)
      const next = ahead.findIndex(isSame)
      if (next >= 0) at += next + 1
      return next >= 0
    }
  }) as [(step: StepAccount) => boolean, (step: StepAccount) => boolean]
  return (steps: readonly Step[]) => {
    for (const each of steps) {
      const step = accountOf(each)
      if (step.kind !== 'resource' || forth(step)) continue
      if (each.within?.back && back(step)) continue
      throw new StepError('plan_stale', `${step.title} is not in the plan`, {
        hint: 'It depends on a command whose result was unknown when the plan was made.',
      })
    }
  }
}
