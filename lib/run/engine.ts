/**
 * The engine: connects to hosts, takes locks, runs the recipe on each, and accounts for it in events.
 * It knows no renderer and no callback; they subscribe.
 */
import { setTimeout as delay } from 'node:timers/promises'
import pLimit from 'p-limit'
import type { Catalogue } from '../bootstrap/definitions.ts'
import { type HostState, parseState } from '../bootstrap/state.ts'
import { type BootstrapError, InterruptedError, LockedError } from '../errors.ts'
import type { EventStream, HostOutcome, HostStatus } from '../events.ts'
import type { Host } from '../inventory/inventory.ts'
import { type LockClaim, lockCall, lockError } from '../lock/lock.ts'
import { type Session, stateFilesOf } from '../session/session.ts'
import type { ArgumentTypes, ArgumentValues } from './arguments.ts'
import { connectHost, reconnectHost } from './connect.ts'
import { createContext } from './context.ts'
import { type ConvergeContext, runPlan } from './converge.ts'
import { cleanData, cleanReport, createProgress, type Progress } from './progress.ts'
import type { Recipe } from './recipe.ts'
import { parseRemembered, plannedOf, type Remembered } from './remembered.ts'
import { errorReport, exitCodeOf, stackOf, statusOf, thrownError } from './report.ts'
import { batches } from './rollout.ts'
import { createSelection, everything, type SelectionOptions } from './selection.ts'
import { createSessions, type HostSessions } from './sessions.ts'

export interface RunOptions<A extends ArgumentTypes = ArgumentTypes> {
  recipe: Recipe<A>
  /** The recipe's name on the command line. */
  name: string
  args: ArgumentValues<A>
  hosts: readonly Host[]
  environment: string
  catalogue: () => Catalogue
  /** Modules of products that have one, by product. */
  modules: ReadonlyMap<string, unknown>
  events: EventStream
  /** Id of the run. */
  run: string
  check: boolean
  diff: boolean
  /** What of the recipe to take. Default: all. */
  selection?: SelectionOptions
  /** Tell where faults came from. */
  verbose?: boolean
  /** Hosts at a time. */
  forks: number
  /** Sizes of batches (`parseSerial`). Default: all at once. */
  serial?: readonly string[]
  /** For connecting, handshake, authentication, and the first answer of one host's shell. */
  timeoutMs: number
  acceptNew: boolean
  /** How long to wait for a lock that another run holds. */
  waitLockMs: number
  owner: string
  controller: string
  interrupts: Interrupts
  /** What failed where no host's work could catch it, a line each; asked when all hosts are done. */
  strays?: () => readonly string[]
}

/** Ctrl-C: `stop` aborts at the first, `kill` at the second. */
export interface Interrupts {
  stop: AbortSignal
  kill: AbortSignal
}

/** What came of a run. */
export interface RunResult {
  exitCode: number
  outcomes: HostOutcome[]
  /** A text without the secrets of any host. */
  redact(text: string): string
}

/** How often a held lock is asked for again. */
const lockIntervalMs = 1000

