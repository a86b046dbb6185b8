/** Patterns of a Host line (ssh_config(5), PATTERNS). Pure. */
import { wildcards } from '../../shell/wildcards.ts'

/** Whether a name matches one of the patterns, and none that is negated. */
export function matchesHost(patterns: readonly string[], name: string): boolean {
  const matches = (pattern: string) => wildcard(pattern).test(name)
  const negated = patterns.filter(each => each.startsWith('!')).map(each => each.slice(1))
  return !negated.some(matches) && patterns.some(each => !each.startsWith('!') && matches(each))
}

/** `*` is any run of characters, `?` is one; nothing else is special. */
const wildcard = (pattern: string) =>
  wildcards(
    pattern
      .replace(/[.+^${}()|[\]\\]/g, '\\$&')
      .replaceAll('?', '.')
      .split('*'),
    '',
  )
