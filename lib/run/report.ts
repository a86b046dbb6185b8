/** Errors and outcomes as data. Pure. */
import {
  asBootstrapError,
  type BootstrapError,
  exitCodes,
  isBootstrapError,
  StepError,
} from '../errors.ts'
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
  if (isBootstrapError(error) || !(error instanceof Error) || !('exitCode' in error)) {
    return asBootstrapError(error)
  }
  // zx wraps what our transport threw.
  if (error.cause) return asBootstrapError(error.cause)
  const { exitCode, stderr } = error as unknown as { exitCode: number; stderr: string }
  const output = stderr.trimEnd().split('\n').slice(-20).join('\n')
  return new StepError(`exit status ${exitCode}`, { exitStatus: exitCode, output })
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