/** Runs a recipe on hosts. Never throws for what happens on a host. */
export async function runRecipe<A extends ArgumentTypes>(
  options: RunOptions<A>,
): Promise<RunResult> {
  const { recipe, hosts, events, run, check, interrupts } = options
  const startedAt = Date.now()
  const args = recipe.show ? recipe.show(options.args, options.catalogue()) : { ...options.args }
  events.emit({
    type: 'run.start',
    run,
    recipe: options.name,
    environment: options.environment,
    args,
    check,
    hosts: hosts.map(host => host.name),
  })
  const outcomes: HostOutcome[] = []
  const redactors: Progress['redact'][] = []
  const redactAll = (text: string) => redactors.reduce((rest, redact) => redact(rest), text)
  const work = (host: Host) => {
    const progress = createProgress(host.name, options.name, events)
    redactors.push(progress.redact)
    return runHost(host, options, progress)
  }
  const groups = batches(hosts, options.serial ?? ['100%'])
  const limit = pLimit(options.forks)
  for (const [index, group] of groups.entries()) {
    // The batch before it must have succeeded.
    const go =
      !interrupts.stop.aborted &&
      outcomes.every(({ status }) => status === 'ok' || status === 'changed')
    if (go)
      events.emit({
        type: 'batch.start',
        number: index + 1,
        of: groups.length,
        hosts: group.map(host => host.name),
      })
    const results = await Promise.all(
      group.map(host =>
        limit(() => (go && !interrupts.stop.aborted ? work(host) : skipHost(host, events))),
      ),
    )
    outcomes.push(...results)
  }
  const strays = options.strays?.() ?? []
  for (const stray of strays) events.emit({ type: 'warning', message: redactAll(stray) })
  const exitCode = exitCodeOf(outcomes, {
    check,
    interrupted: interrupts.stop.aborted,
    fault: strays.length > 0,
  })
  events.emit({
    type: 'run.end',
    run,
    ok: exitCode === 0,
    exitCode,
    durationMs: Date.now() - startedAt,
    hosts: outcomes,
  })
  return { exitCode, outcomes, redact: redactAll }
}

function skipHost(host: Host, events: EventStream): HostOutcome {
  const outcome: HostOutcome = {
    host: host.name,
    status: 'skipped',
    counts: { ok: 0, changed: 0, failed: 0, skipped: 0 },
    durationMs: 0,
    roundTrips: 0,
  }
  events.emit({ type: 'host.end', ...outcome })
  return outcome
}

async function runHost<A extends ArgumentTypes>(
  host: Host,
  options: RunOptions<A>,
  progress: Progress,
): Promise<HostOutcome> {
  const { events, recipe, interrupts } = options
  const startedAt = Date.now()
  let sessions: HostSessions | undefined
  let failure: BootstrapError | undefined
  let data: unknown
  let over = false
  /** Keys of the handlers that are due. */
  const due = new Set<string>()
  events.emit({ type: 'host.start', host: host.name })
  try {
    const locks = recipe.lock(options.args) && !options.check
    const connecting = {
      ...options,
      signal: interrupts.stop,
      warn: (message: string) => !over && progress.warn(message),
    }
    const first = locks ? [lockCall(claimOf(options))] : []
    const opened = createSessions(await connectHost(host, connecting, first), async withinMs => {
      const again = await reconnectHost(host, { ...connecting, withinMs }, first)
      const refusal = locks && lockError(again.session.first[0]!)
      if (refusal) throw refusal
      return again
    })
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
      const remembered = parseRemembered(files().get('handlers'))
      tellRemembered(remembered, locks || options.check, progress)
      for (const { key } of remembered) due.add(key)
      const converging: ConvergeContext = {
        ...options,
        sessions: opened,
        progress,
        due,
        known: new Map(),
        schedule: {
          host: { ...host, facts: opened.main.facts },
          origin: { run: options.run, recipe: options.name },
          selection: createSelection(options.selection ?? everything),
        },
        interrupted: () => interrupts.stop.aborted,
        killed: () => interrupts.kill.aborted,
      }
      const context = createContext({
        ...options,
        host,
        sessions: opened,
        converging,
        state: onceAsked(() => parseState(files(), host.bootstrapDir)),
        progress,
        signal: interrupts.stop,
        kill: interrupts.kill,
        output: value => {
          // A copy, as JSON has it: what can't be said in JSON fails where it is put out.
          data = JSON.parse(JSON.stringify(value) ?? 'null')
        },
      })
      await recipe.run(context)
      // What an earlier run left due and this recipe does not declare.
      const left = remembered.filter(({ key }) => due.has(key))
      if (locks || options.check) await runPlan(plannedOf(left), converging)
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
  if (failure && due.size > 0 && !options.check) {
    progress.warn(
      `${due.size === 1 ? 'a handler is' : `${due.size} handlers are`} due: remembered on the host, to run in its next run`,
    )
  }
  const status: HostStatus = failure
    ? statusOf(failure)
    : progress.counts.changed > 0
      ? 'changed'
      : 'ok'
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
