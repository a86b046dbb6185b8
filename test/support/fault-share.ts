/**
 * Which places of interrupted work are tried: all with HOSTWRIGHT_FAULTS set, else a share that is another one each time. A
 * seed, which failures name, tries the same ones again: HOSTWRIGHT_FAULT_SEED=1a2b3c.
 */
import { randomInt } from 'node:crypto'

/** Whether all are tried. */
export const allFaults = process.env.HOSTWRIGHT_FAULTS !== undefined

const number = Number.parseInt(process.env.HOSTWRIGHT_FAULT_SEED ?? '', 16) || randomInt(1, 2 ** 24)

/** As failures name it. */
export const faultSeed = number.toString(16)

/** Numbers from 0 to below `limit`, the same ones with one seed and stream: mulberry32, by Tommy Ettinger. */
export function seeded(stream: number): (limit: number) => number {
  let state = (number + stream * 0x9e3779b9) >>> 0
  return limit => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit
  }
}
