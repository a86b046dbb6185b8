/** A setting’s `pattern`. */
import { linearPattern } from '../shell/linear-pattern.ts'

/** Matches whole values only. */
export interface ValuePattern {
  /** As in bootstrap.ini. */
  readonly source: string
  test(value: string): boolean
}

/**
 * @throws {SyntaxError} not a regular expression, or one that can’t be matched in linear time
 * @example
 * wholePattern('[a-z]+').test('ab1') // false
 */
export function wholePattern(source: string): ValuePattern {
  const { matches } = linearPattern(source, 'u')
  return { source, test: matches }
}
