/** Which hosts run together. Pure. */
import { UsageError } from '../errors.ts'

/**
 * Sizes of batches: `1,25%,100%`.
 * @throws {UsageError} invalid_value
 */
export function parseSerial(text: string): string[] {
  const sizes = text.split(',').map(size => size.trim())
  for (const size of sizes) {
    const number = Number(size.replace(/%$/, ''))
    if (!/^\d+%?$/.test(size) || number < 1 || (size.endsWith('%') && number > 100)) {
      throw new UsageError(
        'invalid_value',
        `--serial ${text}: ${JSON.stringify(size)} is not a number of hosts or a percentage`,
        {
          hint: 'For example --serial 1,25%,100%: one host, then a quarter of all, then the rest.',
        },
      )
    }
  }
  return sizes
}

/**
 * Splits hosts into batches; the last size holds for all that follow. A percentage is of all hosts,
 * rounded down, at least one.
 * @example batches(['a', 'b', 'c', 'd'], ['1', '50%']) // [['a'], ['b', 'c'], ['d']]
 */
export function batches<T>(hosts: readonly T[], sizes: readonly string[]): T[][] {
  const result: T[][] = []
  for (let start = 0; start < hosts.length; ) {
    const size = sizes[Math.min(result.length, sizes.length - 1)]!
    const number = Number(size.replace('%', ''))
    const count = size.endsWith('%')
      ? Math.max(1, Math.floor((hosts.length * number) / 100))
      : number
    result.push(hosts.slice(start, start + count))
    start += count
  }
  return result
}
