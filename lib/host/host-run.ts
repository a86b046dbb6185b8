/** One host's part in a run: connecting, the lock, the recipe, and the account of it. */
import { setTimeout as delay } from 'node:timers/promises'
import { type HostState, parseState } from '../bootstrap/state.ts'
import {
  type BootstrapError,
  errorCodes,
  InterruptedError,
  LockedError,
  StepError,
} from '../errors.ts'
import { createEventStream, type HostOutcome, type HostStatus } from '../events.ts'
import type { Host } from '../inventory/inventory.ts'
import { differenceOf, type StepAccount } from '../program/account.ts'
import { parseRemembered, plannedOf, type Remembered } from '../program/remembered.ts'
import { createSelection, everything, type Selection } from '../program/selection.ts'
import type { ArgumentTypes } from '../recipe/arguments.ts'
import { cleanData, cleanReport, createProgress, type Progress } from '../report/progress.ts'
import { errorReport, stackOf, statusOf, thrownError } from '../report/report.ts'
import { type Session, stateFilesOf } from '../session/session.ts'
import type { Watch } from '../session/watch.ts'
import { connectHost, reconnectHost } from './connect.ts'
import { createContext } from './context.ts'
import { type ConvergeContext, runPlan } from './converge.ts'
import { type LockClaim, lockCall, lockError } from './lock.ts'
import type { RunOptions } from './run-options.ts'
import { createSessions, type HostSessions, type Restarting } from './sessions.ts'
import { watchHost } from './watch.ts'

/** How often a held lock is asked for again. */
const lockIntervalMs = 1000

/** What a host's work shares from its beginning to its end. */
interface Work<A extends ArgumentTypes> {
  host: Host
  options: RunOptions<A>
  sessions: HostSessions
  progress: Progress
  /** State files as they were under the lock. */
  files: () => Session['stateFiles']
  /** Keys of the handlers that are due. */
  due: Set<string>
  /** What an earlier run left due. */
  remembered: readonly Remembered[]
  output: (data: unknown) => void
}

/**
 * Runs a recipe on one host. Never throws.
 * @param selection what of the recipe to take
 */
export async function runHost<A extends ArgumentTypes>(
  host: Host,
  options: RunOptions<A>,
  progress: Progress,
  selection: Selection,
): Promise<HostOutcome> {
  const { events, recipe, interrupts, check } = options
  const startedAt = Date.now()
  const due = new Set<string>()
  /** Of these it was told before. */
  let told = new Set<string>()
  let sessions: HostSessions | undefined
  let failure: BootstrapError | undefined
  let data: unknown
  let over = false
  events.emit({ type: 'host.start', host: host.name })
  try {
    const locks = recipe.lock(options.args) && !check
    const warn = (message: string) => !over && progress.warn(message)
    const watch = watchHost(host, options, progress)
    const opened = await connect(host, { ...options, warn, watch }, locks)
    sessions = opened
    // The session warns where it can't.
    const stop = () => void opened.interrupt().catch(() => {})
    const kill = () => void opened.kill().catch(() => {})
    interrupts.stop.addEventListener('abort', stop)
    interrupts.kill.addEventListener('abort', kill)
    let failed = true
    try {
      const files = locks
        ? await takeLock(opened.main, options, progress)
        : () => opened.main.stateFiles
      watch.debug?.('lock', describeLock(locks, check, Date.now() - startedAt))
      const remembered = parseRemembered(files().get('handlers'))
      told = new Set(remembered.map(({ key }) => key))
      const work = {
        host,
        options,
        sessions: opened,
        progress,
        files,
        due,
        remembered,
        output: (value: unknown) => {
          // A copy, as JSON has it: what can't be said in JSON fails where it is put out.
          data = JSON.parse(JSON.stringify(value) ?? 'null')
        },
      }
      tellRemembered(remembered, locks || check, progress)
      if (options.expect) await compare(work)
      await perform(work, selection)
      failed = false
    } finally {
      interrupts.stop.removeEventListener('abort', stop)
      // What the recipe did not wait for ends before the host does; after a failure nothing more begins.
      await opened.close(failed)
      interrupts.kill.removeEventListener('abort', kill)
    }
  } catch (error) {
    failure = thrownError(error)
    if (options.verbose) failure.within({ output: stackOf(failure) })
  }
  over = true
  progress.end()
  // Also of a run that went well: its recipe may catch what fails.
  const left = [...due].filter(key => failure || !told.has(key))
  if (left.length > 0 && !check) {
    const what = left.length === 1 ? 'a handler is' : `${left.length} handlers are`
    progress.warn(`${what} due: remembered on the host, to run in its next run`)
  }
  const done: HostStatus = progress.counts.changed > 0 ? 'changed' : 'ok'
  const status: HostStatus = failure ? statusOf(failure) : done
  const outcome: HostOutcome = {
    host: host.name,
    status,
    counts: progress.counts,
    durationMs: Date.now() - startedAt,
    data: cleanData(data, progress.redact),
    error: failure && cleanReport({ ...errorReport(failure), host: host.name }, progress.redact),
    roundTrips: sessions?.roundTrips ?? 0,
  }
  events.emit({ type: 'host.end', ...outcome })
  return outcome
}

