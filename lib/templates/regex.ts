/** Python’s regular expressions, by RE2: matching takes time linear in the text, whatever the expression. */
import { createRequire } from 'node:module'
import { TemplateFault } from './fault.ts'

export interface Found {
  start: number
  end: number
  /** The whole, then each group; null where one took no part. */
  groups: readonly (string | null)[]
  named: Readonly<Record<string, string | null>>
}

export interface RegexFlags {
  ignorecase?: boolean
  multiline?: boolean
}

/** Classes of Python’s texts, which are Unicode; RE2’s are ASCII. */
const classes: Readonly<Record<string, string>> = {
  d: '\\p{Nd}',
  w: '\\p{L}\\p{N}_',
  s: '\\t\\n\\v\\f\\r \\x85\\p{Z}',
}

function translate(pattern: string): string {
  let inside = false
  return pattern.replace(/\\([\s\S])|\[\^?\]?|\]/g, (all, char: string | undefined) => {
    if (char === undefined) {
      if (all === ']') inside = false
      else if (inside) return `\\${all}`
      else inside = true
      return all
    }
    if (char === 'Z' && !inside) return '\\z'
    const set = classes[char]
    if (set) return inside ? set : `[${set}]`
    const not = classes[char.toLowerCase()]
    return not && !inside && char !== 'Z' ? `[^${not}]` : all
  })
}

/** @throws {TemplateFault} not an expression, or one that RE2 can’t express */
export function regex(pattern: string, { ignorecase, multiline }: RegexFlags = {}) {
  // Loaded only when there is an expression.
  const { RE2JS } = createRequire(import.meta.url)('re2js') as typeof import('re2js')
  const flags = (ignorecase ? RE2JS.CASE_INSENSITIVE : 0) | (multiline ? RE2JS.MULTILINE : 0)
  const compile = () => {
    try {
      return RE2JS.compile(translate(pattern), flags)
    } catch (error) {
      const why = (error as Error).message.replace('error parsing regexp: ', '')
      throw new TemplateFault(
        `the regular expression ${JSON.stringify(pattern)}: ${why} (RE2 matches it: no lookaround, no backreferences)`,
      )
    }
  }
  const compiled = compile()
  const names = Object.entries(compiled.namedGroups())
  return {
    /** All matches, in order. @param most at most so many */
    all(text: string, most = Number.POSITIVE_INFINITY): Found[] {
      const matcher = compiled.matcher(text)
      const found: Found[] = []
      while (found.length < most && matcher.find()) {
        const groups = Array.from(
          { length: matcher.groupCount() + 1 },
          (_, at) => matcher.group(at) ?? null,
        )
        const named = Object.fromEntries(names.map(([name, at]) => [name, groups[at] ?? null]))
        found.push({ start: matcher.start(), end: matcher.end(), groups, named })
      }
      return found
    },
    startsWith: (text: string) => compiled.matcher(text).lookingAt(),
  }
}

/** Puts `\1`, `\g<name>` and the like of a match into a replacement. */
export function expand(replacement: string, { groups, named }: Found): string {
  return replacement.replace(/\\(?:g<(\w+)>|(\d{1,2})|([\s\S]))/g, (all, name, number, char) => {
    const wanted = name ?? number
    if (wanted === undefined) {
      const escapes: Record<string, string> = {
        n: '\n',
        t: '\t',
        r: '\r',
        '\\': '\\',
        f: '\f',
        v: '\v',
        a: '\x07',
        b: '\b',
      }
      if (escapes[char] === undefined && /[a-zA-Z]/.test(char))
        throw new TemplateFault(`bad escape ${all}`)
      return escapes[char] ?? all
    }
    const group = /^\d+$/.test(wanted) ? groups[Number(wanted)] : named[wanted]
    if (group === undefined) throw new TemplateFault(`invalid group reference ${wanted}`)
    return group ?? ''
  })
}
