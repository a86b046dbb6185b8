/** A setting’s `pattern`: matching takes time linear in the value, whatever the expression. */
import { createRequire } from 'node:module'

/** Matches whole values only. */
export interface ValuePattern {
  /** As in bootstrap.ini. */
  readonly source: string
  test(value: string): boolean
}

/**
 * JavaScript’s own engine tries every way to match, so `(a+)+` and thirty characters keep it busy for hours. RE2
 * can’t do that, and so has no lookaround and no backreferences.
 * @throws {SyntaxError} not a regular expression, or one that RE2 can’t express
 * @example
 * wholePattern('[a-z]+').test('ab1') // false
 */
export function wholePattern(source: string): ValuePattern {
  // The language is JavaScript’s: RE2 also accepts syntax that is an error there.
  new RegExp(source, 'u')
  const odd = unknownEscape.exec(source)?.[1]
  if (odd) throw beyond(`\\${odd}`)
  // Loaded only when there is a pattern: it costs a run 12 ms.
  const { RE2JS } = createRequire(import.meta.url)('re2js') as typeof import('re2js')
  try {
    const pattern = RE2JS.compile(RE2JS.translateRegExp(source))
    return { source, test: value => pattern.matches(value) }
  } catch (error) {
    throw beyond((error as Error).message.replace('error parsing regexp: ', ''))
  }
}

/** The translation would read `\k<name>` as the letter k, and surrogates as characters of their own. */
const unknownEscape = /^(?:[^\\]|\\[^ku]|\\u(?!d[89a-f]))*\\(k|ud[89a-f]..)/is

const beyond = (what: string) =>
  new SyntaxError(
    `${what} (patterns are matched by RE2: no lookaround, no backreferences, at most 1000 repetitions)`,
  )
