/** Runs one segment: steps that one user's session runs without us. */
import type { BootstrapError, StepError } from '../errors.ts'
import { type Known, placeCondition } from '../program/conditions.ts'
import { isRemembered } from '../program/effects.ts'
import type { Segment } from '../program/segments.ts'
import type { Step } from '../program/step.ts'
import { thrownError } from '../report/report.ts'
import type { StepProgress } from '../report/step-progress.ts'
import type { StepResult } from '../session/call.ts'
import { mapCondition } from '../session/condition.ts'
import { createRepeatedOutput } from '../session/repeated-output.ts'
import type { SegmentCall } from '../session/script.ts'
import type { Session } from '../session/session.ts'
import { announceChanges, confirmingOf } from './confirm.ts'
import type { Execution } from './execution.ts'
import { intend, isHeld, openIntents, prepareFor } from './intents.ts'
import { handlersIn } from './ledger.ts'
import { confirmOf, onlyLooks, onStepOf, wantsDiff } from './mode.ts'
import { restart } from './restart.ts'
import { changedBefore, dueNow, isRepeatable, type Sent } from './sent.ts'
import { declined, endStep, endSteps, leftOut, type Running } from './step-ends.ts'
import { createStepLimit, type StepLimit } from './step-limit.ts'
import { loggedOf, logOthers } from './step-log.ts'

/** @throws {UnreachableError} the connection is lost; steps that fail are reported instead */
export async function runSegment(segment: Segment, running: Running): Promise<void> {
  for (const part of partsOf(segment, running.execution)) await runPart(part, running)
}

/** Another user's effects, each alone: the main session runs their commands, as the record of them is its own. */
function partsOf({ as, steps }: Segment, { effects }: Execution): Segment[] {
  if (as === undefined || !effects) return [{ as, steps }]
  const parts: { as: string; steps: Step[] }[] = []
  for (const step of steps) {
    const last = parts.at(-1)
    if (last && !isRemembered(step) && !isRemembered(last.steps[0]!)) last.steps.push(step)
    else parts.push({ as, steps: [step] })
  }
  return parts
}

async function runPart(segment: Segment, running: Running): Promise<void> {
  const { sessions, ledger } = running.execution
  const { as, steps } = segment
  // A session that is opened after Ctrl-C does not know of it.
  const over = running.failure !== undefined || running.execution.interrupts.stop.aborted
  const left = over ? leftOut : await declinedOf(segment, running)
  if (left) return endSteps(steps, left, running)
  const sending = createSending(segment, running)
  if (as === undefined) return sending.send()
  const there = await sessions
    .steadily(as, async () => true)
    .catch(error => noSession(steps, error, running))
  if (!there) return
  if (running.execution.effects && isRemembered(steps[0]!)) return runForUser(steps[0]!, running)
  if (!(await openIntents(steps, running.execution))) return endSteps(steps, leftOut, running)
  const owed = await ledger.owe(steps)
  if (!owed) return endSteps(steps, leftOut, running)
  try {
    await sending.send()
  } catch (error) {
    // It is unknown what the steps did, so everything that may be due counts as due.
    ledger.becomeDue(owed)
    throw error
  } finally {
    logOthers(steps, running)
  }
  await ledger.settle(owed)
}

/** Runs another user's effect from the main session; its condition is for that user's session to answer. */
async function runForUser(step: Step, running: Running): Promise<void> {
  const { ledger, sessions } = running.execution
  const { as } = step
  if (step.handler && !ledger.due.has(step.handler)) return endStep(step, leftOut, running)
  const other = await sessions.steadily(as, async session => session !== sessions.main)
  const asked =
    other && step.when
      ? await sessions.steadily(as, session => holds(step, session, ledger.changed))
      : undefined
  if (asked === 'interrupted') return endStep(step, leftOut, running)
  const user = { as: other ? as : undefined, holds: asked }
  return createSending({ steps: [step] }, running, user).send()
}

async function holds(step: Step, session: Session, known: Known): Promise<boolean | 'interrupted'> {
  const call = { call: { name: 'true', args: [] }, when: placeCondition(step, [], known) }
  const [{ status, note } = leftOut] = await session.segment([call], { check: false, diff: false })
  return status === 'skipped' && note === '' ? 'interrupted' : status === 'ok'
}

/** For whom the main session runs a step of another user, and that user's answer to its condition, if there is one. */
interface ForUser {
  as?: string
  holds?: boolean
}

