/** Runs one segment: steps that one user's session runs without us. */
import { StepError } from '../errors.ts'
import { placeCondition } from '../program/conditions.ts'
import type { Segment } from '../program/segments.ts'
import type { Step } from '../program/step.ts'
import { thrownError } from '../report/report.ts'
import { lastLines } from '../report/step-error.ts'
import type { StepResult } from '../session/call.ts'
import type { SegmentCall } from '../session/script.ts'
import type { Session } from '../session/session.ts'
import type { Execution } from './execution.ts'
import { handlersIn } from './ledger.ts'
import { confirmOf, onlyLooks, onStepOf, wantsDiff } from './mode.ts'
import { restart } from './restart.ts'
import { declined, endStep, endSteps, leftOut, type Running } from './step-ends.ts'
import { createStepLimit, type StepLimit } from './step-limit.ts'

/** @throws {UnreachableError} the connection is lost; steps that fail are reported instead */
export async function runSegment(segment: Segment, running: Running): Promise<void> {
  const { sessions, ledger } = running.execution
  const { as, steps } = segment
  const left = running.failure ? leftOut : await declinedOf(segment, running)
  if (left) return endSteps(steps, left, running)
  const session = await sessions.as(as).catch(error => noSession(steps, error, running))
  if (!session) return
  if (as === undefined) {
    intend(steps, session)
    return send(steps, session, running)
  }
  if (!(await openIntents(steps, running))) return endSteps(steps, leftOut, running)
  const owed = await ledger.owe(steps)
  if (!owed) return endSteps(steps, leftOut, running)
  assumeDue(steps, session, ledger.due)
  try {
    await send(steps, session, running)
  } catch (error) {
    // It is unknown what the steps did, so everything that may be due counts as due.
    ledger.becomeDue(owed)
    throw error
  }
  await ledger.settle(owed)
}

/** Sends the host what the steps are a part of. Costs no round trip: what is wrong shows in the steps. */
function intend(steps: readonly Step[], session: Session): void {
  for (const { call } of undertakingsOf(steps)) session.call(call).catch(() => {})
}

/**
 * Writes down what steps of another user are a part of, who may not do it.
 * @returns whether they may run
 */
async function openIntents(steps: readonly Step[], { execution }: Running): Promise<boolean> {
  const undertakings = undertakingsOf(steps)
  if (undertakings.length === 0 || onlyLooks(execution.mode)) return true
  const calls = undertakings.flatMap(({ call, number }) => [
    { call },
    { call: { name: 'hw_open_intent', args: [String(number)] } },
  ])
  const results = await execution.sessions.main.segment(calls, { check: false, diff: false })
  const failed = results.find(({ status }) => status === 'failed')
  if (failed) throw new StepError(lastLines(failed.stderr))
  return results.every(({ status }) => status !== 'skipped')
}

const undertakingsOf = (steps: readonly Step[]) => [
  ...new Set(steps.flatMap(({ within }) => within ?? [])),
]

/** Sends another user's session the due handlers, which only the main session reads. Costs no round trip. */
function assumeDue(steps: readonly Step[], session: Session, due: ReadonlySet<string>): void {
  const handlers = handlersIn(steps)
  if (handlers.length === 0) return
  const known = handlers.filter(key => due.has(key))
  session.call({ name: 'hw_assume_due', args: known }).catch(() => {})
}

/** With --step: asks for the segment, which is then a single step. @returns its result if it is declined */
async function declinedOf({ steps }: Segment, running: Running): Promise<StepResult | undefined> {
  const { host, mode, ledger, progress } = running.execution
  const confirm = confirmOf(mode)
  const { resource, handler } = steps.at(-1)!
  if (!confirm || (handler && !ledger.due.has(handler))) return undefined
  return (await confirm(host.name, progress.redact(resource.title))) ? undefined : declined
}

