/** What a run's connections carry, counted, and a place in it. */
import type { CuttingProxy, Passing } from '../cutting-proxy.ts'

export type From = Passing['from']

/** A frame is what one side sent at once. */
export interface Passed {
  frames: number
  bytes: number
}

/** After so much from one side, over all connections. */
export interface WirePlace {
  from: From
  unit: keyof Passed
  after: number
}

export interface Wire {
  proxy: CuttingProxy
  /** Since `arm`. */
  readonly passed: Readonly<Record<From, Passed>>
  /**
   * Counts from the beginning again, for one place.
   * @param reached called there, once; what comes after the place waits until it settles
   */
  arm(place?: WirePlace, reached?: () => Promise<void>): void
}

export function tap(proxy: CuttingProxy): Wire {
  const passed = { client: { frames: 0, bytes: 0 }, server: { frames: 0, bytes: 0 } }
  let aim: { place: WirePlace; reached: () => Promise<void> } | undefined
  proxy.rule = ({ from, chunk }) => {
    const count = passed[from]
    const comes = { frames: 1, bytes: chunk.length }
    if (
      aim?.place.from === from &&
      count[aim.place.unit] + comes[aim.place.unit] > aim.place.after
    ) {
      const { place, reached } = aim
      aim = undefined
      const after = place.unit === 'bytes' ? place.after - count.bytes : 0
      count.bytes += after
      // What is before the place passes first.
      return { hold: Promise.resolve().then(reached), after }
    }
    count.frames++
    count.bytes += chunk.length
    return undefined
  }
  return {
    proxy,
    passed,
    arm: (place, reached = async () => {}) => {
      for (const count of Object.values(passed)) Object.assign(count, { frames: 0, bytes: 0 })
      aim = place && { place, reached }
    },
  }
}
