/** What the hosts of one run know of each other. */
import type { Facts } from '../session/first-facts.ts'

export interface Across {
  /** What sessions have reported of their hosts, by name. */
  readonly facts: Map<string, Facts>
}

/** For one run. */
export const createAcross = (): Across => ({ facts: new Map() })