const describeLock = (taken: boolean, check: boolean, afterMs: number) =>
  taken
    ? `taken, ${afterMs} ms after the host's work began`
    : `not taken: ${check ? 'nothing is changed' : 'the recipe takes none'}`

/** Connects, and again after a restart, then with the lock of the new boot. */
async function connect<A extends ArgumentTypes>(
  host: Host,
  options: RunOptions<A> & { warn: (message: string) => void; watch: Watch },
  locks: boolean,
): Promise<HostSessions> {
  const connecting = { ...options, signal: options.interrupts.stop }
  const first = locks ? [lockCall(claimOf(options))] : []
  const connected = await connectHost(host, connecting, first)
  const reconnect = async (restarting: Restarting) => {
    const again = await reconnectHost(host, { ...connecting, ...restarting })
    for (const call of first) {
      const refusal = lockError(await again.session.call(call))
      if (!refusal) continue
      // An open connection would keep this process alive.
      await again.session.close()
      throw refusal
    }
    return again
  }
  return createSessions(connected, reconnect, options.watch)
}

/** Runs the recipe, then what an earlier run left due and this recipe does not declare. */
async function perform<A extends ArgumentTypes>(
  { host, options, sessions, progress, files, due, remembered, output }: Work<A>,
  selection: Selection,
) {
  const { recipe, interrupts, record, confirm, expect } = options
  for (const { key } of remembered) due.add(key)
  const converging: ConvergeContext = {
    ...options,
    sessions,
    progress,
    due,
    known: new Map(),
    schedule: {
      host: { ...host, facts: sessions.main.facts },
      origin: { run: options.run, recipe: options.name },
      selection,
      redact: progress.redact,
    },
    record: record && (step => record(host.name, cleanReport(step, progress.redact))),
    confirm: confirm && (title => confirm(host.name, progress.redact(title))),
    commandTimeoutMs: options.commandTimeoutMs ?? host.timeouts?.commandMs,
    expect: expect && expecting(expect.get(host.name) ?? [], progress.redact),
    interrupted: () => interrupts.stop.aborted,
    killed: () => interrupts.kill.aborted,
  }
  const context = createContext({
    ...options,
    host,
    sessions,
    converging,
    state: onceAsked(() => parseState(files(), host.bootstrapDir)),
    progress,
    signal: interrupts.stop,
    kill: interrupts.kill,
    output,
  })
  await recipe.run(context)
  const left = remembered.filter(({ key }) => due.has(key))
  if (recipe.lock(options.args)) await runPlan(plannedOf(left), converging)
}

/**
 * Finds out once more what a plan says of this host, under the lock and before anything is changed.
 * @throws {StepError} plan_stale
 */