async function send(steps: readonly Step[], session: Session, running: Running): Promise<void> {
  const { mode, sessions, stepTimeoutMs } = running.execution
  const last = steps.at(-1)!
  const restarts = !onlyLooks(mode) && last.resource.restarts !== undefined
  const limits = steps.map(({ resource: { title } }) =>
    createStepLimit(title, stepTimeoutMs, {
      signal: name => session.expire(name),
      drop: sessions.drop,
    }),
  )
  // A step that restarts the host ends when the host is back.
  const end = (step: Step, result: StepResult, late?: StepError) => {
    if (!restarts || step !== last || late) endStep(step, result, running, late)
  }
  const calls = steps.map((_, at) => callOf(steps, at, limits, running, end))
  const { foreseen } = running.execution.ledger
  if (onlyLooks(mode) && foreseen.length > 0)
    session.call({ name: 'hw_expect', args: foreseen }).catch(() => {})
  const settings = {
    check: onlyLooks(mode),
    diff: wantsDiff(mode),
    plan: onStepOf(mode) !== undefined,
  }
  const results = await session.segment(calls, settings).catch(error => {
    for (const limit of limits) limit.end()
    throw limits.find(({ late }) => late)?.late ?? error
  })
  if (!restarts || running.failure) return
  const result = results.at(-1)!
  if (result.status === 'changed') await restart(last, result, running)
  if (!running.failure) endStep(last, result, running)
}

/** The call of the step `at`, and its listener. */
function callOf(
  steps: readonly Step[],
  at: number,
  limits: readonly StepLimit[],
  { execution, shown }: Running,
  end: (step: Step, result: StepResult, late?: StepError) => void,
): SegmentCall {
  const step = steps[at]!
  const progress = shown.get(step)!
  const limit = limits[at]!
  const effect = effectOf(step, execution)
  return {
    call: effect ? { ...step.resource.call, effect } : step.resource.call,
    notify: step.notify,
    handler: step.handler,
    makes: step.resource.makes,
    within:
      step.within && step.as === undefined
        ? { intent: step.within.number, part: step.resource.part ?? '-' }
        : undefined,
    when: placeCondition(step, steps.slice(0, at), execution.ledger.changed),
    listener: {
      title: step.resource.title,
      start: () => {
        limit.begin()
        if (!step.handler) progress.start()
      },
      output: (stream, chunk) => progress.output(stream, chunk),
      progress: (done, total) => progress.transfer(done, total),
      end: result => {
        limit.end()
        // After a skipped step `start` is not called, so the next one's time begins here.
        limits[at + 1]?.begin()
        end(step, result, limit.late)
      },
    },
  }
}

/** The memory of the step on its host, if it is an effect. Other users' sessions have none. */
function effectOf({ resource, task, as }: Step, { effects }: Execution) {
  const { effect, call, title, secrets } = resource
  if (!effect || !effects || as !== undefined) return undefined
  const { again, verify } = effect
  return effects({ task: task?.title, title, call, secrets, again, verify })
}

/** Whether what an earlier step makes, with --check, creates a user or lets us become that. */
const brings = (made: string, user: string | undefined, { code }: StepError) =>
  made === 'anything' ||
  (code === 'user_missing' ? made === `user ${user}` : made.startsWith('path /etc/sudoers'))

/** Reports steps whose user has no session. */
function noSession(steps: readonly Step[], thrown: unknown, running: Running): undefined {
  const { mode, ledger } = running.execution
  const error = thrownError(thrown)
  if (error.code !== 'user_missing' && error.code !== 'user_refused') throw thrown
  const wanted = steps.filter(({ handler }) => !handler || ledger.due.has(handler))
  const mayCome = onlyLooks(mode) && ledger.foreseen.some(made => brings(made, steps[0]!.as, error))
  const [first] = mayCome ? [] : wanted
  if (first) {
    running.failure = error.within({ step: first.resource.title, at: first.resource.at() })
    running.shown.get(first)!.end('failed', { error })
  }
  const unknown: StepResult = { ...leftOut, status: 'changed', note: 'unknown' }
  for (const step of steps) {
    if (step === first) continue
    endStep(step, mayCome && wanted.includes(step) ? unknown : leftOut, running)
  }
}
