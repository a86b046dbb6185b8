/** Looking at hosts' locks, and taking them away. */
import pLimit from 'p-limit'
import { type BootstrapError, StepError } from '../errors.ts'
import type { Host } from '../inventory/inventory.ts'
import { thrownError } from '../report/report.ts'
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

/** Called when a host's turn comes; what it returns, with what came of it. */
export type OnHost = (host: Host) => (lock: HostLock) => void

/** How many hosts at a time, and how they are connected to. */
export interface LocksOptions {
  forks: number
  connecting: Connecting
  /** Who looks on at a host. */
  watchFor?: (host: Host) => Watch
}

const unwatched: OnHost = () => () => {}

/** Who holds each host's lock. */
export const showLocks = (
  hosts: readonly Host[],
  options: LocksOptions,
  onHost: OnHost = unwatched,
): Promise<HostLock[]> => each(hosts, options.forks, onHost, host => visit(host, options, false))

/** Takes each host's lock away from whoever holds it, and returns who did. */
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
    // Where the state can't be looked at, the lock was not: the getter says why.
    if (session.first.some(result => result.status === 'skipped')) session.stateFiles
    const failed = session.first.find(result => result.status === 'failed')
    if (failed)
      throw new StepError(failed.stderr.toString('utf8').trim() || 'the lock can’t be read')
    const holder = parseHolder(session.first[0]!.stdout.toString('utf8'))
    return { host, holder, roundTrips: session.roundTrips }
  } catch (error) {
    return { host, error: thrownError(error).within({ host: host.name }) }
  }
}
