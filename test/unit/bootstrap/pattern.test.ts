import { execFileSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { parseCatalogue } from '../../../lib/bootstrap/catalogue.ts'
import { wholePattern } from '../../../lib/bootstrap/pattern.ts'
import { checkValue } from '../../../lib/bootstrap/value.ts'

const values = [
  '',
  'a',
  'aa',
  'ab1',
  'A_b-9',
  'x.y',
  'é',
  '😀',
  '😀😀',
  'n\u0301',
  'a b',
  '127.0.0.1',
]

describe('a pattern of bootstrap.ini', () => {
  // The tests before had only patterns and values that JavaScript’s own engine matches at once.
  test.each(['(a+)+', '(a|a)*', '([a-z]+)*x', '(.*a){20}', '(\\w+\\s?)*'])(
    '%s, which backtracks for ever in JavaScript, is answered at once',
    pattern => {
      const value = `${'a'.repeat(50_000)}!`
      const began = performance.now()
      expect(checkValue({ type: 'string', pattern: wholePattern(pattern) }, value)).toEqual({
        fault: expect.stringMatching(/does not match/),
      })
      expect(performance.now() - began).toBeLessThan(10_000)
    },
  )

  test.each([
    ['[a-z]+'],
    ['a|ab1'],
    ['a*?'],
    ['^a+$'],
    ['(?<first>\\w)[\\w-]*'],
    ['\\p{L}\\p{M}?'],
    ['\\P{L}+'],
    ['[^]*'],
    ['[]'],
    ['.'],
    ['\\u{1F600}{1,2}'],
    ['[\\u00e0-\\u00ff]'],
    ['\\x61+'],
    ['\\d{1,3}(?:\\.\\d{1,3}){3}'],
    ['x\\.y|\\/'],
    ['[\\-\\w]*'],
    ['\\\\k|a'],
    ['a\\b.*'],
    ['[😀é]+'],
  ])('%s means what it means in JavaScript', pattern => {
    const oracle = new RegExp(`^(?:${pattern})$`, 'u')
    const ours = wholePattern(pattern)
    for (const value of values)
      expect([value, ours.test(value)]).toEqual([value, oracle.test(value)])
  })

  test.each([
    '(?=a)b',
    '(?!a)b',
    '(?<=a)b',
    '(?<!a)b',
    '(a)\\1',
    '(?<n>a)\\k<n>',
    'a{1001}',
    '\\ud83d\\ude00',
  ])('%s is refused as bootstrap.ini is read, with the reason', pattern => {
    const text = `[server]\nmodes = provisioning, active, upgrading\n[product:x]\nversion = 1\n[setting:x:name]\npattern = ${pattern}\n`
    const read = () => parseCatalogue(text, { file: '/inv/bootstrap.ini', exists: () => true })
    expect(read).toThrow(/not a regular expression.*no lookaround, no backreferences/)
  })

  test.each(['(', '[[:alpha:]]', '\\A', '(?P<n>a)'])(
    '%s, an error in JavaScript, is one here',
    pattern => expect(() => wholePattern(pattern)).toThrow(SyntaxError),
  )

  test('costs nothing where there is none: RE2 is not loaded', () => {
    const program = `
      import { parseCatalogue } from './lib/bootstrap/catalogue.ts'
      import { createRequire } from 'node:module'
      const loaded = () => Object.keys(createRequire(import.meta.url).cache).some(name => name.includes('re2js'))
      const read = more => parseCatalogue('[server]\\nmodes = provisioning, active, upgrading\\n[product:x]\\nversion = 1\\n[setting:x:a]\\n' + more, { file: '/b', exists: () => true })
      read('')
      const before = loaded()
      read('pattern = a+')
      console.log(before, loaded())`
    const said = execFileSync(process.execPath, [
      '--import',
      'tsx',
      '--input-type=module',
      '-e',
      program,
    ])
    expect(String(said).trim()).toBe('false true')
  })
})
