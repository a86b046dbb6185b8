/**
 * An object of names and values that inherits nothing, so that a setting named `constructor` is absent until
 * it is set.
 */
export function record(entries: Iterable<readonly [string, string]>): Record<string, string> {
  return Object.assign(Object.create(null), Object.fromEntries(entries))
}
