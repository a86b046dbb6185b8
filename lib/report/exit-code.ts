/**
 * What a command exits with: the one place that decides it. Exit code 2 means that no host was touched:
 * an error of that code that shows later exits with 4. Pure.
 */
import { type BootstrapError, type ExitCode, errorCodes, exitCodes } from '../errors.ts'
import type { HostOutcome } from '../events.ts'

/** When a command ended in several ways, the first of these is its exit code. */
const worstFirst: readonly ExitCode[] = [
  exitCodes.interrupted,
  exitCodes.fault,
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

/** The exit code of an error that came when hosts had been touched. */
const onceTouched = (code: ExitCode): ExitCode =>
  code === exitCodes.usage ? exitCodes.failed : code

/** What came of a run beside the outcomes of its hosts. */
export interface RunEnd {
  check: boolean
  interrupted: boolean
  /** Something failed outside of any host's work. */
  fault?: boolean
  /** The selection took nothing. */
  unmet?: boolean
}

/**
 * The exit code of a run: interrupted above all; then the worst of its hosts' errors; then a fault
 * outside of any host's work; then a selection that took nothing; then, with --check, drift.
 */
export function exitCodeOf(outcomes: readonly HostOutcome[], end: RunEnd): ExitCode {
  if (end.interrupted) return exitCodes.interrupted
  const touched = outcomes.some(({ roundTrips }) => roundTrips > 0)
  const codes = outcomes.flatMap(({ error }) => (error ? [errorCodes[error.code].exit] : []))
  const worst = worstOf(touched ? codes.map(onceTouched) : codes)
  if (worst !== exitCodes.ok) return worst
  if (end.fault) return exitCodes.fault
  // That nothing has a tag is known only when the recipe has run.
  if (end.unmet) return exitCodes.failed
  const changed = outcomes.some(({ status }) => status === 'changed')
  return end.check && changed ? exitCodes.drift : exitCodes.ok
}

/**
 * The exit code of errors, one or several.
 * @param touched whether some host was touched before, or by what failed
 * @param other what the command would exit with without them
 */
export function exitCodeOfErrors(
  errors: readonly BootstrapError[],
  touched: boolean,
  other: ExitCode = exitCodes.ok,
): ExitCode {
  const codes = errors.map(({ exitCode }) => exitCode ?? exitCodes.fault)
  return worstOf([...(touched ? codes.map(onceTouched) : codes), other])
}