/**
 * Sends a session the due handlers. Costs no round trip.
 * @param only no others are: another user's session can't read the record
 */
function assumeDue(
  steps: readonly Step[],
  session: Session,
  due: ReadonlySet<string>,
  only: boolean,
): void {
  const handlers = handlersIn(steps)
  const known = handlers.filter(key => due.has(key))
  if (handlers.length === 0 || (!only && known.length === 0)) return
  session.call({ name: only ? 'hw_assume_due' : 'hw_still_due', args: known }).catch(() => {})
}

/** With --step: asks for the segment, which is then a single step. @returns its result if it is declined */
async function declinedOf({ steps }: Segment, running: Running): Promise<StepResult | undefined> {
  const { host, mode, ledger, progress } = running.execution
  const confirm = confirmOf(mode)
  const { resource, handler, confirms } = steps.at(-1)!
  if (!confirm || confirms || (handler && !ledger.due.has(handler))) return undefined
  return (await confirm(host.name, progress.redact(resource.title))) ? undefined : declined
}

/** Sends the steps of a segment, and those that have not ended again if the connection is lost and made again. */
function createSending({ as, steps }: Segment, running: Running, forUser?: ForUser) {
  const { execution, shown } = running
  const { mode, sessions, ledger } = execution
  const sent = new Map(
    steps.map(step => [step, toSend(step, execution, shown.get(step)!, forUser)]),
  )
  const rest = () => steps.filter(step => !sent.get(step)!.result)
  const last = steps.at(-1)!
  const restarts = !onlyLooks(mode) && last.resource.restarts !== undefined
  // A step that restarts the host ends when the host is back.
  const end = (step: Step, result: StepResult, late?: StepError) => {
    const known = sent.get(step)!
    known.result = changedBefore(result, known)
    if (!restarts || step !== last || late) endStep(step, known.result, running, late)
  }
  const attempt = async (session: Session, changed: ReadonlySet<number>) => {
    const left = rest()
    // What is left was skipped, though its host could not say so.
    if (running.failure) {
      for (const step of left) end(step, leftOut)
      return 'ended'
    }
    for (const step of left) {
      const known = sent.get(step)!
      const before = known.id !== undefined
      if (session === sessions.main) known.changed ||= before && changed.has(known.id!)
      else known.mayHave ||= before
      known.output.again()
    }
    if (as === undefined) intend(left, session)
    announceChanges(left, session, execution)
    if (as !== undefined || left.some(step => sent.get(step)!.id !== undefined))
      assumeDue(left, session, dueNow(left, sent, ledger.due), as !== undefined)
    return sendOnce(left, sent, session, running, end)
  }
  // The memory of effects is the connection's user's. Without a lock nobody can tell whose an old shell is.
  const mayRepeat = () =>
    onlyLooks(mode) ||
    (execution.effects !== undefined && (as === undefined || rest().every(isRepeatable))) ||
    rest().length === 0
  return {
    send: async () => {
      const sending = () =>
        sessions.steadily(as, attempt, mayRepeat).catch(error => {
          endUnknown(rest(), sent, thrownError(error), running)
          throw error
        })
      try {
        // The first step that is left is held: it has changed nothing, and is sent again with those after it.
        while ((await sending()) === 'held') await prepareFor(rest().slice(0, 1))
      } finally {
        for (const { confirmation } of sent.values()) confirmation.giveUp()
      }
      if (!restarts || running.failure) return
      const result = sent.get(last)!.result!
      if (result.status === 'changed') await restart(last, result, running)
      if (!running.failure) endStep(last, result, running)
    },
  }
}

/**
 * The connection is lost for good. The host goes on for a while without us: of commands that were sent nobody knows
 * whether they have begun.
 */
function endUnknown(
  steps: readonly Step[],
  sent: ReadonlyMap<Step, Sent>,
  error: BootstrapError,
  { shown, execution }: Running,
): void {
  // A shell that ended has begun nothing more.
  if (error.code !== 'connection_lost') return
  const notified = new Set([
    ...execution.ledger.due,
    ...steps.flatMap(({ notify }) => notify.map(({ key }) => key)),
  ])
  for (const step of steps) {
    const { id, call } = sent.get(step)!
    const progress = shown.get(step)!
    if (progress.begun) progress.drop(error)
    else if (id !== undefined && call.effect && (!step.handler || notified.has(step.handler)))
      progress.end('unknown', { note: 'it was sent, and may have begun' })
  }
}

