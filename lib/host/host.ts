/** One host's part in a run: connects, takes the lock, runs the recipe and reports the outcome. */
import type { BootstrapError } from '../errors.ts'
import type { HostOutcome, HostStatus } from '../events.ts'
import type { Host } from '../inventory/inventory.ts'
import { lockKey } from '../inventory/same-host.ts'
import { parseRemembered } from '../program/remembered.ts'
import type { Selection } from '../program/selection.ts'
import type { ArgumentTypes } from '../recipe/arguments.ts'
import { cleanData, cleanReport } from '../report/clean.ts'
import type { Progress } from '../report/progress.ts'
import { errorReport, stackOf, statusOf, thrownError } from '../report/report.ts'
import { warnOfLeft, warnOfRemembered } from './due-warnings.ts'
import { type GivingUp, listenToInterrupts } from './giving-up.ts'
import type { Job } from './job.ts'
import type { Ledger } from './ledger.ts'
import { onlyLooks } from './mode.ts'
import { openSessions, recoveryOf } from './open-sessions.ts'
import { lookAtPlanned, perform, type Visit } from './run-recipe.ts'
import type { HostSessions } from './sessions.ts'
import { createClaim, takeLock } from './take-lock.ts'
import { watchHost } from './watch.ts'

/** What is known about a host so far, for its outcome. */
interface Account {
  sessions?: HostSessions
  ledger?: Ledger
  /** Keys of the handlers that an earlier run left due. */
  before: ReadonlySet<string>
  /** What the recipe passed to `output`. */
  data?: unknown
  over: boolean
}

/**
 * Runs a recipe on one host. Never throws.
 * @param selection which resources of the recipe to run
 */
export async function runHost<A extends ArgumentTypes>(
  host: Host,
  job: Job<A>,
  progress: Progress,
  selection: Selection,
): Promise<HostOutcome> {
  const { events, reporting } = job.world
  const startedAt = Date.now()
  const account: Account = { before: new Set(), over: false }
  events.emit({ type: 'host.start', host: host.name })
  const givingUp = listenToInterrupts(job.world.interrupts)
  let failure: BootstrapError | undefined
  try {
    const visiting = inTurn(host, job, () =>
      visitHost(host, job, progress, selection, account, givingUp),
    )
    await Promise.race([visiting, givingUp.over])
  } catch (error) {
    // Once the connection is dropped, that it is lost is no news.
    failure = givingUp.error ?? thrownError(error)
    if (reporting?.verbose) failure.within({ output: stackOf(failure) })
  }
  givingUp.dispose()
  account.over = true
  job.across.onces.left(host.name)
  progress.end()
  // A successful run may leave handlers due too: its recipe may catch failures.
  const left = [...(account.ledger?.due ?? [])].filter(key => failure || !account.before.has(key))
  if (!onlyLooks(job.mode)) warnOfLeft(left.length, progress)
  const done: HostStatus = progress.counts.changed > 0 ? 'changed' : 'ok'
  const outcome: HostOutcome = {
    host: host.name,
    status: failure ? statusOf(failure) : done,
    counts: progress.counts,
    durationMs: Date.now() - startedAt,
    data: cleanData(account.data, progress.redact),
    error: failure && cleanReport({ ...errorReport(failure), host: host.name }, progress.redact),
    roundTrips: account.sessions?.roundTrips ?? 0,
  }
  events.emit({ type: 'host.end', ...outcome })
  return outcome
}

const takesLock = <A extends ArgumentTypes>({ what, mode }: Job<A>) =>
  what.recipe.lock(what.args) && !onlyLooks(mode)

/** What other hosts of the run do here ends before its own part begins, and the next waits until that has ended. */
async function inTurn<A extends ArgumentTypes>(
  host: Host,
  job: Job<A>,
  visit: () => Promise<void>,
): Promise<void> {
  if (!takesLock(job)) return visit()
  const { across, world } = job
  const back = await across.turns.take(
    { key: lockKey(host), host: host.name },
    { part: host.name, own: true },
    { limitMs: ownTurnMs, signal: world.interrupts.stop },
  )
  try {
    await visit()
  } finally {
    back()
  }
}

/** How long its own part waits for each that works at a host, in milliseconds: those end by themselves. */
const ownTurnMs = 3_600_000

async function visitHost<A extends ArgumentTypes>(
  host: Host,
  job: Job<A>,
  progress: Progress,
  selection: Selection,
  account: Account,
  givingUp: GivingUp,
): Promise<void> {
  const { what, mode, world } = job
  const locks = takesLock(job)
  const warn = (message: string) => {
    if (!account.over) progress.warn(message)
  }
  const watch = watchHost(host, world.events, world.reporting ?? {}, progress)
  const beganAt = Date.now()
  const reconnectMs = recoveryOf(host, world.timeouts)
  const claim = locks ? createClaim(what.name, world.identity, reconnectMs > 0) : undefined
  const sessions = await openSessions(host, world, claim, reconnectMs, warn, watch)
  account.sessions = sessions
  job.across.facts.set(host.name, sessions.main.facts)
  givingUp.attend(sessions)
  let failed = true
  try {
    const files = claim
      ? await takeLock(sessions, claim, world, progress)
      : () => sessions.main.stateFiles
    const afterMs = Date.now() - beganAt
    watch.debug?.('lock', describeLock(locks, onlyLooks(mode), afterMs))
    const remembered = what.leavesHandlers ? [] : parseRemembered(files().get('handlers'))
    account.before = new Set(remembered.map(({ key }) => key))
    warnOfRemembered(remembered, locks || onlyLooks(mode), progress)
    const visit: Visit = {
      host,
      sessions,
      files,
      remembered,
      output: value => {
        // A copy in JSON: data that is not JSON fails in the recipe's own line.
        account.data = JSON.parse(JSON.stringify(value) ?? 'null')
      },
    }
    if (mode.kind === 'replay') await lookAtPlanned(visit, job, mode, progress)
    await perform(visit, job, progress, selection, ledger => {
      account.ledger = ledger
    })
    failed = false
  } finally {
    givingUp.endStop()
    // Work that the recipe did not await ends before the host does; after a failure nothing more begins.
    await sessions.close(failed)
  }
}

const describeLock = (taken: boolean, check: boolean, afterMs: number) =>
  taken
    ? `taken, ${afterMs} ms after the host's work began`
    : `not taken: ${check ? 'nothing is changed' : 'the recipe takes none'}`
