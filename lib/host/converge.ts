/** Bringing a host to declared state: one batch, its events, its errors. */
import {
  type BootstrapError,
  type ErrorCode,
  errorCodes,
  InterruptedError,
  StepError,
} from '../errors.ts'
import { accountOf, type StepAccount } from '../program/account.ts'
import { type Planned, placeCondition, type Schedule, schedule } from '../program/schedule.ts'
import type { Converged } from '../recipe/recipe.ts'
import { diffOf } from '../report/diff.ts'
import type { Progress, StepProgress, TaskProgress } from '../report/progress.ts'
import { thrownError } from '../report/report.ts'
import type { Items, Resource, Task } from '../resources/resource.ts'
import type { CallResult } from '../session/call.ts'
import type { BatchCall } from '../session/session.ts'
import type { HostSessions } from './sessions.ts'
import { createStepLimit } from './step-limit.ts'

export interface ConvergeContext {
  sessions: HostSessions
  progress: Progress
  /** What of the recipe the run takes, and for whom. */
  schedule: Schedule
  /** What became of resources in this run; more are added. */
  known: Map<Resource, boolean>
  /** Keys of the handlers that are due; kept up to date. */
  due: Set<string>
  check: boolean
  diff: boolean
  /** How long each step may take. Undefined: as long as it does. */
  commandTimeoutMs?: number
  /** Asked before each step, with --step; without it none is asked about. */
  confirm?(title: string): Promise<boolean>
  /** Find out what would be done, and ask the host nothing: `list tasks`. */
  list?: boolean
  /** Told of each step that a run takes, with what the host was found to be: plans and lists. */
  record?(step: StepAccount): void
  /** Throws where the steps of a batch are not those of the plan that is applied. */
  expect?(steps: readonly StepAccount[]): void
  /** True once Ctrl-C was pressed: skipped steps are then no failure. */
  interrupted(): boolean
  /** True once it was pressed twice: what ran was ended, and did not fail by itself. */
  killed(): boolean
}

/** A step with its place on the screen. */
interface Shown extends Planned {
  step: StepProgress
}

/**
 * Runs the resources in order, then the handlers that are due. What one user does in a row is one
 * batch.
 * @throws {StepError} the first that failed; {InterruptedError} Ctrl-C came before the end
 */
export async function converge(
  items: readonly Items[],
  context: ConvergeContext,
): Promise<Converged> {
  const { plan, excluded } = schedule(items, context.schedule)
  // What was left out changed nothing.
  for (const resource of excluded) context.known.set(resource, false)
  return runPlan(plan, context)
}

/** The same for steps that are planned already. */
export async function runPlan(
  plan: readonly Planned[],
  context: ConvergeContext,
): Promise<Converged> {
  const { progress, known } = context
  checkConditions(plan, known)
  for (const { resource } of plan) progress.hide(resource.secrets)
  if (context.list) {
    for (const planned of plan) {
      known.set(planned.declared, false)
      context.record?.(accountOf(planned))
    }
    return { changed: false, has: () => false }
  }
  context.expect?.(plan.map(planned => accountOf(planned)))
  const shown = show(plan, progress)
  const outcome: Outcome = { changed: new Set() }
  try {
    for (const batch of batchesOf(shown, context)) await runBatch(batch, context, outcome)
  } catch (error) {
    // The connection is gone: what ran has failed, what was to come never was.
    for (const { step } of shown) step.drop(thrownError(error))
    throw error
  }
  if (outcome.failure) throw outcome.failure
  if (outcome.skipped && context.interrupted())
    throw new InterruptedError('interrupted', 'interrupted')
  return {
    changed: outcome.changed.size > 0,
    has: resource => outcome.changed.has(resource as Resource),
  }
}

/** What came of the batches so far. */
interface Outcome {
  changed: Set<Resource>
  failure?: BootstrapError
  /** A step was not run, and not because of its condition. */
  skipped?: boolean
}

/** Steps in a row that one session can do without us: of one user, up to one that restarts the host. */
function batchesOf(plan: readonly Shown[], { confirm }: ConvergeContext): Shown[][] {
  const batches: Shown[][] = []
  for (const planned of plan) {
    const before = batches.at(-1)?.at(-1)
    if (before && !confirm && before.as === planned.as && !before.resource.restarts) {
      batches.at(-1)!.push(planned)
    } else batches.push([planned])
  }
  return batches
}

