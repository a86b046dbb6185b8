/** What a person can do next about a run that did not go well: the exact commands. Pure. */
import type { HostStatus } from '../events.ts'

export interface NextCommand {
  why: string
  command: string
}

/** How a host ended. */
export interface Ending {
  status?: HostStatus
  error?: { code: string }
  /** How often it has answered. */
  roundTrips?: number
  /** In which attempt. */
  attempt?: number
}

/**
 * Whether a host has not come to an end of its own, so that `resume` goes on with it. A further attempt begins only what
 * is left: a host that it can't get at is left still, as what an earlier one began there is known to the run alone. So is
 * one whose work at another host (`on()`) failed as that could not be got at.
 */
export const isLeft = ({ status, error, roundTrips = 0, attempt = 1 }: Ending): boolean =>
  status === undefined ||
  status === 'interrupted' ||
  status === 'uncertain' ||
  status === 'skipped' ||
  error?.code === 'other_host' ||
  (status === 'unreachable' &&
    (roundTrips > 0 || error?.code === 'connection_lost' || error?.code === 'shell_failed')) ||
  (attempt > 1 && (status === 'unreachable' || status === 'locked'))

/** Whether `retry` begins a host again. */
export const isRetried = (status: HostStatus | undefined): boolean =>
  status === 'failed' || status === 'unreachable' || status === 'locked'

/** What is left of a run beside its hosts. */
export interface RunLeft {
  /** What it waits for, if it is paused. */
  paused?: string
  /** It did not get to its end. */
  lost?: boolean
  /** What is to be done after hosts: `after batch 2`. */
  due?: readonly string[]
  /** It was aborted, or went back: no host begins any more. */
  over?: boolean
}

/** @param hosts how each ended, as far as it did */
export function nextCommands(
  run: string,
  hosts: readonly Ending[],
  { paused, lost = false, due = [], over = false }: RunLeft = {},
): NextCommand[] {
  if (paused !== undefined)
    return [
      { why: `Paused (${paused}). To go on`, command: `hostwright continue ${run}` },
      { why: 'To end it, or to go back too', command: `hostwright abort ${run} [--rollback]` },
    ]
  const left = due.length > 0 ? `Not done: ${due.join(', ')}. To go on` : 'To go on with it'
  if (over) return due.length > 0 ? [{ why: left, command: `hostwright abort ${run}` }] : []
  const goesOn = lost || due.length > 0 || hosts.some(isLeft)
  // Of a single host the same command line does as well.
  const again = hosts.length > 1 && hosts.some(({ status }) => isRetried(status))
  return [
    ...(goesOn ? [{ why: left, command: `hostwright resume ${run}` }] : []),
    ...(again ? [{ why: 'To run failed hosts again', command: `hostwright retry ${run}` }] : []),
  ]
}
