/** Steps of the recipe's own: `step('title', …)`. */
import type { StepAccount } from '../program/account.ts'
import type { RunContext } from '../recipe/recipe.ts'
import { stepStatusOf, thrownError } from '../report/report.ts'
import { account, type Execution } from './execution.ts'
import { checkNotStopped } from './interrupts.ts'

export const createOwnStep = (execution: Execution): RunContext['step'] =>
  async function step<T>(title: string, work: () => Promise<T>): Promise<T> {
    checkNotStopped(execution.interrupts)
    const shown = execution.progress.own().step(title)
    shown.start()
    try {
      const value = await work()
      accountOwn(execution, title, 'ok')
      shown.end('ok')
      return value
    } catch (error) {
      const known = thrownError(error).within({ step: title })
      shown.end(stepStatusOf(known), { error: known })
      throw known
    }
  }

/** Accounts for a step that is not a resource. */
export const accountOwn = (
  execution: Execution,
  title: string,
  status: StepAccount['status'],
): void => account(execution, () => ({ kind: 'step', title, tags: [], status }))
