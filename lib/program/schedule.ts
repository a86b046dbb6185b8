/**
 * From what a recipe hands to `converge` to a program: what is selected, in order, each step with its
 * task, its condition, its user, and the handlers behind all that may notify them. Pure.
 */
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
import { together } from './conditions.ts'
import { type Origin, recordOf } from './remembered.ts'
import { type Segment, segmentsOf } from './segments.ts'
import type { Selection } from './selection.ts'
import { keyOf, type Step } from './step.ts'

/** What a host is to do. */
export interface Program {
  segments: readonly Segment[]
  /** What the selection left out. */
  excluded: ReadonlySet<Resource>
}

/** For whom a program is made, and what of the items it takes. */
export interface ScheduleOptions {
  host: TemplateHost
  origin: Origin
  selection: Selection
  /** Each step is a segment of its own. */
  oneByOne?: boolean
  /** Takes secrets out of what a host is to remember. */
  redact?: (text: string) => string
}

/** Where a step comes from. */
type Provenance = Pick<Step, 'task' | 'taskAs' | 'handler'> & {
  when?: readonly (Condition<Resource> | undefined)[]
}

/**
 * The items as a program, handlers behind the list or where it flushes them.
 * @throws {UsageError} recipe_invalid: something in the list is neither a resource nor a task
 */
export function schedule(items: readonly Items[], options: ScheduleOptions): Program {
  const steps: Step[] = []
  const excluded = new Set<Resource>()
  /** Where the handlers were run last. */
  let flushed = 0
  const put = (declared: Resource, { task, taskAs, when = [], handler }: Provenance) => {
    const resource = declared.forHost?.(options.host) ?? declared
    steps.push({
      declared,
      resource,
      task,
      as: resource.as ?? taskAs,
      taskAs,
      when: together([...when, resource.when]),
      notify: resource.notify.map(each => notification(each, taskAs, options)),
      handler,
    })
  }
  const add = (declared: Resource, tasks: readonly Task[]) => {
    if (!options.selection.takes(declared, tasks)) {
      excluded.add(declared)
      return
    }
    const taskAs = tasks.findLast(({ as }) => as)?.as
    put(declared, { task: tasks[0], taskAs, when: tasks.map(({ when }) => when) })
  }
  const flush = () => {
    for (const handler of handlersOf(steps.slice(flushed).map(({ declared }) => declared))) {
      const key = keyOf(handler.forHost?.(options.host) ?? handler)
      const notifier = steps.findLast(({ notify }) => notify.some(each => each.key === key))
      // Whether it runs was decided when it was notified: the condition of that task is not asked again.
      put(handler, { task: notifier?.task, taskAs: notifier?.taskAs, handler: key })
    }
    flushed = steps.length
  }
  const addAll = (all: readonly (Resource | Task | Flush)[], tasks: readonly Task[]) => {
    for (const item of all) {
      if (item.kind === 'resource') add(item, tasks)
      else if (item.kind === 'flush') flush()
      else addAll(item.resources, [...tasks, item])
    }
  }
  addAll(unnest(items), [])
  flush()
  return { segments: segmentsOf(steps, options.oneByOne), excluded }
}

/**
 * Each handler once, behind all that may notify it, else in the order in which they are first named.
 * Two that do the same are one. (Topological order by depth-first search: last visited, first in line.)
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
  { host, origin, redact }: ScheduleOptions,
): Notification {
  const resource = handler.forHost?.(host) ?? handler
  const key = keyOf(resource)
  return { key, record: recordOf({ ...resource, as: resource.as ?? taskAs }, key, origin, redact) }
}
