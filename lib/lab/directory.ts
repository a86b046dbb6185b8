/** The directory of a lab. */
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** The directory of the default lab: $HOSTWRIGHT_LAB, or one per user. */
export function defaultLabDirectory(): string {
  const user = process.getuid?.() ?? 'user'
  return resolve(process.env.HOSTWRIGHT_LAB || join(tmpdir(), `hostwright-lab-${user}`))
}
