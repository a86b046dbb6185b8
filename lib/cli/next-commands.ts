/** What a person can do next about a run that did not go well: the exact commands. Pure. */
import type { HostStatus } from '../events.ts'

export interface NextCommand {
  why: string
  command: string
}

/** Whether a host has not come to an end of its own, so that `resume` goes on with it. */
export const isLeft = (status: HostStatus | undefined, code?: string): boolean =>
  status === undefined ||
  status === 'interrupted' ||
  status === 'uncertain' ||
  status === 'skipped' ||
  (status === 'unreachable' && (code === 'connection_lost' || code === 'shell_failed'))

/** Whether `retry` begins a host again. */
export const isRetried = (status: HostStatus | undefined): boolean =>
  status === 'failed' || status === 'unreachable' || status === 'locked'

/** @param hosts how each ended, as far as it did */
export function nextCommands(
  run: string,
  hosts: readonly { status?: HostStatus; error?: { code: string } }[],
): NextCommand[] {
  const left = hosts.some(({ status, error }) => isLeft(status, error?.code))
  // Of a single host the same command line does as well.
  const again = hosts.length > 1 && hosts.some(({ status }) => isRetried(status))
  return [
    ...(left ? [{ why: 'To go on with it', command: `hostwright resume ${run}` }] : []),
    ...(again ? [{ why: 'To run failed hosts again', command: `hostwright retry ${run}` }] : []),
  ]
}
