/** Which hosts run together, and how many may fail before the run stops. Pure. */
import { UsageError } from '../errors.ts'
import type { HostStatus } from '../events.ts'

/**
 * Sizes of batches: `1,25%,100%`.
 * @param name of the option, or of the recipe's key, for messages: `--serial`
 * @throws {UsageError} invalid_value
 */
export function parseSizes(name: string, text: string): string[] {
  const sizes = text.split(',').map(size => size.trim())
  for (const size of sizes) {
    const number = Number(size.replace(/%$/, ''))
    if (!/^\d{1,6}%?$/.test(size) || number < 1 || (size.endsWith('%') && number > 100)) {
      throw new UsageError(
        'invalid_value',
        `${name} ${text}: ${JSON.stringify(size)} is not a number of hosts or a percentage`,
        {
          hint: `For example ${name} 1,25%,100%: one host, then a quarter of all, then the rest.`,
        },
      )
    }
  }
  return sizes
}

/**
 * Splits hosts into batches; the last size applies to all further batches. A percentage is of all hosts,
 * rounded down, but at least one host.
 * @param total of how many percentages are
 * @example batches(['a', 'b', 'c', 'd'], ['1', '50%']) // [['a'], ['b', 'c'], ['d']]
 */
export function batches<T>(
  hosts: readonly T[],
  sizes: readonly string[],
  total: number = hosts.length,
): T[][] {
  const result: T[][] = []
  for (let start = 0; start < hosts.length; ) {
    const size = sizes[Math.min(result.length, sizes.length - 1)]!
    const count = countOf(size, total)
    result.push(hosts.slice(start, start + count))
    start += count
  }
  return result
}

/** How many hosts a size is: at least one, however small the share. */
export const countOf = (size: string, total: number): number => Math.max(1, hostsOf(size, total))

/** How many hosts: a number, or a percentage of all hosts of the run. */
export type HostLimit = string

/** How many hosts may fail before no more are started. */
export interface HostLimits {
  /** --max-fail: hosts that were reached and did not succeed. */
  fail?: HostLimit
  /** --max-unreachable: hosts that were not reached, or whose connection was lost. */
  unreachable?: HostLimit
}

/**
 * @param option for messages: `--max-fail`
 * @throws {UsageError} invalid_value
 */
export function parseHostLimit(option: string, text: string): HostLimit {
  const number = Number(text.replace(/%$/, ''))
  if (/^\d{1,6}%?$/.test(text) && !(text.endsWith('%') && number > 100)) return text
  throw new UsageError(
    'invalid_value',
    `${option} ${text}: not a number of hosts or a percentage`,
    {
      hint: `For example ${option} 2, or ${option} 10%, which is of all hosts of the run.`,
    },
  )
}

/**
 * Whether more hosts failed than allowed.
 * @param total number of hosts in the run
 * @param within inside a batch: only limits that were set apply
 * @param accepted those of the statuses that a person has accepted: as many are allowed at least
 * @returns the limit that was exceeded, for people: `3 hosts failed, and --max-fail is 2`
 */
export function limitPassed(
  statuses: Iterable<HostStatus>,
  limits: HostLimits,
  total: number,
  within = false,
  accepted: Iterable<HostStatus> = [],
): string | undefined {
  const counts = countFailures(statuses)
  const known = countFailures(accepted)
  for (const kind of ['fail', 'unreachable'] as const) {
    const limit = limits[kind]
    if (limit === undefined && within) continue
    if (counts[kind] <= Math.max(hostsOf(limit ?? '0', total), known[kind])) continue
    const how =
      kind === 'fail' ? 'failed' : counts[kind] === 1 ? 'is unreachable' : 'are unreachable'
    return `${counts[kind]} ${counts[kind] === 1 ? 'host' : 'hosts'} ${how}, and --max-${kind} is ${limit ?? 0}`
  }
  return undefined
}

function countFailures(statuses: Iterable<HostStatus>) {
  const counts = { fail: 0, unreachable: 0 }
  for (const status of statuses) {
    if (status === 'unreachable') counts.unreachable++
    else if (failures.has(status)) counts.fail++
  }
  return counts
}

/** Of hosts that were reached and did not succeed. */
export const failures: ReadonlySet<HostStatus> = new Set([
  'failed',
  'uncertain',
  'locked',
  'interrupted',
])

/** Rounded down: 10% of five hosts is none. */
export const hostsOf = (limit: HostLimit, total: number): number =>
  limit.endsWith('%') ? Math.floor((total * Number(limit.slice(0, -1))) / 100) : Number(limit)
