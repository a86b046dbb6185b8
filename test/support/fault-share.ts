/**
 * Which places of interrupted work are tried: all with HOSTWRIGHT_FAULTS set, else a share. A seed draws it, which failures
 * name: HOSTWRIGHT_FAULT_SEED=1a2b3c, or `random`. Without one it is the same share each time, so that no change is
 * refused for a fault that it did not bring.
 */
import { randomInt } from 'node:crypto'

/** Whether all are tried. */
export const allFaults = process.env.HOSTWRIGHT_FAULTS !== undefined

const given = process.env.HOSTWRIGHT_FAULT_SEED ?? '77'
const number = given === 'random' ? randomInt(2 ** 24) : Number.parseInt(given, 16)

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
