/** `unlock` as events: which hosts were looked at, what was found, and which locks were taken away. */
import { UsageError } from '../errors.ts'
import type { EventStream, HostOutcome } from '../events.ts'
import { describeHolder } from '../host/lock.ts'
import type { HostLock } from '../host/unlock.ts'
import type { Host } from '../inventory/inventory.ts'
import { cleanData, cleanReport } from '../report/clean.ts'
import { exitCodeOf } from '../report/exit-code.ts'
import { createProgress, type Progress } from '../report/progress.ts'
import { errorReport, stackOf, statusOf } from '../report/report.ts'
import type { Redactor } from '../shell/redact.ts'

export interface UnlockAccount {
  /** A host's lock is about to be looked at. The answer takes what was found. */
  look(host: Host): (found: HostLock) => void
  /** A host's lock is about to be taken away. */
  take(host: Host): (taken: HostLock) => void
  /** A live run holds the lock, and nobody confirmed that it may be taken. */
  leave(lock: HostLock): void
  /** Ends the account; call it once. */
  end(): number
}

/** What is known of one host. */
interface HostAccount {
  progress: Progress
  startedAt: number
  found?: HostLock
  unlocked: boolean
  error?: HostLock['error']
  roundTrips: number
}

/**
 * @param run its id, environment and hosts, and who started it
 * @param hidden what no event may show
 * @param verbose with the stack traces of internal errors
 */
export function createUnlockAccount(
  run: {
    id: string
    environment: string
    hosts: readonly Host[]
    by: { owner: string; controller: string }
  },
  events: EventStream,
  hidden: Redactor,
  verbose: boolean,
): UnlockAccount {
  const startedAt = Date.now()
  const accounts = new Map<string, HostAccount>()
  events.emit({
    type: 'run.start',
    run: run.id,
    recipe: 'unlock',
    environment: run.environment,
    args: {},
    check: false,
    hosts: run.hosts.map(({ name }) => name),
    ...run.by,
    attempt: 1,
    batches: [run.hosts.map(({ name }) => name)],
  })
  const accountOf = ({ name }: Host) => {
    let account = accounts.get(name)
    if (!account) {
      const progress = createProgress(name, 'unlock', events, hidden)
      account = { progress, startedAt: Date.now(), unlocked: false, roundTrips: 0 }
      accounts.set(name, account)
      events.emit({ type: 'host.start', host: name })
    }
    return account
  }
  const begin = (host: Host, title: string) => {
    const account = accountOf(host)
    const step = account.progress.own().step(title)
    step.start()
    return { account, step }
  }
  const settle = (account: HostAccount, { error, roundTrips = 0 }: HostLock) => {
    account.roundTrips += roundTrips
    account.error = error
    if (error && verbose) error.within({ output: stackOf(error) })
  }
  return {
    look: host => {
      const { account, step } = begin(host, 'look at the lock')
      return found => {
        settle(account, found)
        account.found = found
        if (found.error) step.end('failed', { error: found.error })
        else step.end('ok', { note: describeLock(found) })
      }
    },
    take: host => {
      const { account, step } = begin(host, 'take the lock away')
      return taken => {
        settle(account, taken)
        account.unlocked = !taken.error
        if (taken.error) step.end('failed', { error: taken.error })
        else step.end('changed')
      }
    },
    leave: ({ host, holder }) => {
      const message = `not taken from a live run: ${describeHolder(holder!)}`
      accountOf(host).error = new UsageError('confirmation_needed', message, {
        host: host.name,
        hint: 'Wait for the run, or take its lock away with --yes.',
      })
    },
    end: () => {
      const outcomes = [...accounts].map(([host, account]) => outcomeOf(host, account))
      for (const outcome of outcomes) events.emit({ type: 'host.end', ...outcome })
      const exitCode = exitCodeOf(outcomes, { check: false, interrupted: false })
      events.emit({
        type: 'run.end',
        run: run.id,
        ok: exitCode === 0,
        exitCode,
        durationMs: Date.now() - startedAt,
        hosts: outcomes,
      })
      return exitCode
    },
  }
}

/** `stale: server.provision by alice@laptop since …` */
export const describeLock = ({ holder }: HostLock) =>
  holder ? `${holder.alive ? 'locked' : 'stale'}: ${describeHolder(holder)}` : 'not locked'

function outcomeOf(host: string, account: HostAccount): HostOutcome {
  const { progress, startedAt, found, unlocked, error, roundTrips } = account
  progress.end()
  return {
    host,
    status: error ? statusOf(error) : unlocked ? 'changed' : 'ok',
    counts: progress.counts,
    durationMs: Date.now() - startedAt,
    // A host says of its lock what it likes.
    data: cleanData(found && { holder: found.holder ?? null, unlocked }, progress.redact),
    error: error && cleanReport(errorReport(error), progress.redact),
    roundTrips,
  }
}
