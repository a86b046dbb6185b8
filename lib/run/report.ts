/** Errors and outcomes as data. Pure. */
import { asBootstrapError, type BootstrapError, exitCodes } from '../errors.ts'
import type { ErrorReport, HostOutcome, HostStatus } from '../events.ts'

/** An error as events carry it. */
export function errorReport(error: BootstrapError): ErrorReport {
  const { cause: _, ...details } = error.details
  return { code: error.code, message: error.message, ...defined(details) }
}

/**
 * Anything a recipe threw as one of our errors. A failed `$` becomes a failed step: zx's own error has
 * the output.
 */
export function thrownError(error: unknown): BootstrapError {
  const output = error as { name?: string; cause?: unknown; exitCode?: unknown }
  // zx wraps what our transport threw.
  if (error instanceof Error && 'exitCode' in output && output.cause)
    return asBootstrapError(output.cause)
  return asBootstrapError(error)
}

/** What a host that ended with this error counts as. */
export function statusOf(error: BootstrapError): HostStatus {
  switch (error.exitCode) {
    case exitCodes.unreachable:
      return 'unreachable'
    case exitCodes.locked:
      return 'locked'
    case exitCodes.interrupted:
      return 'interrupted'
    default:
      return 'failed'
  }
}

/**
 * The exit code of a run: interrupted above all; then a fault of ours, a failed step, an unreachable
 * host, a lock; then, with --check, drift.
 */
export function exitCodeOf(
  outcomes: readonly HostOutcome[],
  options: { check: boolean; interrupted: boolean },
): number {
  if (options.interrupted) return exitCodes.interrupted
  const has = (status: HostStatus) => outcomes.some(outcome => outcome.status === status)
  const fault = outcomes.some(outcome => outcome.error?.code === 'internal')
  if (fault) return exitCodes.fault
  if (has('failed')) return exitCodes.failed
  if (has('unreachable')) return exitCodes.unreachable
  if (has('locked')) return exitCodes.locked
  return options.check && has('changed') ? exitCodes.drift : exitCodes.ok
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, each]) => each !== undefined),
  ) as Partial<T>
}
