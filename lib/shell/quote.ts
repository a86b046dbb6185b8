/**
 * POSIX quoting. Single quotes keep every byte but NUL as it is in every POSIX shell; a single quote
 * itself is written outside of them. (POSIX.1-2017, Shell Command Language, 2.2.2.)
 */

const safe = /^[A-Za-z0-9_@%+:,./-]+$/

/**
 * One argument, quoted for any POSIX shell.
 * @throws {RangeError} a NUL character: no argument can hold one
 * @example quote("it's") // 'it'\''s'
 */
export function quote(value: string): string {
  if (safe.test(value)) return value
  if (value.includes('\0')) throw new RangeError('a shell argument can’t hold a NUL character')
  return `'${value.replaceAll("'", "'\\''")}'`
}

/** A command line of quoted arguments. */
export function quoteAll(values: readonly string[]): string {
  return values.map(quote).join(' ')
}
