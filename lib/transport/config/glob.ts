/** Files that match an Include pattern, as in glob(7): `*`, `?` and `[…]`, not across a slash. */
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { wildcards } from '../../shell/wildcards.ts'

const magic = /[*?[]/

/**
 * @param pattern an absolute path
 * @returns existing paths, also of links that lead nowhere, sorted as in ssh
 * @throws {Error} a directory can’t be read
 */
export function globFiles(pattern: string): string[] {
  let found = ['/']
  for (const part of pattern.split('/').filter(each => each !== '')) {
    found = found.flatMap(directory =>
      magic.test(part)
        ? namesIn(directory)
            .filter(matcher(part))
            .map(name => join(directory, name))
        : join(directory, part),
    )
  }
  return found.filter(isThere)
}

/** What can’t be looked at may be there. */
function isThere(path: string): boolean {
  try {
    lstatSync(path)
    return true
  } catch (error) {
    return !isMissing(error)
  }
}

const isMissing = (error: unknown) =>
  ['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code!)

/** Sorted by bytes: the locale must not affect a configuration. */
function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort()
  } catch (error) {
    if (isMissing(error)) return []
    throw error
  }
}

/** No path has it. */
const star = '\0'

function matcher(pattern: string): (name: string) => boolean {
  const source = pattern.replace(/\[(!?)([^\]]+)\]|[*?]|[.+^${}()|[\]\\]/g, (whole, not, set) => {
    if (whole === '*') return star
    if (whole === '?') return '.'
    if (set === undefined) return `\\${whole}`
    return `[${not ? '^' : ''}${set.replace(/[\\^[]/g, '\\$&')}]`
  })
  const whole = wildcards(source.split(star), '')
  // A name that begins with a dot matches only patterns that do, too.
  return name => whole.test(name) && (!name.startsWith('.') || pattern.startsWith('.'))
}
