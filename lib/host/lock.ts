/** The lock of a host: its calls and their answers. The protocol is in lib/remote/lock.sh. */
import { LockedError, StepError } from '../errors.ts'
import type { HostCall, StepResult } from '../session/call.ts'
import { oneLine, words } from '../session/words.ts'
import { printable } from '../shell/nearest.ts'

/** Who asks for the lock; shown to others while the lock is held. */
export interface LockClaim {
  /** Id of the run. Only what it began itself does not keep it out, once the session that began that has ended. */
  run: string
  /** Which attempt of the run. A later one takes the lock from the shell of an earlier one that waits for a command. */
  attempt: number
  recipe: string
  /** Person or account. */
  owner: string
  /** Name of the machine that runs the recipe. */
  controller: string
  /** When the run began, ISO 8601. */
  time: string
  /**
   * A word that only this part of the run knows: with it the lock can be taken again, after its connection was lost.
   * Undefined: it can't.
   */
  session?: string
}

/** Who holds a lock. */
export interface LockHolder extends Omit<LockClaim, 'session'> {
  /** Process id on the host. */
  pid: string
  /** False: the process has ended, and the next run takes over the lock. */
  alive: boolean
  /** Seconds since the host last heard its controller. */
  silentSeconds?: number
  /** It is in another PID namespace, so the host can't tell whether it is alive; it counts as alive. */
  away?: boolean
}

/**
 * The call that takes the lock; it goes with a session's first write.
 * @param again the session had it before its connection was lost
 * @param silence seconds after which a holder that hears nothing has ended, if not the host's own number
 */
export function lockCall(claim: LockClaim, again?: 'again', silence?: number): HostCall {
  const { run, attempt, recipe, owner, controller, time, session } = claim
  const args = [
    run,
    ...words({ attempt, recipe, owner, controller, time, session, again, silence }),
  ]
  return { name: 'hw_lock', args: args.map(oneLine) }
}

export const breakLockCall: HostCall = { name: 'hw_break_lock', args: [] }

export const showLockCall: HostCall = { name: 'hw_show_lock', args: [] }

/** Parses the lines that the host sent; undefined: nobody holds the lock. */
export function parseHolder(text: string): LockHolder | undefined {
  const values = new Map<string, string>()
  for (const line of text.split('\n')) {
    const at = line.indexOf('=')
    if (at > 0) values.set(line.slice(0, at), line.slice(at + 1))
  }
  if (!values.has('pid')) return undefined
  // Whoever writes to the host wrote this.
  const value = (name: string) => printable(values.get(name) ?? '?').slice(0, longestField)
  const silent = values.get('silent') ?? ''
  return {
    pid: value('pid'),
    run: value('run'),
    attempt: Number(values.get('attempt')) || 1,
    recipe: value('recipe'),
    owner: value('owner'),
    controller: value('controller'),
    time: value('time'),
    alive: values.get('alive') !== 'no',
    ...(/^\d{1,9}$/.test(silent) && { silentSeconds: Number(silent) }),
    ...(values.get('alive') === 'away' && { away: true }),
  }
}

/** Commands of earlier runs that began on the host, and whose end nobody knows, in the answer of a claim that was granted. */
export function unknownEnds({ stdout }: StepResult): { run: string; title: string }[] {
  return stdout
    .toString('utf8')
    .split('\n')
    .flatMap(line => {
      const found = /^left=([\w-]+) (.*)$/.exec(line)
      if (!found) return []
      const [, run = '', title = ''] = found
      return [{ run, title: printable(title).slice(0, longestField) }]
    })
}

/** A change of an earlier session that nobody confirmed, and what came of it, in the answer of a claim that was granted. */
export function putBack({ stdout }: StepResult): { done: boolean; run: string; title: string }[] {
  return stdout
    .toString('utf8')
    .split('\n')
    .flatMap(line => {
      const found = /^back=(reverted|failed) ([\w-]*) (.*)$/.exec(line)
      if (!found) return []
      const [, state, run = '', title = ''] = found
      return [{ done: state === 'reverted', run, title: printable(title).slice(0, longestField) }]
    })
}

/**
 * Whether a claim was refused because the shell that this session had before its connection was lost still runs a
 * step: it ends after that.
 */
export const isOwnShell = ({ code, stdout }: StepResult): boolean =>
  code === 'locked' && /^own=yes$/m.test(stdout.toString('utf8'))

/** Ids of the steps that had changed something, in the answer of a claim that was granted again. */
export function changedBefore({ stdout }: StepResult): ReadonlySet<number> {
  const found = /^changed=([\d ]*)$/m.exec(stdout.toString('utf8'))
  return new Set(found?.[1]?.split(' ').filter(Boolean).map(Number))
}

/** Longer than any that we write. */
const longestField = 200

/** `server.provision by alice@laptop since 2026-01-31T02:00:00Z (run …, process 123), silent for 75 s` */
export function describeHolder(holder: LockHolder): string {
  const { alive, silentSeconds = 0, away } = holder
  const silence = alive && silentSeconds >= worthSaying ? `, silent for ${silentSeconds} s` : ''
  const where = away ? ' of another PID namespace' : ''
  return `${holder.recipe} by ${holder.owner}@${holder.controller} since ${holder.time} (run ${holder.run}, process ${holder.pid}${where})${silence}`
}

/** In seconds: two of the lines by which a host hears its controller, which may be late. */
const worthSaying = 30

/**
 * The error of a claim; undefined if it was granted.
 * @returns LockedError: another run holds the lock; StepError: it can't be taken at all
 */
export function lockError(result: StepResult): LockedError | StepError | undefined {
  // `skipped` means that the step before it failed: then nothing is locked.
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
    hint: holder.away
      ? 'From here nobody can tell whether that process is alive: it is one of another container, or of an earlier start of this one. If that run is over, take its lock away with `hostwright unlock --yes`.'
      : 'Wait for it with --wait-lock 5m, or see `hostwright unlock`.',
  })
}

/** Why a lock can't be written, by the system's message, and what to do. */
const obstacles: readonly (readonly [says: RegExp, hint: string])[] = [
  [
    /Read-only file system/,
    'bootstrap_dir is on a read-only file system: check `mount` and `dmesg` on the host. Linux often makes a faulty disk read-only.',
  ],
  [
    // The built-in printf of some shells reports no more than this.
    /No space left|Disk quota|quota exceeded|I\/O error|Input\/output error|write error/i,
    'The disk of bootstrap_dir may be full: check `df` and `df -i` on the host.',
  ],
  [
    /Permission denied|Operation not permitted/,
    'The login may not write to bootstrap_dir: log in as root, set ansible_become, or set another bootstrap_dir.',
  ],
  [
    /File exists|Not a directory/,
    'Something else exists at the path of bootstrap_dir: check it, or set another bootstrap_dir.',
  ],
]
