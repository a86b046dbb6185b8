/** Which hosts come first. Pure. */
import type { Host } from '../inventory/inventory.ts'
import type { Order } from './policy.ts'

/** The hosts in their order; one without the variable that they are spread over counts as having an empty value. */
export function orderHosts(hosts: readonly Host[], order: Order): Host[] {
  switch (order.by) {
    case 'inventory':
      return [...hosts]
    case 'shuffled':
      return shuffle(hosts, order.seed)
    case 'spread':
      return spread(hosts, host => host.vars.maybeText(order.over) ?? '')
  }
}

/** The hosts of each of these groups, then those of none. A host of several comes with the first. */
export function inOrder(hosts: readonly Host[], order: readonly string[]): Host[][] {
  const left = new Set(hosts)
  const groups = order.map(name => [...left].filter(host => host.groups.includes(name)))
  for (const [at, group] of groups.entries()) groups[at] = group.filter(host => left.delete(host))
  return [...groups, [...left]].filter(group => group.length > 0)
}

/** One of each value in turn, in the order in which the values come first; within a value the order stays. */
export function spread<T>(items: readonly T[], keyOf: (item: T) => string): T[] {
  const byValue = new Map<string, T[]>()
  for (const item of items) {
    const value = keyOf(item)
    byValue.set(value, [...(byValue.get(value) ?? []), item])
  }
  const rows = Math.max(0, ...[...byValue.values()].map(({ length }) => length))
  return Array.from({ length: rows }, (_, row) =>
    [...byValue.values()].flatMap(column => column.slice(row, row + 1)),
  ).flat()
}

/** The same order for the same seed and items, on every machine: Fisher and Yates, as Durstenfeld wrote it. */
export function shuffle<T>(items: readonly T[], seed: string): T[] {
  const random = mulberry32(hashOf(seed))
  const result = [...items]
  for (let at = result.length - 1; at > 0; at--) {
    const other = Math.floor(random() * (at + 1))
    const moved = result[at]!
    result[at] = result[other]!
    result[other] = moved
  }
  return result
}

/** FNV-1a, 32 bits. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** Mulberry32 by Tommy Ettinger (public domain): from 0 to below 1. */
function mulberry32(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
