/**
 * Turns what a recipe passes to `converge` into a program: the selected resources, in order, each with its
 * task, condition and user, and the handlers after every step that may notify them. Pure.
 */
import { UsageError } from '../errors.ts'
import { forThisHost } from '../resources/own-part.ts'
import {
  type Flush,
  type Items,
  type Resource,
  type Task,
  type TemplateHost,
  unnest,
} from '../resources/resource.ts'
import type { Condition } from '../session/condition.ts'
import type { Notification } from '../session/script.ts'
import { type Change, checkChange, confirmStep, newChange } from './change.ts'
import { together } from './conditions.ts'
import { checkOneContent } from './one-content.ts'
import { type Origin, recordOf } from './remembered.ts'
import { type Segment, segmentsOf } from './segments.ts'
import type { Selection } from './selection.ts'
import { keyOf, type Step } from './step.ts'

/** What a host has to do. */
export interface Program {
  segments: readonly Segment[]
  /** What the selection left out. */
  excluded: ReadonlySet<Resource>
}

/** The host and the run that a program is made for, and what to select. */
export interface ScheduleOptions {
  host: TemplateHost
  origin: Origin
  selection: Selection
  /** Each step is a segment of its own. */
  oneByOne?: boolean
  /** Returns the key of a handler, if it is not its own: see `createKeys`. */
  keyOf?: (handler: Resource) => string
  /** Removes secrets from what the host records. */
  redact?: (text: string) => string
}

/** What a step gets from its surroundings. */
type Provenance = Pick<Step, 'task' | 'taskAs' | 'within' | 'handler' | 'confirms'> & {
  when?: readonly (Condition<Resource> | undefined)[]
}

/**
 * The items as a program, with handlers at the end of the list or where it flushes them.
 * @throws {UsageError} recipe_invalid: something in the list is neither a resource nor a task, or two steps
 *   give one file different contents
 */
export function schedule(items: readonly Items[], options: ScheduleOptions): Program {
  const steps: Step[] = []
  const excluded = new Set<Resource>()
  /** The number of steps at the last flush. */
  let flushed = 0
  let change: Change | undefined
  const put = (declared: Resource, from: Provenance) => {
    const { task, taskAs, when = [], within, handler, confirms } = from
    const resource = forThisHost(declared, options.host)
    steps.push({
      declared,
      resource,
      task,
      as: resource.as ?? taskAs,
      taskAs,
      when: together([...when, resource.when]),
      notify: resource.notify.map(each => notification(each, taskAs, options)),
      within,
      handler,
      confirms,
      confirming: change,
    })
  }
  const add = (declared: Resource, tasks: readonly Task[]) => {
    if (!options.selection.takes(declared, tasks)) {
      excluded.add(declared)
      return
    }
    const taskAs = tasks.findLast(({ as }) => as)?.as
    const within = tasks.findLast(({ within }) => within)?.within
    put(declared, { task: tasks[0], taskAs, within, when: tasks.map(({ when }) => when) })
  }
  const putHandlers = (notifying: readonly Step[]) => {
    for (const handler of handlersOf(notifying.map(({ declared }) => declared))) {
      const key = (options.keyOf ?? keyOf)(forThisHost(handler, options.host))
      const notifier = steps.findLast(({ notify }) => notify.some(each => each.key === key))
      // Being notified decides whether it runs: the condition of the notifying task is not evaluated again.
      put(handler, { task: notifier?.task, taskAs: notifier?.taskAs, handler: key })
    }
  }
  const flush = () => {
    // Those of what must be confirmed had their turn there.
    putHandlers(steps.slice(flushed).filter(({ confirming }) => !confirming))
    flushed = steps.length
  }
  const addItem = (item: Resource | Task, tasks: readonly Task[]) => {
    if (item.kind === 'resource') add(item, tasks)
    else addAll(item.resources, [...tasks, item])
  }
  const addConfirmed = (item: Resource | Task, tasks: readonly Task[]) => {
    const { confirm, title } = item
    if (change) throw twice(title, change)
    const from = steps.length
    const { connection } = options.host
    const made = newChange(title, confirm!)
    change = made
    addItem(item, tasks)
    const own = steps.slice(from)
    if (own.length > 0) {
      putHandlers(own)
      made.resources = own.map(({ resource, as }) => ({ ...resource, as }))
      made.handlers = steps
        .slice(from + own.length)
        .map(({ resource, as }) => ({ ...resource, as }))
      checkChange(made)
      const [task = item.kind === 'task' ? item : undefined] = tasks
      put(confirmStep(made, connection), { task, confirms: true })
    }
    change = undefined
  }
  const addAll = (all: readonly (Resource | Task | Flush)[], tasks: readonly Task[]) => {
    for (const item of all) {
      if (item.kind === 'flush') flush()
      else if (item.confirm) addConfirmed(item, tasks)
      else addItem(item, tasks)
    }
  }
  addAll(unnest(items), [])
  flush()
  checkOneContent(steps)
  return { segments: segmentsOf(steps, options.oneByOne), excluded }
}

const twice = (title: string, { title: outer }: Change) =>
  new UsageError('recipe_invalid', `${title}: confirm: it is a part of ${outer}, which has its own`)

/**
 * Each handler once, after everything that may notify it, otherwise in the order in which they are first
 * named. Two handlers that do the same are one. (Topological sort: reversed post-order of a depth-first search.)
 */
function handlersOf(resources: readonly Resource[]): Resource[] {
  const seen = new Set<string>()
  const found: Resource[] = []
  const visit = (notifying: readonly Resource[]) => {
    for (const handler of notifying.flatMap(({ notify }) => notify).reverse()) {
      const key = keyOf(handler)
      if (seen.has(key)) continue
      seen.add(key)
      visit([handler])
      found.push(handler)
    }
  }
  visit(resources)
  return found.reverse()
}

function notification(
  handler: Resource,
  taskAs: string | undefined,
  { host, origin, redact, keyOf: keyFor = keyOf }: ScheduleOptions,
): Notification {
  const resource = forThisHost(handler, host)
  const key = keyFor(resource)
  return { key, record: recordOf({ ...resource, as: resource.as ?? taskAs }, key, origin, redact) }
}