function toSend(step: Step, execution: Execution, progress: StepProgress, forUser?: ForUser): Sent {
  const { call } = step.resource
  const effect = effectOf(step, execution, forUser)
  const output = createRepeatedOutput(progress.output)
  const place = { holds: forUser?.holds, inMain: step.as === undefined || forUser !== undefined }
  const confirmation = confirmingOf(step, execution)
  // Only the output of what is remembered comes again as it was.
  const known = { ...call, logged: place.inMain ? loggedOf(step, execution) : undefined }
  if (!effect)
    return {
      call: known,
      output: { ...output, output: progress.output },
      confirmation,
      changed: false,
      mayHave: false,
      ...place,
    }
  const remembered = { ...known, effect }
  return { call: remembered, output, confirmation, changed: false, mayHave: false, ...place }
}

async function sendOnce(
  steps: readonly Step[],
  sent: ReadonlyMap<Step, Sent>,
  session: Session,
  running: Running,
  end: (step: Step, result: StepResult, late?: StepError) => void,
): Promise<'ended' | 'held'> {
  const { mode, sessions, stepTimeoutMs } = running.execution
  const limits = steps.map(({ resource: { title }, confirms }) =>
    createStepLimit(title, confirms ? undefined : stepTimeoutMs, {
      signal: name => session.expire(name),
      drop: sessions.drop,
    }),
  )
  const calls = steps.map((_, at) => callOf(steps, at, sent, limits, running, end))
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
  if (results.length === calls.length) return 'ended'
  for (const limit of limits) limit.end()
  return 'held'
}

/** The call of the step `at`, and its listener. */
function callOf(
  steps: readonly Step[],
  at: number,
  sent: ReadonlyMap<Step, Sent>,
  limits: readonly StepLimit[],
  running: Running,
  end: (step: Step, result: StepResult, late?: StepError) => void,
): SegmentCall {
  const { execution, shown } = running
  const step = steps[at]!
  const progress = shown.get(step)!
  const limit = limits[at]!
  const own = sent.get(step)!
  const when =
    own.holds === undefined
      ? placeCondition(step, steps.slice(0, at), execution.ledger.changed)
      : ({ kind: 'is', value: own.holds } as const)
  const { confirmation } = own
  // The host finds nothing left to do.
  const known = (place: number) => {
    const { changed, mayHave } = sent.get(steps[place]!)!
    return changed || mayHave
  }
  return {
    call: own.call,
    notify: step.notify,
    handler: step.handler,
    makes: step.resource.makes,
    within:
      step.within && own.inMain
        ? { intent: step.within.number, part: step.resource.part ?? '-', held: isHeld(step) }
        : undefined,
    confirming: confirmation.id,
    when:
      when &&
      mapCondition(when, of => (known(of) ? { kind: 'is', value: true } : { kind: 'changed', of })),
    listener: {
      title: step.resource.title,
      sent: id => {
        own.id = id
      },
      start: () => {
        limit.begin()
        // Whether it is due is known: what may notify it has ended.
        const due = !step.handler || execution.ledger.due.has(step.handler)
        if (due && !(step.handler && running.failure)) progress.start()
      },
      output: own.output.output,
      progress: (done, total) => progress.transfer(done, total),
      mark: confirmation.mark,
      end: result => {
        limit.end()
        confirmation.end(result)
        // After a skipped step `start` is not called, so the next one's time begins here.
        limits[at + 1]?.begin()
        end(step, result, limit.late)
      },
    },
  }
}

/** The memory of the step on its host, if it is an effect. */
function effectOf(step: Step, { effects }: Execution, { as }: ForUser = {}) {
  if (!effects || !isRemembered(step)) return undefined
  const { task, resource } = step
  const { call, title, secrets } = resource
  const { again, verify } = resource.effect!
  const effect = effects({ task: task?.title, title, as, call, secrets, again, verify })
  return { ...effect, ...scriptOf(step) }
}

/** An upgrade script has one record, whichever way it runs: see hw_effect_turn in lib/remote/effect.sh. */
function scriptOf({ within, resource: { part } }: Step) {
  if (!within || (part !== 'forward' && part !== 'back')) return undefined
  return { key: `product-${within.product}`, part }
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
