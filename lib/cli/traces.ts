/** HOSTWRIGHT_TRACE of a command: where traces go. */
import { resolve } from 'node:path'
import { prepareTraceDirectory } from '../session/trace-files.ts'
import type { Place } from './command.ts'

/**
 * The directory for traces, created if it is missing; undefined without HOSTWRIGHT_TRACE.
 * @throws {UsageError} invalid_value: it can't be written to
 */
export function traceDirectory({ env, cwd }: Pick<Place, 'env' | 'cwd'>): string | undefined {
  const { HOSTWRIGHT_TRACE: wanted = '' } = env
  if (wanted === '') return undefined
  const path = resolve(cwd, wanted)
  prepareTraceDirectory(path)
  return path
}
