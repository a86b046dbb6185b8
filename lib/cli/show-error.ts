/** The error that ends a command, on standard error. */
import type { BootstrapError } from '../errors.ts'
import { errorReport, stackOf, thrownError } from '../report/report.ts'
import { formatError } from '../ui/error.ts'
import type { Output } from '../ui/renderer.ts'
import { themeFor } from '../ui/theme.ts'

/**
 * @param verbose whether a fault says how it got there
 * @returns the error as one of ours
 */
export function showError(thrown: unknown, { stderr, env }: Output, verbose: boolean) {
  const error: BootstrapError = thrownError(thrown)
  if (verbose) error.within({ output: stackOf(error) })
  const { color, unicode } = themeFor(stderr, env)
  const { columns } = stderr
  stderr.write(`${formatError(errorReport(error), { color, unicode, columns })}\n`)
  return error
}