async function compare<A extends ArgumentTypes>(work: Work<A>) {
  const { host, options, sessions } = work
  const found: StepAccount[] = []
  const silent = {
    ...createProgress(host.name, options.name, createEventStream()),
    // The plan has stars where there is a secret; so must what it is compared with.
    hide: work.progress.hide,
    redact: work.progress.redact,
  }
  const looking = {
    ...work,
    progress: silent,
    due: new Set<string>(),
    options: {
      ...options,
      check: true,
      confirm: undefined,
      expect: undefined,
      record: (_: string, step: StepAccount) => found.push(step),
    },
  }
  await perform(looking, createSelection(options.selection ?? everything))
  // What the host took for done while it only looked.
  await sessions.main.call({ name: 'hw_reload_due', args: [] })
  const difference = differenceOf(options.expect!.get(host.name) ?? [], found)
  if (difference) {
    throw new StepError('plan_stale', `the plan no longer fits: ${difference}`, {
      hint: errorCodes.plan_stale.next,
    })
  }
}

/** Holds the steps of each batch to those of the plan, in order. */
function expecting(
  planned: readonly StepAccount[],
  redact: Progress['redact'],
): ConvergeContext['expect'] {
  // Handlers and commands come and go with what runs.
  const resources = planned.filter(({ kind }) => kind === 'resource')
  let at = 0
  return steps => {
    for (const step of steps) {
      if (step.kind !== 'resource') continue
      const before = resources[at++]
      if (before?.title === redact(step.title) && before.does === step.does) continue
      throw new StepError('plan_stale', `${step.title} is not in the plan`, {
        hint: 'It follows from a command whose result was not known when the plan was made.',
      })
    }
  }
}

/** Says what an earlier run left due. */
function tellRemembered(remembered: readonly Remembered[], now: boolean, progress: Progress) {
  for (const { title, run, recipe, call } of remembered) {
    const what = `${title} is due since run ${run} of ${recipe}`
    if (!now) progress.warn(`${what}: it runs in the next run that changes something`)
    else if (call) progress.warn(`${what}: it runs in this run`)
    else progress.warn(`${what}: it runs when ${recipe} does`)
  }
}

const claimOf = <A extends ArgumentTypes>({
  run,
  name,
  owner,
  controller,
}: RunOptions<A>): LockClaim => ({
  run,
  recipe: name,
  owner,
  controller,
  time: new Date().toISOString(),
})

/** Parsed once, and only if somebody asks. */
function onceAsked(parse: () => HostState): () => HostState {
  let state: HostState | undefined
  return () => {
    state ??= parse()
    return state
  }
}

/**
 * Waits for the lock if asked to.
 * @returns the state files: read again after waiting, as the last holder may have changed them
 */
async function takeLock<A extends ArgumentTypes>(
  session: Session,
  options: RunOptions<A>,
  progress: Progress,
): Promise<() => Session['stateFiles']> {
  const deadline = Date.now() + options.waitLockMs
  // Where the state can't be looked at, the lock was not: the getter says why.
  if (session.first[0]!.status === 'skipped') session.stateFiles
  let refusal = lockError(session.first[0]!)
  if (!refusal) return () => session.stateFiles
  let told = ''
  while (refusal) {
    if (!(refusal instanceof LockedError) || Date.now() >= deadline) throw refusal
    if (refusal.message !== told) progress.warn(`${refusal.message}; waiting`)
    told = refusal.message
    await delay(Math.min(lockIntervalMs, Math.max(0, deadline - Date.now())), undefined, {
      signal: options.interrupts.stop,
    }).catch(() => {
      throw new InterruptedError('interrupted', 'interrupted while waiting for the lock')
    })
    refusal = lockError(await session.call(lockCall(claimOf(options))))
  }
  const again = await session.call({ name: 'hw_read_state', args: [] })
  return () => stateFilesOf(again)
}
