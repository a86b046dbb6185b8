/** The lock of a host (lib/remote/lock.sh has the protocol): its calls, and what they answer. */
import { LockedError, StepError } from '../errors.ts'
import type { HostCall, StepResult } from '../session/call.ts'
import { words } from '../session/words.ts'

/** Who asks for the lock; told to whoever is refused. */
export interface LockClaim {
  /** The same run may take the lock twice. */
  run: string
  recipe: string
  /** Person or account. */
  owner: string
  /** Name of the machine that runs the recipe. */
  controller: string
  /** When the run began, ISO 8601. */
  time: string
}

/** Who holds a lock. */
export interface LockHolder extends LockClaim {
  /** Process id on the host. */
  pid: string
  /** False: the process is gone, and the next run takes the lock over. */
  alive: boolean
}

/** The call that takes the lock; sent with a session's first write. */
export function lockCall(claim: LockClaim): HostCall {
  const { run, recipe, owner, controller, time } = claim
  const args = [run, ...words({ recipe, owner, controller, time })]
  return { name: 'hw_lock', args: args.map(oneLine) }
}

export const breakLockCall: HostCall = { name: 'hw_break_lock', args: [] }

export const showLockCall: HostCall = { name: 'hw_show_lock', args: [] }

/** Who holds the lock, by the lines the host sent; undefined: nobody. */
export function parseHolder(text: string): LockHolder | undefined {
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1))
  }
  if (!values.has('pid')) return undefined
  const value = (name: string) => values.get(name) ?? '?'
  return {
    pid: value('pid'),
    run: value('run'),
    recipe: value('recipe'),
    owner: value('owner'),
    controller: value('controller'),
    time: value('time'),
    alive: values.get('alive') !== 'no',
  }
}

/** `server.provision by alice@laptop since 2026-01-31T02:00:00Z (run …, process 123)` */
export function describeHolder(holder: LockHolder): string {
  return `${holder.recipe} by ${holder.owner}@${holder.controller} since ${holder.time} (run ${holder.run}, process ${holder.pid})`
}

/**
 * What a refused claim becomes; undefined if it was granted.
 * @returns {LockedError} another run holds the lock; {StepError} it can't be taken at all
 */
export function lockError(result: StepResult): LockedError | StepError | undefined {
  // `skipped`: the step before it failed, and the host has no lock.
  if (result.status === 'ok') return undefined
  const holder = parseHolder(result.stdout.toString('utf8'))
  if (result.code !== 'locked' || !holder) {
    const said = result.stderr.toString('utf8').trim().split('\n')
    return new StepError('step_failed', said.at(-1) || 'the lock can’t be taken', {
      output: said.slice(0, -1).join('\n') || undefined,
      hint: obstacles.find(([says]) => said.some(line => says.test(line)))?.[1],
    })
  }
  return new LockedError('locked', `locked: ${describeHolder(holder)}`, {
    hint: 'Wait for it with --wait-lock 5m, or see `hostwright unlock`.',
  })
}

/** What keeps a lock from being written, by what the system says of it; and what to do. */
const obstacles: readonly (readonly [says: RegExp, hint: string])[] = [
  [
    /Read-only file system/,
    'bootstrap_dir is on a file system that is read-only: see `mount` there, and `dmesg`: a disk with faults is often made so.',
  ],
  [
    // The shell's own printf says no more than that in some shells.
    /No space left|Disk quota|quota exceeded|I\/O error|Input\/output error|write error/i,
    'The disk of bootstrap_dir may be full: see `df` and `df -i` there.',
  ],
  [
    /Permission denied|Operation not permitted/,
    'The login may not write to bootstrap_dir: log in as root, set ansible_become, or give it a bootstrap_dir of its own.',
  ],
  [
    /File exists|Not a directory/,
    'Something else is in the place of bootstrap_dir: look at it, or name another place.',
  ],
]

const oneLine = (text: string) => text.replace(/[\0-\x1f\x7f]+/g, ' ')
