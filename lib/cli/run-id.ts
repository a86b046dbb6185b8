/** Names of runs. */
import { randomBytes } from 'node:crypto'

/** A new one. It sorts by time, and differs from those of the same moment: 20260131T020000Z-4f3a9c. */
export function runId(): string {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  return `${time}-${randomBytes(3).toString('hex')}`
}
