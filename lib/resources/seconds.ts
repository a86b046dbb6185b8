import { parseDuration } from '../inventory/parse-duration.ts'
import { invalidOption } from './resource.ts'

/**
 * Seconds in `30s`, `5m` or `1h`.
 * @throws {UsageError} recipe_invalid: anything else, or nothing at all
 */
export function checkSeconds(title: string, what: string, text: string): number {
  let ms: number
  try {
    ms = parseDuration(text)
  } catch (error) {
    throw invalidOption(title, `${what} is ${(error as Error).message}`)
  }
  if (ms <= 0) throw invalidOption(title, `${what} must be longer than 0`)
  return ms / 1000
}

/** In whole seconds, as the programs of hosts count. */
export const wholeSeconds = (title: string, what: string, text: string): number =>
  Math.ceil(checkSeconds(title, what, text))
