import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { escapeControls, escapeLine, escapeLines } from '../../../lib/ui/escape.ts'

// Any UTF-16, with what terminals obey often among it.
const anyText = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('\x1b[2J', '\r', '\n', '\b', '\u009b', '\u202e', '\ud800'),
    ),
  )
  .map(parts => parts.join(''))
const obeyed = /[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u

describe('escapeControls', () => {
  it.each([
    ['\x1b[31mred', '\\x1b[31mred'],
    ['10%\r20%', '10%\\r20%'],
    ['a\bb\x07', 'a\\x08b\\x07'],
    ['\u009b2J', '\\x9b2J'],
    ['one\ntwo\tthree', 'one\\ntwo\\tthree'],
    ['user\u202etxt.exe', 'user\\u202etxt.exe'],
    ['half \ud83d', 'half \\ud83d'],
    ['naïve 日本 👍🏽 C:\\temp', 'naïve 日本 👍🏽 C:\\temp'],
  ])('shows %j as %j', (text, shown) => {
    expect(escapeControls(text)).toBe(shown)
  })

  it('lets no control character through', () => {
    fc.assert(fc.property(anyText, text => !obeyed.test(escapeControls(text))))
  })

  it('does not change its own output', () => {
    fc.assert(
      fc.property(anyText, text => escapeControls(escapeControls(text)) === escapeControls(text)),
    )
  })
})

describe('escapeLines', () => {
  it('splits at both kinds of line endings and adds no empty line', () => {
    expect(escapeLines('one\r\ntwo\n\nthree\n')).toEqual(['one', 'two', '', 'three'])
    expect(escapeLines('')).toEqual([])
  })

  it('keeps columns that were aligned with tabs', () => {
    expect(escapeLines('a\tb\nlonger\tb\n日本\tb')).toEqual(['a       b', 'longer  b', '日本    b'])
  })

  it('lets no control character through', () => {
    fc.assert(fc.property(anyText, text => escapeLines(text).every(line => !obeyed.test(line))))
    fc.assert(fc.property(anyText, text => !obeyed.test(escapeLine(text))))
  })
})
