/** The stay of one host's run at another host: its sessions there, its turn, and that host's lock. */
import { InterruptedError, isBootstrapError, StepError, UnreachableError } from '../errors.ts'
import type { Host } from '../inventory/inventory.ts'
import { lockKey } from '../inventory/same-host.ts'
import { withWatchedVars } from '../inventory/view.ts'
import { createEffectKeys } from '../program/effects.ts'
import { parseRemembered, type Remembered } from '../program/remembered.ts'
import type { ScheduleOptions } from '../program/schedule.ts'
import type { Selection } from '../program/selection.ts'
import type { Resource } from '../resources/resource.ts'
import { createLogInAnew } from './confirm.ts'
import type { Execution } from './execution.ts'
import { listenToInterrupts } from './giving-up.ts'
import { checkNotStopped, type Interrupts } from './interrupts.ts'
import type { Job } from './job.ts'
import { createLedger } from './ledger.ts'
import { onlyLooks } from './mode.ts'
import { openSessions, recoveryOf } from './open-sessions.ts'
import { schedulingFor } from './scheduling.ts'
import type { HostSessions } from './sessions.ts'
import { createClaim, takeLock } from './take-lock.ts'
import { watchHost } from './watch.ts'

/** The part of a run that works at other hosts. */
export interface Staying {
  job: Pick<Job, 'mode' | 'world' | 'across'> & { what: { name: string } }
  /** The host for which it is done: its name. */
  forHost: string
  selection: Selection
  /** As of that host. */
  execution: Pick<Execution, 'progress' | 'checkPlanned' | 'once'>
  interrupts: Interrupts
  /** Effects of another round are others; default: the first. */
  round?: number
}

export interface Stay {
  /** The host there. */
  host: Host
  /** Without its lock: for what changes nothing. */
  looking<T>(work: (execution: Execution) => Promise<T>): Promise<T>
  /** With its lock, which is given back at the end; where nothing may be changed, without. */
  working<T>(work: (execution: Execution, scheduling: ScheduleOptions) => Promise<T>): Promise<T>
}

/** How long to wait for each that has a host before us, if nothing else is set. */
const defaultWaitMs = 600_000

/** @param waitMs how long to wait for each that has the host before, in milliseconds */
export function createStay(staying: Staying, there: Host, waitMs?: number): Stay {
  const { job, forHost, selection, execution: own, round = 1 } = staying
  const { what, mode, world, across } = job
  const { timeouts } = world
  const progress = own.progress.elsewhere(there.name)
  const watch = watchHost(
    { ...there, name: forHost },
    world.events,
    world.reporting ?? {},
    progress,
  )
  const names = world.secretVariables ?? new Set<string>()
  const host = withWatchedVars(there, { names, hide: progress.hide })
  const looks = onlyLooks(mode)
  // Conditions may name what an earlier converge has changed; the sessions are others then.
  const known = new Map<Resource, boolean>()
  const foreseen: string[] = []
  const effects = looks
    ? undefined
    : createEffectKeys(
        what.name,
        `${there.name} for ${forHost}${round > 1 ? `, round ${round}` : ''}`,
        progress.redact,
      )
  const executionIn = (sessions: HostSessions, before: readonly Remembered[]): Execution => ({
    host,
    forHost,
    once: own.once,
    mode,
    sessions,
    progress,
    ledger: createLedger(
      sessions,
      looks,
      before.map(({ key }) => key),
      { known, foreseen },
    ),
    interrupts: staying.interrupts,
    effects,
    logInAnew: createLogInAnew(there, world),
    stepTimeoutMs: timeouts.stepMs ?? there.timeouts?.commandMs,
    checkPlanned: own.checkPlanned,
  })
  const schedulingIn = (sessions: HostSessions, before: readonly Remembered[]) =>
    schedulingFor(job, { ...host, facts: sessions.main.facts }, before, selection, progress)
  const guest = () => across.guests.sessions(there).catch(notThere(there, forHost))
  const limitMs = waitMs ?? (timeouts.lockMs > 0 ? timeouts.lockMs : defaultWaitMs)
  const key = lockKey(there)
  return {
    host,
    looking: async work => {
      checkNotStopped(staying.interrupts)
      const over = await guest()
      if (!world.interrupts.stop.aborted)
        return work(executionIn(over, [])).catch(lostThere(there, forHost))
      // Since Ctrl-C that shell skips everything, and this puts a host back.
      return withSessions(staying, there, over, undefined, sessions =>
        work(executionIn(sessions, [])),
      )
    },
    working: async work => {
      checkNotStopped(staying.interrupts)
      const place = { key: looks ? `look ${key}` : key, host: there.name }
      const back = await across.turns.take(
        place,
        { part: forHost, own: false },
        {
          limitMs,
          signal: staying.interrupts.stop,
          waiting: holder =>
            watch.debug?.('lock', `waits for ${holder}, which works at ${there.name}`),
        },
      )
      try {
        const over = await guest()
        const lockMs = looks ? undefined : limitMs
        return await withSessions(staying, there, over, lockMs, (sessions, before) =>
          work(executionIn(sessions, before), schedulingIn(sessions, before)),
        )
      } finally {
        back()
      }
    },
  }
}

