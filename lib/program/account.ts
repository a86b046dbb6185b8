/** What a run found out about each step, for plans and lists. Pure. */
import { createHash } from 'node:crypto'
import type { StepStatus } from '../events.ts'
import type { Resource } from '../resources/resource.ts'
import type { StepResult } from '../session/call.ts'
import { keyOf, type Step } from './step.ts'

/** One step of a host, as plans and lists show it. */
export interface StepAccount {
  /** `step`: a step of the recipe’s own, such as a mode or a heartbeat. */
  kind: 'resource' | 'handler' | 'command' | 'step'
  task?: string
  title: string
  /** The host on which it is done, if that is another one. */
  on?: string
  /** What it is a part of that is done once a run, for all hosts, by whichever comes first. */
  once?: string
  /** The user that it runs as, unless it is the connection's. */
  as?: string
  tags: string[]
  /** `unknown`: a command of `$`, which plans and lists do not run. */
  status: StepStatus | 'unknown'
  /** What changes, in a few words. */
  note?: string
  diff?: string
  /** It runs only to undo what has failed: see `ifItFails`. */
  ifItFails?: true
  /** Hash of what the step is to do. */
  does?: string
  /** Hash of what was found on the host. */
  saw?: string
}

/** A resource's entry. */
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
 * What a resource does, as data to be hashed: content by its hash, but nothing that contains a secret. Plans
 * are files that people share, and a weak secret could be guessed from its hash.
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
 * Compares a host's plan with what was found now.
 * @returns a sentence about the first difference; undefined if there is none
 */
export function differenceOf(
  plannedSteps: readonly StepAccount[],
  foundSteps: readonly StepAccount[],
): string | undefined {
  // What is done once may be another host's now.
  const [planned, found] = [plannedSteps, foundSteps].map(steps => steps.filter(isOwn)) as [
    StepAccount[],
    StepAccount[],
  ]
  for (let at = 0; at < Math.max(planned.length, found.length); at++) {
    const [before, now] = [planned[at], found[at]]
    if (!before) return `${now!.title} is not in the plan`
    if (!now) return `${before.title} is in the plan, but no longer in the recipe`
    if (!isSameTitle(before, now))
      return `the plan has ${titleAs(before)} where the recipe now has ${titleAs(now)}`
    if (before.does !== now.does) return `the recipe now declares ${now.title} differently`
    // Others have worked there since: what they left is as good as what was found.
    if (now.on !== undefined) continue
    if (before.status !== now.status || before.note !== now.note)
      return `${now.title}: then ${described(before)}, now ${described(now)}`
    if (before.saw !== now.saw) return `${now.title}: the host’s state has changed since the plan`
  }
  return undefined
}

/**
 * The same for a host that has begun to do what was planned: what it has done need not be done again, and may have
 * changed what later steps find. So only what the steps are counts: each is the next one of the plan, or a later one.
 */
export function strangeStep(
  planned: readonly StepAccount[],
  found: readonly StepAccount[],
): string | undefined {
  let at = 0
  for (const now of found.filter(isOwn)) {
    const next = planned.findIndex((before, index) => index >= at && isSameStep(before, now))
    if (next < 0) return `${now.title} is not in the plan, or is declared differently now`
    at = next + 1
  }
  return undefined
}

const isOwn = ({ once }: StepAccount) => once === undefined

const isSameStep = (before: StepAccount, now: StepAccount) =>
  isSameTitle(before, now) && before.does === now.does

const isSameTitle = (before: StepAccount, now: StepAccount) =>
  (['title', 'kind', 'on', 'as'] as const).every(key => before[key] === now[key])

/** A step's title, where it is done if that is another host, and as whom it runs. */
export const titleAs = ({ title, on, as }: Pick<StepAccount, 'title' | 'on' | 'as'>): string =>
  `${on === undefined ? '' : `on ${on}: `}${title}${as === undefined ? '' : ` as ${as}`}`

const described = ({ status, note }: StepAccount) => (note ? `${status}: ${note}` : status)

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T
}
