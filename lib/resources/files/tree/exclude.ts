/** What of a directory is left alone: patterns as the host's find reads them. */
import { wildcards } from '../../../shell/wildcards.ts'

export interface Excludes {
  /** Whether a name below the directory (`css/site.css`), or what it is in, is left alone. */
  has(name: string): boolean
  /** The same as words of find. */
  words: readonly string[]
  /** Words of find for all that has such a name, and what is in it. */
  within: readonly string[]
}

/**
 * @param patterns without a slash (`*.map`, `.git`): of that name anywhere; with one (`/uploads`,
 *   `css/*.map`): at that place. `*` stands for any characters, `?` for one, `[a-z]` for one of these
 * @throws {RangeError} a pattern that is none
 */
export function createExcludes(patterns: readonly string[]): Excludes {
  const rules = patterns.map(parse)
  return {
    has: name => {
      const parts = name.split('/')
      return parts.some((part, index) => {
        const upTo = parts.slice(0, index + 1).join('/')
        return rules.some(({ anchored, regex }) => regex.test(anchored ? upTo : part))
      })
    },
    within: rules.flatMap(({ anchored, glob }, index) => [
      ...(index > 0 ? ['-o'] : []),
      ...(anchored
        ? ['-path', `./${glob}`, '-o', '-path', `./${glob}/*`]
        : ['-name', glob, '-o', '-path', `*/${glob}/*`]),
    ]),
    words: rules.flatMap(({ anchored, glob }, index) => [
      ...(index > 0 ? ['-o'] : []),
      ...(anchored ? ['-path', `./${glob}`] : ['-name', glob]),
    ]),
  }
}

function parse(pattern: string) {
  // A slash at the end says that it is a directory: its name says enough.
  const whole = pattern.replace(/\/+$/, '')
  const glob = whole.replace(/^\/+/, '')
  if (glob === '' || /[\0-\x1f\x7f]/.test(pattern) || /(^|\/)\.{1,2}(\/|$)/.test(glob))
    throw new RangeError(`${JSON.stringify(pattern)} is no pattern for names`)
  return { glob, anchored: whole.includes('/'), regex: regexOf(glob) }
}

/** No name has it. */
const star = '\0'

/** As fnmatch without flags: `*` also stands for slashes, a backslash takes the meaning from the next. */
function regexOf(glob: string): RegExp {
  const source = glob.replace(/\\(.)|\[(!?)([^\]]+)\]|[\s\S]/gu, (all, escaped, not, set) => {
    if (escaped !== undefined) return literal(escaped)
    if (set !== undefined) return `[${not ? '^' : ''}${set.replace(/[\\^[]/g, '\\$&')}]`
    if (all === '*') return star
    return all === '?' ? '.' : literal(all)
  })
  return wildcards(source.split(star), 'u')
}

const literal = (text: string) => text.replace(/[.*+?^${}()|[\]\\/-]/g, '\\$&')
