/** Shows hosts' locks, and breaks them. */
import pLimit from 'p-limit'
import { type BootstrapError, StepError } from '../errors.ts'
import type { Host } from '../inventory/inventory.ts'
import { thrownError } from '../report/report.ts'
import { lastLines } from '../report/step-error.ts'
import type { Watch } from '../session/watch.ts'
import { type Connecting, connectHost } from './connect.ts'
import { breakLockCall, type LockHolder, parseHolder, showLockCall } from './lock.ts'

/** The lock of one host. */
export interface HostLock {
  host: Host
  /** Undefined: the lock is free. */
  holder?: LockHolder
  error?: BootstrapError
  roundTrips?: number
}

/** Called when a host's turn comes; the function that it returns is called with the host's lock. */
export type OnHost = (host: Host) => (lock: HostLock) => void

/** How many hosts at a time, and how to connect to them. */
export interface LocksOptions {
  forks: number
  connecting: Connecting
  /** Observers of a host. */
  watchFor?: (host: Host) => Watch
}

const unwatched: OnHost = () => () => {}

/** Finds who holds each host's lock. */
export const showLocks = (
  hosts: readonly Host[],
  options: LocksOptions,
  onHost: OnHost = unwatched,
): Promise<HostLock[]> => each(hosts, options.forks, onHost, host => visit(host, options, false))

/** Breaks each host's lock, and returns who held it. */
export const breakLocks = (
  hosts: readonly Host[],
  options: LocksOptions,
  onHost: OnHost = unwatched,
): Promise<HostLock[]> => each(hosts, options.forks, onHost, host => visit(host, options, true))

function each(
  hosts: readonly Host[],
  forks: number,
  onHost: OnHost,
  work: (host: Host) => Promise<HostLock>,
): Promise<HostLock[]> {
  const limit = pLimit(forks)
  return Promise.all(
    hosts.map(host =>
      limit(async () => {
        const done = onHost(host)
        const lock = await work(host)
        done(lock)
        return lock
      }),
    ),
  )
}

async function visit(host: Host, options: LocksOptions, take: boolean): Promise<HostLock> {
  try {
    const { connector, timeoutMs, interrupts, warn } = options.connecting
    const watch = options.watchFor?.(host)
    const connecting = { connector, timeoutMs, interrupts, warn, watch }
    const first = take ? [showLockCall, breakLockCall] : [showLockCall]
    const { session } = await connectHost(host, connecting, first)
    await session.close()
    // If the state can't be read, nor was the lock: then this getter throws the reason.
    if (session.first.some(result => result.status === 'skipped')) session.stateFiles
    const failed = session.first.find(result => result.status === 'failed')
    if (failed) throw new StepError(lastLines(failed.stderr, 1) || 'the lock can’t be read')
    const holder = parseHolder(session.first[0]!.stdout.toString('utf8'))
    return { host, holder, roundTrips: session.roundTrips }
  } catch (error) {
    return { host, error: thrownError(error).within({ host: host.name }) }
  }
}