async function runBatch(batch: readonly Shown[], context: ConvergeContext, outcome: Outcome) {
  const { sessions, due, known, check, diff } = context
  const last = batch.at(-1)!
  const { as } = last
  const left = outcome.failure ? leftOut : await declined(last, context)
  if (left) {
    for (const each of batch) ended(each, left, context, outcome)
    return
  }
  const session = await sessions.as(as).catch(error => noSession(batch, error, context, outcome))
  if (!session) return
  const restarts = check ? undefined : last.resource.restarts
  const limits = batch.map(({ resource: { title } }) =>
    createStepLimit(title, context.commandTimeoutMs, {
      signal: name => session.expire(name),
      drop: sessions.drop,
    }),
  )
  const calls = batch.map((planned, index): BatchCall => {
    const { resource, notify, handler, step } = planned
    const when = placeCondition(
      planned,
      of => placesIn(batch.slice(0, index), of),
      of => known.get(of),
    )
    return {
      call: resource.call,
      notify,
      handler,
      when,
      listener: {
        title: resource.title,
        start: () => {
          limits[index]!.begin()
          if (!handler) step.start()
        },
        output: (stream, chunk) => step.output(stream, chunk),
        progress: (done, total) => step.transfer(done, total),
        // One that restarts the host ends when the host is back.
        end: result => {
          const { late, end } = limits[index]!
          end()
          // Behind a step that was left out, none is told to have begun.
          limits[index + 1]?.begin()
          if (!restarts || planned !== last || late) ended(planned, result, context, outcome, late)
        },
      },
    }
  })
  const send = async () => {
    const mode = { check, diff, plan: context.record !== undefined }
    const results = await session.batch(calls, mode).catch(error => {
      for (const { end } of limits) end()
      throw limits.find(({ late }) => late)?.late ?? error
    })
    if (!restarts || outcome.failure) return
    const result = results.at(-1)!
    if (result.status === 'changed') await restart(last, result, context, outcome)
    if (!outcome.failure) ended(last, result, context, outcome)
  }
  if (as === undefined) return send()
  const owed = await owe(batch, context)
  if (!owed) {
    for (const each of batch) ended(each, leftOut, context, outcome)
    return
  }
  // Only the main session reads what is due; its answer is that of the batch behind it.
  const handlers = batch.flatMap(({ handler }) => (handler ? [handler] : []))
  if (handlers.length > 0) {
    const known = handlers.filter(key => due.has(key))
    session.call({ name: 'hw_assume_due', args: known }).catch(() => {})
  }
  try {
    await send()
  } catch (error) {
    // Nobody knows what they did.
    for (const key of owed) due.add(key)
    throw error
  }
  await settle(owed, context)
}

/** Accounts for steps whose user has no session. */
function noSession(
  batch: readonly Shown[],
  thrown: unknown,
  context: ConvergeContext,
  outcome: Outcome,
): undefined {
  const { check, due, known } = context
  const error = thrownError(thrown)
  if (error.code !== 'user_missing' && error.code !== 'user_refused') throw thrown
  const wanted = batch.filter(({ handler }) => !handler || due.has(handler))
  // A step before them may be to make the user.
  const mayCome = check && error.code === 'user_missing' && [...known.values()].includes(true)
  const [first] = mayCome ? [] : wanted
  if (first) {
    outcome.failure = error.within({ step: first.resource.title, at: first.resource.at() })
    first.step.end('failed', { error })
  }
  const unknown: CallResult = { ...leftOut, status: 'changed', note: 'unknown' }
  for (const each of batch) {
    if (each === first) continue
    ended(each, mayCome && wanted.includes(each) ? unknown : leftOut, context, outcome)
  }
}

/** The result of a step that was not sent. */
const leftOut: CallResult = {
  status: 'skipped',
  exitStatus: 0,
  code: '-',
  note: '',
  stdout: Buffer.alloc(0),
  stderr: Buffer.alloc(0),
  parts: new Map(),
  marks: [],
}

const notWanted = 'not wanted'

/** With --step: the result of a step that was not wanted. */
async function declined(
  { resource, handler }: Shown,
  { confirm, due }: ConvergeContext,
): Promise<CallResult | undefined> {
  if (!confirm || (handler && !due.has(handler))) return undefined
  return (await confirm(resource.title)) ? undefined : { ...leftOut, note: notWanted }
}

/** Connects again after a restart; the host's error is the step's. */
async function restart(
  { resource, step }: Shown,
  { marks }: CallResult,
  { sessions }: ConvergeContext,
  outcome: Outcome,
) {
  try {
    const boot = marks.find(([word]) => word === 'boot')?.[1] ?? ''
    await sessions.reconnect({ ...resource.restarts!, boot })
  } catch (error) {
    outcome.failure = thrownError(error).within({ step: resource.title, at: resource.at() })
    step.end('failed', { error: outcome.failure })
  }
}

