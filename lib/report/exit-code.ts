/**
 * The only place that decides a command's exit code. Exit code 2 means that no host was touched:
 * if hosts were touched, such an error exits with 4. Pure.
 */
import { type BootstrapError, type ExitCode, exitCodes, exitOf } from '../errors.ts'
import type { HostOutcome } from '../events.ts'

/** If several exit codes apply, the first of these wins. */
const worstFirst: readonly ExitCode[] = [
  exitCodes.interrupted,
  exitCodes.paused,
  exitCodes.fault,
  exitCodes.uncertain,
  exitCodes.failed,
  exitCodes.unreachable,
  exitCodes.locked,
  exitCodes.usage,
  exitCodes.drift,
]

const worstOf = (codes: Iterable<ExitCode>): ExitCode => {
  const all = new Set(codes)
  return worstFirst.find(code => all.has(code)) ?? exitCodes.ok
}

/** The exit code of an error after hosts were touched. */
const onceTouched = (code: ExitCode): ExitCode =>
  code === exitCodes.usage ? exitCodes.failed : code

/** How a run ended, apart from its hosts' outcomes. */
export interface RunEnd {
  check: boolean
  interrupted: boolean
  /** The rollout waits for a person: whatever failed until now, it is not over. */
  paused?: boolean
  /** Not all of it was done: aborted, or by a gate. */
  stopped?: boolean
  /** Something failed outside of any host's work. */
  fault?: boolean
  /** A tag or --start-at matched nothing. */
  unmet?: boolean
}

/**
 * The exit code of a run. In order of priority: interrupted; paused; the worst of its hosts' errors; a fault
 * outside of any host's work; a selection that matched nothing; with --check, drift.
 */
export function exitCodeOf(outcomes: readonly HostOutcome[], end: RunEnd): ExitCode {
  if (end.interrupted) return exitCodes.interrupted
  if (end.paused) return exitCodes.paused
  const touched = outcomes.some(({ roundTrips }) => roundTrips > 0)
  const codes = outcomes.flatMap(({ error }) => (error ? [exitOf(error.code)] : []))
  const worst = worstOf(touched ? codes.map(onceTouched) : codes)
  if (worst !== exitCodes.ok) return worst
  if (end.fault) return exitCodes.fault
  // Not 2: that nothing matched is known only after the recipe has run.
  if (end.unmet || end.stopped) return exitCodes.failed
  const changed = outcomes.some(({ status }) => status === 'changed')
  return end.check && changed ? exitCodes.drift : exitCodes.ok
}

/**
 * The exit code of errors, one or several.
 * @param touched whether a host was touched, before the errors or by what failed
 * @param other the command's exit code without these errors
 */
export function exitCodeOfErrors(
  errors: readonly BootstrapError[],
  touched: boolean,
  other: ExitCode = exitCodes.ok,
): ExitCode {
  const codes = errors.map(({ exitCode }) => exitCode ?? exitCodes.fault)
  return worstOf([...(touched ? codes.map(onceTouched) : codes), other])
}
