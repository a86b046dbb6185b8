/** Bringing a host to declared state: one batch, its events, its errors. */
import { createTwoFilesPatch, FILE_HEADERS_ONLY } from 'diff'
import {
  type BootstrapError,
  type ErrorCode,
  errorCodes,
  InterruptedError,
  StepError,
} from '../errors.ts'
import { type Items, type Resource, unnest } from '../resources/resource.ts'
import type { CallResult } from '../session/call.ts'
import type { BatchCall, Session } from '../session/session.ts'
import type { Progress, StepProgress, TaskProgress } from './progress.ts'
import type { Converged } from './recipe.ts'
import { thrownError } from './report.ts'

export interface ConvergeContext {
  session: Session
  progress: Progress
  check: boolean
  diff: boolean
  /** True once Ctrl-C was pressed: skipped steps are then no failure. */
  interrupted(): boolean
  /** True once it was pressed twice: what ran was ended, and did not fail by itself. */
  killed(): boolean
}

/** A resource in its place in the batch. */
interface Planned {
  resource: Resource
  step: StepProgress
  /** Places of the resources that notify this one. */
  notifiers?: number[]
}

/**
 * Runs the resources in order, then the handlers that were notified.
 * @throws {StepError} the first that failed; {InterruptedError} Ctrl-C came before the end
 */
export async function converge(
  items: readonly Items[],
  context: ConvergeContext,
): Promise<Converged> {
  const { session, progress, check, diff } = context
  const plan = planBatch(items, progress)
  const changed = new Set<Resource>()
  for (const { resource } of plan) progress.hide(resource.secrets)
  let failure: BootstrapError | undefined
  let skipped = false
  const ended = ({ resource, step, notifiers }: Planned, result: CallResult) => {
    if (result.status === 'failed') {
      failure = context.killed()
        ? new InterruptedError('interrupted', 'ended by Ctrl-C', { step: resource.title })
        : stepError(resource, result)
      step.end('failed', { error: failure })
    } else if (result.status === 'skipped') {
      // A handler that nobody notified was never there.
      if (notifiers) return step.drop()
      skipped = true
      step.end('skipped', { note: failure ? 'a step before it failed' : 'interrupted' })
    } else {
      const did = result.status === 'changed'
      if (did) changed.add(resource)
      step.end(did ? 'changed' : 'ok', {
        // `service x reloaded` says it already.
        note: resource.title.endsWith(result.note) ? undefined : result.note,
        diff: did && diff ? unifiedDiff(resource, result) : undefined,
      })
    }
  }
  const calls: BatchCall[] = plan.map(planned => ({
    call: planned.resource.call,
    ifChanged: planned.notifiers,
    listener: {
      start: () => !planned.notifiers && planned.step.start(),
      output: (stream, chunk) => planned.step.output(stream, chunk),
      end: result => ended(planned, result),
    },
  }))
  try {
    await session.batch(calls, { check, diff })
  } catch (error) {
    // The connection is gone: what ran has failed, what was to come never was.
    for (const { step } of plan) step.drop(thrownError(error))
    throw error
  }
  if (failure) throw failure
  if (skipped && context.interrupted()) throw new InterruptedError('interrupted', 'interrupted')
  return { changed: changed.size > 0, has: resource => changed.has(resource as Resource) }
}

/**
 * Tasks and resources in order, then each handler once, as a step of the last task that may notify it.
 * Handlers may notify others, which then stand behind them.
 */
function planBatch(items: readonly Items[], progress: Progress): Planned[] {
  const plan: Planned[] = []
  const tasks: TaskProgress[] = []
  const notified = new Map<Resource, number[]>()
  const add = (resource: Resource, task: TaskProgress, notifiers?: number[]) => {
    for (const handler of resource.notify) {
      notified.set(handler, [...(notified.get(handler) ?? []), plan.length])
    }
    tasks.push(task)
    plan.push({ resource, step: task.step(resource.title), notifiers })
  }
  const titled: TaskProgress[] = []
  for (const item of unnest(items)) {
    if (item.kind === 'resource') add(item, progress.own())
    else if (item.resources.length > 0) {
      const task = progress.task(item.title)
      titled.push(task)
      for (const resource of item.resources) add(resource, task)
    }
  }
  for (const handler of handlersOf(plan.map(({ resource }) => resource))) {
    const notifiers = notified.get(handler)!
    add(handler, tasks[notifiers.at(-1)!]!, notifiers)
  }
  for (const task of titled) task.end()
  return plan
}

/**
 * Each handler once, behind all that may notify it, else in the order in which they are first named.
 * (Topological order by depth-first search: last visited, first in line.)
 */
function handlersOf(resources: readonly Resource[]): Resource[] {
  const seen = new Set<Resource>()
  const found: Resource[] = []
  const visit = (notifying: readonly Resource[]) => {
    for (const handler of notifying.flatMap(({ notify }) => notify).reverse()) {
      if (seen.has(handler)) continue
      seen.add(handler)
      visit([handler])
      found.push(handler)
    }
  }
  visit(resources)
  return found.reverse()
}

/** The error of a failed resource: what its own messages say, and where it was declared. */
function stepError(resource: Resource, result: CallResult): StepError {
  const said = lastLines(result.stderr) || lastLines(result.stdout)
  const code = result.code in errorCodes ? (result.code as ErrorCode) : 'step_failed'
  // The last line says it; those before it say why.
  const before = said.slice(0, Math.max(0, said.lastIndexOf('\n')))
  const message = said.slice(said.lastIndexOf('\n') + 1) || `exit status ${result.exitStatus}`
  return new StepError(code, message, {
    step: resource.title,
    command: resource.command?.split('\n', 10).join('\n'),
    exitStatus: result.exitStatus,
    output: before || undefined,
    at: resource.at(),
    // Of a step that failed in its own way there is nothing to say in general.
    hint: code === 'step_failed' ? undefined : errorCodes[code].next,
  })
}

/** The last lines of a step's output, for an error. */
export function lastLines(output: Buffer, count = 20): string {
  return output.toString('utf8').trimEnd().split('\n').slice(-count).join('\n')
}

function unifiedDiff(resource: Resource, result: CallResult): string | undefined {
  const before = result.parts.get('old')
  if (!before || !resource.path) return undefined
  if (resource.secrets.length > 0) return '(not shown: it holds a secret)\n'
  const after = result.parts.get('new')?.toString('utf8') ?? resource.text ?? ''
  const old = before.toString('utf8')
  if (old.includes('\0') || after.includes('\0')) return '(binary)\n'
  return createTwoFilesPatch(resource.path, resource.path, old, after, undefined, undefined, {
    context: 3,
    headerOptions: FILE_HEADERS_ONLY,
  })
}