/** Accounts for the end of one step. */
function ended(
  planned: Shown,
  result: CallResult,
  context: ConvergeContext,
  outcome: Outcome,
  late?: StepError,
) {
  const { declared, resource, step, handler, when, notify } = planned
  const { known, due } = context
  const did = result.status === 'changed'
  // Also where it failed or was left out: a recipe may catch that, and ask later.
  known.set(declared, did)
  const diff = did && context.diff ? diffOf(resource, result) : undefined
  // A handler that nobody notified was never there.
  const absent = handler !== undefined && result.status === 'skipped' && result.note === ''
  if (!absent) context.record?.(accountOf(planned, result, diff))
  if (result.status === 'failed' || late) {
    if (did) for (const { key } of notify) due.add(key)
    outcome.failure = context.killed()
      ? new InterruptedError('interrupted', 'ended by Ctrl-C', { step: resource.title })
      : (late?.within({ at: resource.at(), output: lastLines(result.stderr) || undefined }) ??
        stepError(resource, result))
    return step.end('failed', { error: outcome.failure })
  }
  if (result.status === 'skipped') {
    if (absent) return step.drop()
    const whyNot = outcome.failure ? 'a step before it failed' : result.note
    if (whyNot === '') outcome.skipped = true
    // The host asked its condition, and took it out.
    else if (handler && when && !outcome.failure && whyNot !== notWanted) due.delete(handler)
    return step.end('skipped', { note: whyNot || 'interrupted' })
  }
  if (handler) due.delete(handler)
  if (did) {
    outcome.changed.add(declared)
    for (const { key } of notify) due.add(key)
  }
  step.end(did ? 'changed' : 'ok', {
    // `service x reloaded` says it already.
    note: resource.title.endsWith(result.note) ? undefined : result.note,
    diff,
  })
}

/**
 * Only the main session writes down what is due. What steps of another user may make due is written before
 * they begin, so that it is not lost with them, whatever happens; `settle` takes out what is not.
 * @returns the keys of what may be due, and of handlers that are to run; undefined if Ctrl-C came before
 */
async function owe(
  batch: readonly Shown[],
  { sessions, due, check }: ConvergeContext,
): Promise<string[] | undefined> {
  const known = batch.flatMap(({ handler }) => (handler && due.has(handler) ? [handler] : []))
  const mayBe = batch.flatMap(({ notify }) => notify).filter(({ key }) => !due.has(key))
  if (mayBe.length === 0) return known
  const call = { name: 'hw_owe', args: mayBe.flatMap(({ key, record }) => [key, record]) }
  const [written] = await sessions.main.batch([{ call }], { check, diff: false })
  if (written!.status === 'failed') throw new StepError(lastLines(written!.stderr))
  if (written!.status === 'skipped') return undefined
  return [...new Set([...known, ...mayBe.map(({ key }) => key)])]
}

/** What of it is not due, or not any more. */
async function settle(owed: readonly string[], { sessions, due, check }: ConvergeContext) {
  const done = owed.filter(key => !due.has(key))
  const calls = done.map(key => ({ call: { name: 'hw_undo_due', args: [key] } }))
  const settled = await sessions.main.batch(calls, { check, diff: false })
  for (const [index, { status, stderr }] of settled.entries()) {
    if (status === 'failed') throw new StepError(lastLines(stderr))
    // Ctrl-C came before: it stays on the host, to run once more.
    if (status === 'skipped') due.add(done[index]!)
  }
}

/** The places of a resource among these: a list may name it more than once. */
const placesIn = (batch: readonly Planned[], resource: Resource): number[] =>
  batch.flatMap(({ declared }, at) => (declared === resource ? [at] : []))

/** Finds conditions that can't be answered, before anything is done. */
function checkConditions(plan: readonly Planned[], known: ReadonlyMap<Resource, boolean>) {
  for (const [index, planned] of plan.entries()) {
    placeCondition(
      planned,
      of => placesIn(plan.slice(0, index), of),
      of => known.get(of),
    )
  }
}

/** Steps in their tasks. */
function show(plan: readonly Planned[], progress: Progress): Shown[] {
  const tasks = new Map<Task, TaskProgress>()
  const taskOf = (task: Task | undefined) => {
    if (!task) return progress.own()
    const known = tasks.get(task)
    if (known) return known
    const made = progress.task(task.title)
    tasks.set(task, made)
    return made
  }
  const shown = plan.map(planned => ({
    ...planned,
    step: taskOf(planned.task).step(planned.resource.title),
  }))
  for (const task of tasks.values()) task.end()
  return shown
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
