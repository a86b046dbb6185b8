/** What a run found of each step, for plans and lists. Pure. */
import { createHash } from 'node:crypto'
import type { StepStatus } from '../events.ts'
import type { Resource } from '../resources/resource.ts'
import type { StepResult } from '../session/call.ts'
import { keyOf, type Step } from './step.ts'

/** One step of a host's account. */
export interface StepAccount {
  /** `step`: a step of the recipe’s own, such as a mode or a heartbeat. */
  kind: 'resource' | 'handler' | 'command' | 'step'
  task?: string
  title: string
  /** The user it is done as, unless it is the connection's. */
  as?: string
  tags: string[]
  /** `unknown`: a command of `$`, which is not run before its time. */
  status: StepStatus | 'unknown'
  /** What changes, in a few words. */
  note?: string
  diff?: string
  /** Hash of what is to be done. */
  does?: string
  /** Hash of what was found on the host. */
  saw?: string
}

/** The account of a resource. */
export function accountOf(
  { resource, task, as, handler, declared }: Step,
  result?: StepResult,
  diff?: string,
): StepAccount {
  const saw = result?.marks.find(([word]) => word === 'saw')?.[2]
  return defined({
    kind: handler ? 'handler' : 'resource',
    task: task?.title,
    title: resource.title,
    as,
    tags: [...new Set([...(task?.tags ?? []), ...declared.tags])],
    status: result ? (result.status as StepStatus) : 'unknown',
    note: result?.note || undefined,
    diff,
    does: hashOf([doneBy(resource), resource.notify.map(doneBy)]),
    saw,
  })
}

/**
 * Content is known by its hash. Not so what holds a secret: plans are files that people pass on, and a
 * weak secret could be guessed from its hash.
 */
function doneBy(resource: Resource): unknown {
  const { call, secrets, text, title, as } = resource
  if (secrets.length === 0) return [keyOf(resource), text]
  const args = call.args.filter(arg => arg !== `sum=${call.content?.sha256}`)
  const hide = (arg: string) =>
    secrets.reduce((rest, each) => (each ? rest.replaceAll(each, '*') : rest), arg)
  return [title, as, call.name, args.map(hide)]
}

const hashOf = (value: unknown) =>
  createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32)

/**
 * How a host, or the recipe, differs from what a plan has of it.
 * @returns a sentence about the first difference; undefined where there is none
 */
export function differenceOf(
  planned: readonly StepAccount[],
  found: readonly StepAccount[],
): string | undefined {
  for (let at = 0; at < Math.max(planned.length, found.length); at++) {
    const [before, now] = [planned[at], found[at]]
    if (!before) return `${now!.title} is not in the plan`
    if (!now) return `${before.title} is in the plan, and no longer in the recipe`
    if (before.title !== now.title || before.kind !== now.kind || before.as !== now.as)
      return `the plan has ${before.title} where there is ${now.title} now`
    if (before.does !== now.does) return `the recipe wants something else of ${now.title} now`
    if (before.status !== now.status || before.note !== now.note)
      return `${now.title}: then ${described(before)}, now ${described(now)}`
    if (before.saw !== now.saw) return `${now.title}: what was read of it is another now`
  }
  return undefined
}

const described = ({ status, note }: StepAccount) => (note ? `${status}: ${note}` : status)

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T
}
