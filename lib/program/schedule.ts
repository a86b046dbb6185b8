/**
 * From what a recipe hands to `converge` to a list of steps in order: what is selected, with its task,
 * its condition, its user, and the handlers behind all that may notify them. Pure.
 */
import { createHash } from 'node:crypto'
import { UsageError } from '../errors.ts'
import {
  type Flush,
  type Items,
  type Resource,
  type Task,
  type TemplateHost,
  unnest,
} from '../resources/resource.ts'
import { type Condition, mapCondition } from '../session/condition.ts'
import type { Notification } from '../session/script.ts'
import { type Origin, recordOf } from './remembered.ts'
import type { Selection } from './selection.ts'

/** A resource in its place. */
export interface Planned {
  /** As it was declared: what `changed` and `has` name. */
  declared: Resource
  /** The same for this host. */
  resource: Resource
  /** Its task, the outermost one; undefined for those that stand alone. */
  task?: Task
  as?: string
  /** The user of its innermost task that names one: its handlers' too, if they name none. */
  taskAs?: string
  when?: Condition<Resource>
  notify: Notification[]
  /** Its key, if it is a handler: run only if it is due. */
  handler?: string
}

export interface Schedule {
  host: TemplateHost
  origin: Origin
  selection: Selection
  /** Takes secrets out of what a host is to remember. */
  redact?: (text: string) => string
}

type Place = Pick<Planned, 'task' | 'taskAs' | 'handler'> & {
  when?: readonly (Condition<Resource> | undefined)[]
}

/**
 * Steps in order, handlers behind the list or where it flushes them.
 * @throws {UsageError} recipe_invalid: a condition names a resource that does not stand before it
 */
export function schedule(
  items: readonly Items[],
  options: Schedule,
): { plan: Planned[]; excluded: Set<Resource> } {
  const plan: Planned[] = []
  const excluded = new Set<Resource>()
  /** Where the handlers were run last. */
  let flushed = 0
  const put = (declared: Resource, { task, taskAs, when = [], handler }: Place) => {
    const resource = declared.forHost?.(options.host) ?? declared
    plan.push({
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
    for (const handler of handlersOf(plan.slice(flushed).map(({ declared }) => declared))) {
      const key = keyOf(handler.forHost?.(options.host) ?? handler)
      const notifier = plan.findLast(({ notify }) => notify.some(each => each.key === key))
      // Whether it runs was decided when it was notified: the condition of that task is not asked again.
      put(handler, { task: notifier?.task, taskAs: notifier?.taskAs, handler: key })
    }
    flushed = plan.length
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
  return { plan, excluded }
}

const anyOf = (of: readonly Condition<number>[]): Condition<number> =>
  of.length === 1 ? of[0]! : { kind: 'any', of }

/** All of the conditions that there are. */
function together(
  conditions: readonly (Condition<Resource> | undefined)[],
): Condition<Resource> | undefined {
  const given = conditions.filter(each => each !== undefined)
  return given.length < 2 ? given[0] : { kind: 'all', of: given }
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

/** What a handler does, as a word: the same in every run that declares the same. */
export function keyOf({ call, as = '' }: Resource): string {
  const input = call.input?.toString('base64')
  const said = JSON.stringify([as, call.name, call.args, call.content?.sha256, input])
  return createHash('sha256').update(said).digest('hex').slice(0, 24)
}

function notification(
  handler: Resource,
  taskAs: string | undefined,
  { host, origin, redact }: Schedule,
): Notification {
  const resource = handler.forHost?.(host) ?? handler
  const key = keyOf(resource)
  return { key, record: recordOf({ ...resource, as: resource.as ?? taskAs }, key, origin, redact) }
}

/**
 * A condition in terms of one batch.
 * @param places where a resource stands in the batch, before the condition
 * @param known what is known of resources that ran before
 * @throws {UsageError} recipe_invalid: it names a resource that does not stand before it
 */
export function placeCondition(
  { when, resource }: Planned,
  places: (of: Resource) => readonly number[],
  known: (of: Resource) => boolean | undefined,
): Condition<number> | undefined {
  return (
    when &&
    mapCondition<Resource, number>(when, of => {
      const at = places(of)
      if (at.length > 0) return anyOf(at.map(of => ({ kind: 'changed', of })))
      const value = known(of)
      if (value !== undefined) return { kind: 'is', value }
      throw new UsageError(
        'recipe_invalid',
        `${resource.title}: its condition names ${of.title}, which does not stand before it`,
        {
          at: resource.at(),
          hint: 'List that resource first, or as a step of a converge() before.',
        },
      )
    })
  )
}
