/** Errors and outcomes as data. Pure. */
import {
  asBootstrapError,
  BootstrapError,
  type ErrorCode,
  errorCodes,
  exitCodes,
  isBootstrapError,
  outOfFiles,
  StepError,
} from '../errors.ts'
import type { ErrorReport, HostStatus, StepStatus } from '../events.ts'
import { isProjects, siteIn } from '../resources/call-site.ts'
import type { FailedCommand, ProcessOutput } from '../session/dollar.ts'

/** An error as events carry it. */
export function errorReport(error: BootstrapError): ErrorReport {
  const { cause: _, ...details } = error.details
  return { code: error.code, message: error.message, ...defined(details) }
}

/** The title of a `$` command: its first line. */
export const commandTitle = (command: string) =>
  `$ ${command.trim().split('\n', 1)[0]!.slice(0, 200)}`

/** What a failed `$` throws: zx's ProcessOutput, with what session/dollar.ts adds. */
type FailedOutput = Pick<ProcessOutput, 'exitCode' | 'signal' | 'stdout' | 'stderr'> &
  Partial<FailedCommand>

/**
 * Converts anything that a recipe threw into one of our errors. A failed `$` becomes a failed step, any other
 * foreign error an `internal` one, with its place.
 */
export function thrownError(error: unknown): BootstrapError {
  // Also where it was taken for something else: a file that can't be read, a program that is missing.
  return outOfFiles(error) ?? knownError(error)
}

function knownError(error: unknown): BootstrapError {
  if (isBootstrapError(error) || !(error instanceof Error)) return asBootstrapError(error)
  if (!('exitCode' in error)) return faultOf(error)
  // zx wraps what our transport threw.
  if (error.cause) return asBootstrapError(error.cause)
  const { exitCode, signal, stdout, stderr, command, title, at } = error as unknown as FailedOutput
  const said = (stderr.trim() === '' ? stdout : stderr).trimEnd()
  return new StepError(signal ? `ended by ${signal}` : `exit status ${exitCode}`, {
    step: title ?? (command === undefined ? undefined : commandTitle(command)),
    command: title === undefined ? command : undefined,
    exitStatus: exitCode ?? undefined,
    output: said.split('\n').slice(-20).join('\n') || undefined,
    at,
  })
}

const faultOf = (error: Error): BootstrapError =>
  new BootstrapError('internal', error.message || error.name, {
    cause: error,
    at: siteIn(error.stack),
    hint: isProjects(error.stack)
      ? 'The fault is in the recipe, or in a module that it uses: fix that line. `--verbose` shows the stack trace.'
      : errorCodes.internal.next,
  })

/** The stack trace of an `internal` error, one line per call; undefined for other errors. */
export function stackOf({ code, details: { cause } }: BootstrapError): string | undefined {
  if (code !== 'internal' || !(cause instanceof Error)) return undefined
  const calls = cause.stack?.split('\n').filter(line => /^ {4}at /.test(line))
  return calls?.map(line => line.trim()).join('\n')
}

/** The status of a host that ended with this error. */
export function statusOf(error: BootstrapError): HostStatus {
  switch (error.exitCode) {
    case exitCodes.unreachable:
      return 'unreachable'
    case exitCodes.locked:
      return 'locked'
    case exitCodes.uncertain:
      return 'uncertain'
    case exitCodes.interrupted:
      return 'interrupted'
    default:
      return 'failed'
  }
}

/** The status of a step that began and ended with this error. */
export function stepStatusOf({ code, details: { cause } }: BootstrapError): StepStatus {
  // Something else came while the connection was to be made again.
  if (endless.has(code) || (isBootstrapError(cause) && endless.has(cause.code))) return 'unknown'
  return code === 'interrupted' ? 'skipped' : 'failed'
}

/** Errors after which nobody knows how a step ended. */
const endless: ReadonlySet<ErrorCode> = new Set(['uncertain', 'connection_lost', 'shell_failed'])

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(
    Object.entries(value).filter(([, each]) => each !== undefined),
  ) as Partial<T>
}
