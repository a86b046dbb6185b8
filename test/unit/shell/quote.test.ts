import { describe, expect, test } from 'vitest'
import { quote, quoteAll } from '../../../lib/shell/quote.ts'

describe('quoting for a shell', () => {
  test.each([
    ['plain', 'plain'],
    ['/a/b-c.d_e:f@g%h+i,j', '/a/b-c.d_e:f@g%h+i,j'],
    ['', "''"],
    ['two words', "'two words'"],
    ["it's", "'it'\\''s'"],
    ["'", "''\\'''"],
    ['a=b', "'a=b'"],
    ['~', "'~'"],
    ['$x', "'$x'"],
    ['\n', "'\n'"],
    ['ü', "'ü'"],
  ])('%j becomes %s', (value, quoted) => {
    expect(quote(value)).toBe(quoted)
  })

  test('refuses NUL, which no argument can hold', () => {
    expect(() => quote('a\0b')).toThrow(RangeError)
  })

  test('joins arguments by spaces', () => {
    expect(quoteAll(['a', '', 'b c'])).toBe("a '' 'b c'")
  })
})
