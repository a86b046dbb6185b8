/** Reports one host's tasks and steps as events. */
import { type EventStream, noCounts, type StepCounts, type StepStatus } from '../events.ts'
import { createRedactor, type Redactor } from '../shell/redact.ts'
import {
  createStepProgress,
  type StepEvents,
  type StepOwner,
  type StepProgress,
} from './step-progress.ts'

/** A task. It begins with its first step. */
export interface TaskProgress {
  /** @param effect it runs once a run */
  step(title: string, effect?: boolean): StepProgress
  /** No more steps come: the task ends with its last step. */
  end(): void
}

export interface Progress {
  readonly counts: StepCounts
  /** Values that no event may show. */
  hide(secrets: Iterable<string>): void
  redact(text: string): string
  /** All that is hidden now; another array if there is more to hide. */
  readonly forms: Redactor['forms']
  task(title: string): TaskProgress
  /** The task for steps that are in no task; a new one after each titled task. */
  own(): TaskProgress
  warn(message: string): void
  /** For steps that are done on another host for this one: they are shown here, in tasks that name it. */
  elsewhere(on: string): Progress
  /** Ends the open task. */
  end(): void
}

/**
 * @param title of the task for steps that are in no task
 * @param shared hides the secrets of the whole run
 * @param prefix of the ids of tasks and steps, where a host works more than once in a run
 */
export function createProgress(
  host: string,
  title: string,
  events: EventStream,
  shared?: Redactor,
  prefix = '',
): Progress {
  const counts = noCounts()
  const redactor = createRedactor(shared)
  const account: StepEvents = { host, events, redactor, count: status => counts[status]++ }
  let tasks = 0
  let steps = 0
  const createTask = (taskTitle: string, on?: string) =>
    createTaskProgress(
      `${prefix}t${++tasks}`,
      taskTitle,
      { ...account, on },
      () => `${prefix}s${++steps}`,
    )
  /** The open task for steps that are in no task. */
  let own: { task: TaskProgress; on?: string } | undefined
  const endOwn = () => {
    own?.task.end()
    own = undefined
  }
  const progressOn = (on?: string): Progress => ({
    counts,
    hide: redactor.hide,
    redact: redactor.redact,
    get forms() {
      return redactor.forms
    },
    task: taskTitle => {
      // Later steps outside of tasks are shown after this task.
      endOwn()
      return createTask(on === undefined ? taskTitle : `on ${on}: ${taskTitle}`, on)
    },
    own: () => {
      if (own && own.on !== on) endOwn()
      own ??= { task: createTask(on === undefined ? title : `on ${on}`, on), on }
      return own.task
    },
    warn: message => {
      const said = on === undefined ? message : `on ${on}: ${message}`
      events.emit({ type: 'warning', host, message: redactor.redact(said) })
    },
    elsewhere: progressOn,
    end: endOwn,
  })
  return progressOn()
}

/** @param nextStep makes the id of a step */
function createTaskProgress(
  task: string,
  taskTitle: string,
  account: StepEvents,
  nextStep: () => string,
): TaskProgress {
  const { host, on, events, redactor } = account
  const title = () => redactor.redact(taskTitle)
  let startedAt: number | undefined
  let status: StepStatus = 'ok'
  let open = 0
  let closing = false
  const endIfDone = () => {
    // A task without a started step is never reported.
    if (!closing || open > 0 || startedAt === undefined) return
    const durationMs = Date.now() - startedAt
    startedAt = undefined
    events.emit({ type: 'task.end', host, task, title: title(), status, durationMs })
  }
  const owner: StepOwner = {
    id: task,
    title: taskTitle,
    begin: () => {
      if (startedAt !== undefined) return
      startedAt = Date.now()
      const where = on === undefined ? undefined : { on }
      events.emit({ type: 'task.start', host, ...where, task, title: title() })
    },
    done: result => {
      open--
      if (result === 'failed' || (result === 'changed' && status === 'ok')) status = result
      endIfDone()
    },
  }
  return {
    step: (stepTitle, effect) => {
      open++
      return createStepProgress(nextStep(), stepTitle, owner, account, effect)
    },
    end: () => {
      closing = true
      endIfDone()
    },
  }
}
