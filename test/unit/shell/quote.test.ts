import { execFileSync } from 'node:child_process'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { quote, quoteAll, quoteForLogin } from '../../../lib/shell/quote.ts'
import type { Requires } from '../../support/requires.ts'
import { testEach } from '../../support/shells.ts'

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

describe('quoting for a login shell', () => {
  test.each([
    ['/bin/sh', '/bin/sh'],
    ['', "''"],
    ['two words', "'two words'"],
    ["it's", "'it'\\''s'"],
    ['!', '\\!'],
    ['a\\!b', "'a'\\\\\\!'b'"],
    ['%1', "'%1'"],
  ])('%j becomes %s', (word, quoted) => {
    expect(quoteForLogin([word])).toBe(quoted)
  })

  test.each(['a\0b', 'a\nb'])('refuses %j, which csh accepts in no word', word => {
    expect(() => quoteForLogin([word])).toThrow(RangeError)
  })

  const logins: Requires[] = ['fish', 'csh', 'tcsh', 'dash', 'bash', 'zsh', 'mksh', 'busybox']
  /** Characters that are special to some shell, and any others. */
  const character = fc.oneof(
    fc.constantFrom(...'!\\\'"`$&|;<>()[]{}*?~#%^=@-+: \t\r'),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }),
  )
  const word = fc
    .array(character, { maxLength: 20 })
    .map(characters => characters.join('').replace(/[\0\n]/g, ''))

  testEach(
    logins.map(name => ({ name, tags: [name] })),
    '$name reads every word back unchanged',
    ({ name }) => {
      const shell = [name, ...(name === 'busybox' ? ['sh'] : []), '-c']
      fc.assert(
        fc.property(fc.array(word, { minLength: 1, maxLength: 100 }), words => {
          const line = `exec ${quoteForLogin(['/usr/bin/printf', '%s\\0', ...words])}`
          const [program, ...args] = [...shell, line]
          const read = execFileSync(program!, args, { encoding: 'utf8' })
          expect(read).toBe(words.map(each => `${each}\0`).join(''))
        }),
        { numRuns: 12 },
      )
    },
  )
})
