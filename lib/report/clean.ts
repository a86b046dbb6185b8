/** Removes secrets from what hosts and recipes report. Pure. */
import { stars } from '../shell/secret.ts'

/** An error's texts without secrets. */
export function cleanReport<T extends object>(report: T, clean: (text: string) => string): T {
  return Object.fromEntries(
    Object.entries(report).map(([key, value]) => [
      key,
      typeof value === 'string' ? clean(value) : value,
    ]),
  ) as T
}

/** A recipe's output, as JSON data without secrets. */
export function cleanData(data: unknown, clean: (text: string) => string): unknown {
  if (data === undefined) return undefined
  return JSON.parse(JSON.stringify(data), (_key, value) => {
    if (typeof value === 'string') return clean(value)
    // A number may be a secret too, such as a PIN.
    if (typeof value === 'number') return clean(String(value)) === String(value) ? value : stars
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [clean(key), each]))
  })
}
