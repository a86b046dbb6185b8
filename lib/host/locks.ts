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
}

/** How many hosts at a time, and how they are connected to. */
export interface LocksOptions {
  forks: number
  connecting: Connecting
  /** Who looks on at a host. */
  watchFor?: (host: Host) => Watch
}

/** Who holds each host's lock. */
export const showLocks = (hosts: readonly Host[], options: LocksOptions): Promise<HostLock[]> =>
  each(hosts, options, false)

/** Takes each host's lock away from whoever holds it; tells who did. */
export const breakLocks = (hosts: readonly Host[], options: LocksOptions): Promise<HostLock[]> =>
  each(hosts, options, true)

function each(hosts: readonly Host[], options: LocksOptions, take: boolean): Promise<HostLock[]> {
  const limit = pLimit(options.forks)
  return Promise.all(hosts.map(host => limit(() => visit(host, options, take))))
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
    return { host, holder: parseHolder(session.first[0]!.stdout.toString('utf8')) }
  } catch (error) {
    return { host, error: thrownError(error).within({ host: host.name }) }
  }
}
