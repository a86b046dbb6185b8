/** Numbers that a seed makes again. */
import { createHash } from 'node:crypto'

export interface Random {
  /** A whole number from 0 to below `count`. */
  below(count: number): number
  /** Whether it happens, of what happens with this chance. */
  chance(of: number): boolean
  one<T>(list: readonly T[]): T
}

/** By SHA-256 of the seed and a counter: any text does as a seed. */
export function randomOf(seed: string): Random {
  let count = 0
  const next = () => {
    const hash = createHash('sha256').update(`${seed} ${count++}`).digest()
    return hash.readUInt32BE(0) / 2 ** 32
  }
  const below = (limit: number) => Math.floor(next() * limit)
  return { below, chance: of => next() < of, one: list => list[below(list.length)]! }
}
