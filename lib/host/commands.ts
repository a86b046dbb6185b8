/** Commands of `$` and `read`: each is a step. */
import {
  errorCodes,
  InterruptedError,
  isBootstrapError,
  StepError,
  UnreachableError,
} from '../errors.ts'
import { titleAs } from '../program/account.ts'
import { commandTitle, stepStatusOf } from '../report/report.ts'
import { lastLines } from '../report/step-error.ts'
import type { StepProgress } from '../report/step-progress.ts'
import { variableAssignment } from '../resources/commands/command.ts'
import { checkUser } from '../resources/resource.ts'
import type { HostCall, StepResult } from '../session/call.ts'
import type { StepListener } from '../session/readings.ts'
import type { CommandRequest, CommandRunner } from '../session/remote-process.ts'
import { createRepeatedOutput, type RepeatedOutput } from '../session/repeated-output.ts'
import type { Session } from '../session/session.ts'
import { account, type Execution } from './execution.ts'
import { checkNotStopped } from './interrupts.ts'
import { asides } from './step-ends.ts'
import { createStepLimit, type StepLimit } from './step-limit.ts'

/**
 * @param skip run nothing: a command may change the host, which --check must not
 * @param remember they run once a run: not those that only look
 */
export const createCommands =
  (execution: Execution, skip: boolean, remember: boolean): CommandRunner =>
  async (request, output, running) => {
    const { progress, mode } = execution
    checkNotStopped(execution.interrupts)
    const title = request.title ?? commandTitle(request.command)
    const call = callOf(title, request)
    progress.hide(request.secrets)
    if (!skip) {
      const remembered = remember ? effectOf(call, title, request, execution) : call
      const { as, stream } = request
      // What only looks may look again.
      const mayRepeat = remembered.effect !== undefined || (!remember && !stream)
      const logged = remember ? loggedOf(title, request, execution) : undefined
      const command = { title, as, mayRepeat, output, running }
      return run({ ...remembered, logged }, command, execution)
    }
    const as = request.as === undefined ? {} : { as: request.as }
    account(execution, () => ({ kind: 'command', title, ...as, tags: [], status: 'unknown' }))
    execution.ledger.foresee('anything')
    if (mode.kind !== 'list')
      progress.own().step(title).end('skipped', { note: 'not known with --check' })
    return { exitStatus: 0 }
  }

/** @throws {UsageError} recipe_invalid: an invalid variable or user */
function callOf(
  title: string,
  { command, as, shell, cwd, env, input, stream }: CommandRequest,
): HostCall {
  const variables = Object.entries(env).map(([name, value]) =>
    variableAssignment(title, name, value),
  )
  if (as !== undefined) checkUser(title, as)
  if (stream) return { name: 'hw_run_stream', args: [shell, cwd, command, ...variables], stream }
  return { name: 'hw_run', args: [shell, cwd, input ? 'yes' : '', command, ...variables], input }
}

/** The call of a command that the host remembers, if it does. */
function effectOf(
  call: HostCall,
  title: string,
  { as, secrets }: CommandRequest,
  { effects }: Execution,
): HostCall {
  // What comes only once can't be given again.
  if (!effects || call.stream) return call
  return { ...call, effect: effects({ title, as, call, secrets }) }
}

/** What the host's log is to say of it. Other users' sessions may not write there. */
const loggedOf = (
  title: string,
  { as, stream }: CommandRequest,
  { effects, progress }: Execution,
) =>
  effects && (as === undefined || !stream)
    ? { title: progress.redact(titleAs({ title, as })), always: 'ran' as const }
    : undefined

/** A running command: its user, and who gets its output. */
interface Command {
  title: string
  as?: string
  /** It may be sent again if its connection is lost. */
  mayRepeat: boolean
  output: Parameters<CommandRunner>[1]
  running: Parameters<CommandRunner>[2]
}

async function run(
  call: HostCall,
  command: Command,
  { sessions, progress, stepTimeoutMs }: Execution,
): Promise<{ exitStatus: number }> {
  const once = call.effect !== undefined
  const step = progress.own().step(command.title, once)
  const repeated = createRepeatedOutput((stream, chunk) => {
    step.output(stream, chunk)
    command.output(stream, chunk)
  }, command.mayRepeat && !once)
  const now: { pid?: number; limit?: StepLimit } = {}
  const send = async (session: Session) => {
    now.limit?.end()
    now.limit = createStepLimit(command.title, stepTimeoutMs, {
      signal: name => (now.pid === undefined ? session.expire(name) : session.kill(now.pid, name)),
      drop: sessions.drop,
    })
    repeated.again()
    const listener = listen(command, step, repeated, now.limit, session, pid => {
      now.pid = pid
    })
    return session.call(call, listener)
  }
  try {
    // The record is the main session's, which runs the command; here it shows whether that user can be had.
    if (once && command.as !== undefined) await sessions.steadily(command.as, async () => true)
    const as = once ? undefined : command.as
    const result = await sessions.steadily(as, send, () => command.mayRepeat)
    for (const said of asides(result)) progress.warn(said)
    if (now.limit?.late) throw now.limit.late
    if (!repeated.same) throw differs()
    if (result.code === 'uncertain') throw uncertain(command.title, result)
    if (result.status === 'skipped') throw new InterruptedError('interrupted', 'interrupted')
    return { exitStatus: result.exitStatus }
  } catch (thrown) {
    // If the timeout dropped the connection, the timeout is the reason.
    const error = now.limit?.late ?? thrown
    if (isBootstrapError(error)) step.end(stepStatusOf(error), { error })
    throw error
  } finally {
    now.limit?.end()
  }
}

/** The error of a command that was repeated after its connection was lost: half of its output is of another time. */
const differs = () =>
  new UnreachableError(
    'connection_lost',
    'the connection was lost, and the command printed something else when it was repeated',
  )

/** The error of a command whose end is not known: the recipe gets no exit status. */
const uncertain = (step: string, { stderr }: StepResult) =>
  new StepError('uncertain', lastLines(stderr), { step, hint: errorCodes.uncertain.next })

function listen(
  { title, running }: Command,
  step: StepProgress,
  repeated: RepeatedOutput,
  limit: StepLimit,
  session: Session,
  started: (pid: number) => void,
): StepListener {
  return {
    title,
    start: () => {
      limit.begin()
      step.start()
    },
    output: repeated.output,
    mark: words => {
      if (words[0] !== 'pid' || !/^[1-9]\d*$/.test(words[2] ?? '')) return
      // After a skipped step `start` is not called, so begin here.
      limit.begin()
      const pid = Number(words[2])
      started(pid)
      running(signal => session.kill(pid, signal.replace(/^SIG/, '')))
    },
    end: result => {
      if (repeated.same) endStep(step, result, limit.late)
    },
  }
}

function endStep(
  step: StepProgress,
  { status, exitStatus, code }: StepResult,
  late?: StepError,
): void {
  if (late) step.end('failed', { error: late })
  // A failed command throws in the recipe, which may expect it: so the step is ok, with a note.
  // Whoever sent it throws that.
  else if (code === 'uncertain') return
  else if (status === 'failed') step.end('ok', { note: `exit status ${exitStatus}` })
  else if (status !== 'skipped') step.end('ok')
}
