/** Where a lab is. */
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

/** The directory of the one lab that needs no name: $HOSTWRIGHT_LAB, or one for each user. */
export function defaultLabDirectory(): string {
  const user = process.getuid?.() ?? 'user'
  return resolve(process.env.HOSTWRIGHT_LAB || join(tmpdir(), `hostwright-lab-${user}`))
}
