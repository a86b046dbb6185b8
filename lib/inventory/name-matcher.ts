/** Globs and regular expressions in target patterns, with the same meaning as in Python. */
import { UsageError } from '../errors.ts'
import { linearPattern } from '../shell/linear-pattern.ts'
import { wildcards } from '../shell/wildcards.ts'

export type NameMatcher = (name: string) => boolean

/**
 * Matches whole names. `*` is any text, `?` one character, `[abc]`, `[a-c]` and `[!a]` one of a set; there is
 * no escape character. Case-sensitive. (Python’s fnmatch.)
 */
export function globMatcher(glob: string): NameMatcher {
  const pieces = ['']
  for (let at = 0; at < glob.length; at++) {
    const char = glob[at]!
    const close = char === '[' ? endOfSet(glob, at) : -1
    let source = ''
    if (close > 0) {
      source = setSource(glob.slice(at + 1, close))
      at = close
    } else if (char === '*') pieces.push('')
    else if (char === '?') source = '.'
    else source = escaped(char)
    pieces[pieces.length - 1] += source
  }
  const pattern = wildcards(pieces, 'u')
  return name => pattern.test(name)
}

/** The position of the `]` for the set that begins at `open`; -1 if there is none: then `[` is literal. */
function endOfSet(glob: string, open: number): number {
  // A `]` that comes first in the set is a member of it.
  const first = glob[open + 1] === '!' ? open + 2 : open + 1
  return glob.indexOf(']', first + 1)
}

function setSource(set: string): string {
  const negated = set.startsWith('!')
  const members = [...(negated ? set.slice(1) : set)]
  let source = ''
  for (let at = 0; at < members.length; at++) {
    const from = members[at]!
    const to = members[at + 1] === '-' ? members[at + 2] : undefined
    if (to === undefined) source += escaped(from)
    // A reversed range is empty.
    else if (from.codePointAt(0)! <= to.codePointAt(0)!) source += `${escaped(from)}-${escaped(to)}`
    if (to !== undefined) at += 2
  }
  if (source === '') return negated ? '.' : '(?!)'
  return `[${negated ? '^' : ''}${source}]`
}

const escaped = (char: string) =>
  char.replace(/[\\^$.*+?()[\]{}|/-]/u, found => (found === '-' ? '\\x2d' : `\\${found}`))

/**
 * Matches names that begin with a match of `source` (`$` ends it), like Python’s `re.match`. Python’s own
 * syntax `(?i)` at the start, `\A`, `\Z` and `(?P<name>…)` is supported.
 * @throws {UsageError} not a valid regular expression, or one that can’t be matched in linear time
 */
export function regexMatcher(source: string): NameMatcher {
  const [whole, letters = ''] = /^\(\?([aimsu]+)\)/.exec(source) ?? ['']
  const translated = source
    .slice(whole.length)
    // Escapes are consumed as a unit: the Z in \\Z is a letter after a backslash.
    .replace(/\\(.)/gs, (found, letter) => (letter === 'Z' ? '\\z' : found))
    .replaceAll('(?P<', '(?<')
    .replace(/\(\?P=(\w+)\)/g, '\\k<$1>')
  try {
    const flags = [...new Set(letters.replace(/[^ims]/g, ''))].join('')
    return linearPattern(translated, flags).lookingAt
  } catch (cause) {
    const { message } = cause as Error
    throw new UsageError('usage', `'~${source}' is not a regular expression: ${message}`, {
      hint: 'In a pattern, what follows ~ is a regular expression; `:` and `,` outside of [] end it.',
      cause,
    })
  }
}
