/** Regular expressions that people write: matching takes time linear in the text, whatever the expression. */
import { createRequire } from 'node:module'

export interface LinearPattern {
  /** Whether the expression matches all of a text. */
  matches(text: string): boolean
  /** Whether a text begins with a match. */
  lookingAt(text: string): boolean
}

/**
 * JavaScript’s own engine tries every way to match, so `(a+)+` and thirty characters keep it busy for hours. RE2
 * can’t do that, and so has no lookaround and no backreferences.
 * @param flags JavaScript’s: `i`, `m`, `s`, `u`
 * @throws {SyntaxError} not a regular expression, or one that RE2 can’t express
 * @example
 * linearPattern('[a-z]+', 'u').matches('ab1') // false
 */
export function linearPattern(source: string, flags: string): LinearPattern {
  // The language is JavaScript’s: RE2 also accepts syntax that is an error there.
  new RegExp(source, flags)
  const odd = unknownEscape.exec(source)?.[1]
  if (odd) throw beyond(`\\${odd}`)
  // Loaded only when there is an expression: it costs a run 12 ms.
  const { RE2JS } = createRequire(import.meta.url)('re2js') as typeof import('re2js')
  const chosen = flags.replace('u', '')
  try {
    const translated = RE2JS.translateRegExp(source)
    const pattern = RE2JS.compile(chosen === '' ? translated : `(?${chosen})${translated}`)
    return {
      matches: text => pattern.matches(text),
      lookingAt: text => pattern.matcher(text).lookingAt(),
    }
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
