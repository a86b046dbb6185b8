import { expect, it } from 'vitest'
import { readValue } from '../../../lib/inventory/value.ts'

it.each([
  ['bare words', 'a b # c', 'a b # c'],
  ['an address', '10.0.0.1 # main', '10.0.0.1 # main'],
  ['a number and its comment', '8080 # http', '8080'],
  ['leading zeros', '0644', '0644'],
  ['another number unchanged', '1_000', '1_000'],
  ['a boolean and its comment', 'True # yes', 'True'],
  ['double quotes', '"a \'b\'"', "a 'b'"],
  ['single quotes and a comment', `'a "b"' # c`, 'a "b"'],
  ['adjacent strings', `'a' "b"`, 'ab'],
  ['unclosed long quotes', '"""a"', '"""a"'],
  ['long quotes', '"""a "b" c"""', 'a "b" c'],
  ['escapes', String.raw`"\t\x41\u00e9\U0001f600\101\\\""`, '\tAé😀A\\"'],
  ['an unknown escape', String.raw`"\d"`, String.raw`\d`],
  ['an escape in the wrong case', String.raw`"\X41"`, String.raw`\X41`],
  ['a raw string', String.raw`r"\n"`, String.raw`\n`],
  ['a malformed escape', String.raw`"\xZZ"`, String.raw`"\xZZ"`],
  ['a code point that does not exist', String.raw`"\Uffffffff"`, String.raw`"\Uffffffff"`],
  ['an unclosed quote', '"open', '"open'],
  ['a list', "['a', 'b']", "['a', 'b']"],
  ['text after quotes', '"a" b', '"a" b'],
  ['nothing', '', ''],
])('reads %s as Ansible does', (_, written, value) => {
  expect(readValue(written)).toBe(value)
})
