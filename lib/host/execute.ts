/** Brings a host to the declared state: a program's segments, one after the other. */
import { InterruptedError } from '../errors.ts'
import { accountOf } from '../program/account.ts'
import { checkConditions } from '../program/conditions.ts'
import { isRemembered } from '../program/effects.ts'
import { type Program, type ScheduleOptions, schedule } from '../program/schedule.ts'
import type { Step } from '../program/step.ts'
import type { Converged } from '../recipe/recipe.ts'
import type { Progress, TaskProgress } from '../report/progress.ts'
import { thrownError } from '../report/report.ts'
import type { StepProgress } from '../report/step-progress.ts'
import type { Items, Resource, Task } from '../resources/resource.ts'
import { account, type Execution } from './execution.ts'
import { onStepOf } from './mode.ts'
import { runSegment } from './segment.ts'
import type { Running } from './step-ends.ts'

/**
 * Runs the resources in order, then the handlers that are due.
 * @throws {StepError} the first step that failed
 * @throws {InterruptedError} Ctrl-C came before the end
 * @throws {UnreachableError} the connection or the shell is lost
 */
export async function converge(
  items: readonly Items[],
  options: ScheduleOptions,
  execution: Execution,
): Promise<Converged> {
  const program = schedule(items, options)
  // What the selection left out changed nothing.
  for (const resource of program.excluded) execution.ledger.note(resource, false)
  return execute(program, execution)
}

/** The same for a program. */
export async function execute({ segments }: Program, execution: Execution): Promise<Converged> {
  const { progress, ledger, interrupts } = execution
  const steps = segments.flatMap(segment => segment.steps)
  checkConditions(steps, ledger.changed)
  for (const { resource } of steps) progress.hide(resource.secrets)
  if (execution.mode.kind === 'list') return listSteps(steps, execution)
  // What is done once may have been another host's when the plan was made.
  if (execution.once === undefined) execution.checkPlanned?.(steps)
  const shown = show(steps, progress, execution.effects !== undefined)
  const running: Running = { execution, shown, changed: new Set(), skipped: false }
  try {
    for (const segment of segments) await runSegment(segment, running)
  } catch (error) {
    // The connection is lost: running steps have failed, later ones are never reported.
    for (const step of shown.values()) step.drop(thrownError(error))
    throw error
  }
  if (running.failure) throw running.failure
  if (running.skipped && interrupts.stop.aborted)
    throw new InterruptedError('interrupted', 'interrupted')
  return {
    changed: running.changed.size > 0,
    has: resource => running.changed.has(resource as Resource),
  }
}

/** In plans and lists: the steps that undo what has failed. */
export function accountForWayBack(
  items: () => Items,
  options: ScheduleOptions,
  execution: Execution,
): void {
  if (!onStepOf(execution.mode)) return
  const steps = schedule([items()], options).segments.flatMap(segment => segment.steps)
  for (const { resource } of steps) execution.progress.hide(resource.secrets)
  for (const step of steps) account(execution, () => ({ ...accountOf(step), ifItFails: true }))
}

function listSteps(steps: readonly Step[], execution: Execution): Converged {
  for (const step of steps) {
    execution.ledger.note(step.declared, false)
    account(execution, () => accountOf(step))
  }
  return { changed: false, has: () => false }
}

/**
 * Adds the steps to the report, in their tasks.
 * @param remembers whether the host remembers effects
 */
function show(
  steps: readonly Step[],
  progress: Progress,
  remembers: boolean,
): Map<Step, StepProgress> {
  const tasks = new Map<Task, TaskProgress>()
  const taskOf = (task: Task | undefined) => {
    if (!task) return progress.own()
    const known = tasks.get(task)
    if (known) return known
    const made = progress.task(task.title)
    tasks.set(task, made)
    return made
  }
  const shown = new Map(
    steps.map(step => {
      const once = remembers && isRemembered(step)
      return [step, taskOf(step.task).step(step.resource.title, once)] as const
    }),
  )
  for (const task of tasks.values()) task.end()
  return shown
}