/**
 * Sessions of our own, with the host's lock and the handlers that an earlier run left due there.
 * @param lockMs how long to wait for another run; undefined: without the lock
 */
async function withSessions<T>(
  { job, execution: own, forHost, interrupts }: Staying,
  there: Host,
  over: HostSessions,
  lockMs: number | undefined,
  work: (sessions: HostSessions, before: readonly Remembered[]) => Promise<T>,
): Promise<T> {
  const { what, world } = job
  const { connector, timeouts, events, identity, reporting = {} } = world
  const progress = own.progress.elsewhere(there.name)
  const reconnectMs = recoveryOf(there, timeouts)
  const claim = lockMs === undefined ? undefined : createClaim(what.name, identity, reconnectMs > 0)
  const givingUp = listenToInterrupts(interrupts)
  const stay = async () => {
    const watch = watchHost(there, events, reporting, progress)
    const around = { connector, timeouts, interrupts }
    const sessions = await openSessions(
      there,
      around,
      claim,
      reconnectMs,
      progress.warn,
      watch,
      over,
    ).catch(notThere(there, forHost))
    givingUp.attend(sessions)
    let failed = true
    try {
      const files =
        claim && lockMs !== undefined
          ? await takeLock(
              sessions,
              claim,
              { timeouts: { ...timeouts, lockMs }, interrupts },
              progress,
            ).catch(notThere(there, forHost))
          : undefined
      const before = files ? parseRemembered(files().get('handlers')) : []
      const result = await work(sessions, before)
      failed = false
      return result
    } catch (error) {
      return lostThere(there, forHost)(error)
    } finally {
      givingUp.endStop()
      await sessions.close(failed)
    }
  }
  try {
    return await Promise.race([stay(), givingUp.over])
  } finally {
    givingUp.dispose()
  }
}

/** The error of a host that can't be worked at: it can't be reached, or another run has its lock. */
const notThere =
  (there: Host, forHost: string) =>
  (error: unknown): never => {
    if (!isBootstrapError(error) || error instanceof InterruptedError) throw error
    const { message, code, details } = error
    // What comes up only in the recipe, or is ours, says itself what is wrong.
    if (code === 'internal' || code === 'uncertain' || code === 'out_of_files') throw error
    const { hint, output } = details
    throw new StepError('other_host', `${forHost} works at ${there.name}: ${message}`, {
      hint,
      output,
      cause: error,
    })
  }

/** The error of a connection that is lost in the middle: a further attempt of the run goes on with it. */
const lostThere =
  (there: Host, forHost: string) =>
  (error: unknown): never => {
    if (!isBootstrapError(error) || error.code !== 'connection_lost') throw error
    const { message, code, details } = error
    const { hint, output, task, step } = details
    throw new UnreachableError(code, `${forHost} works at ${there.name}: ${message}`, {
      ...{ hint, output, task, step },
      cause: error,
    })
  }
