/** Resources as plain calls, and calls that no resource makes. */
import { createHash } from 'node:crypto'
import type { Content, HostCall } from '../../lib/session/call.ts'

/** The same call without what a segment finds out beforehand: each step asks for itself. */
export const ungathered = (call: HostCall): HostCall => ({ ...call, gather: undefined })

/** A bare command, by `sh` unless you say otherwise. */
export function runCall(
  command: string,
  options: {
    shell?: string
    directory?: string
    env?: readonly string[]
    input?: string | Buffer
  } = {},
): HostCall {
  const { shell = 'sh', directory = '', env = [], input } = options
  return {
    name: 'hw_run',
    args: [shell, directory, input === undefined ? '' : 'yes', command, ...env],
    input: input === undefined ? undefined : Buffer.from(input),
  }
}

/** Content by its SHA-256. */
export function contentOf(value: string | Buffer): Content {
  const bytes = Buffer.from(value)
  return { bytes, sha256: createHash('sha256').update(bytes).digest('hex') }
}
