import { UsageError } from '../errors.ts'

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** The maximum for Node’s timers: a longer delay fires at once. */
const longestMs = 2 ** 31 - 1

/**
 * Parses `500ms`, `1.5s`, `5m`, `1h` or `90` (seconds) into milliseconds.
 *
 * @throws {UsageError} `invalid_value`: anything else, or longer than 24 days
 * @example parseDuration('5m') // 300000
 */
export function parseDuration(text: string): number {
  const [, amount, unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text.trim()) ?? []
  if (amount === undefined)
    throw new UsageError(
      'invalid_value',
      `not a duration: ${JSON.stringify(text)}; write 500ms, 30s, 5m or 1h`,
    )
  const ms = Math.round(Number(amount) * unitsMs[unit]!)
  if (ms > longestMs)
    throw new UsageError('invalid_value', `duration too long: ${text}; at most 24 days (576h)`)
  return ms
}
