/** Names of runs, and who starts them. */
import { randomBytes } from 'node:crypto'
import { hostname } from 'node:os'
import { accountName } from '../host/account-name.ts'
import type { Place } from './command.ts'

/** A new one. It sorts by time, and differs from those of the same moment: 20260131T020000Z-4f3a9c. */
export function runId(): string {
  const time = new Date().toISOString().replace(/[-:]|\.\d+/g, '')
  return `${time}-${randomBytes(3).toString('hex')}`
}

/** The person or account, and the machine. */
export const whoStarts = ({ env }: Pick<Place, 'env'>) => ({
  owner: env.SUDO_USER || accountName(),
  controller: hostname(),
})
