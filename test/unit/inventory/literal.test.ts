import { expect, it } from 'vitest'
import { readValue } from '../../../lib/inventory/literal.ts'
import { plainOf } from '../../../lib/inventory/value.ts'

it.each([
  ['bare words', 'a b # c', 'a b # c'],
  ['an address', '10.0.0.1 # main', '10.0.0.1 # main'],
  ['a number and its comment', '8080 # http', 8080],
  ['leading zeros', '0644', '0644'],
  ['a number with underscores', '1_000', 1000],
  ['other numbers', '[0x1F, 0o17, 0b11, -1.5e1, .5, 00]', [31, 15, 3, -15, 0.5, 0]],
  ['a number that JavaScript can’t hold', '9007199254740993', 9007199254740993n],
  ['an address', '10.0.0.1', '10.0.0.1'],
  ['a boolean and its comment', 'True # yes', true],
  ['nothing in Python', 'None', null],
  ['another language’s words', 'true', 'true'],
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
  ['a list', "['a', 'b',]", ['a', 'b']],
  ['a tuple', '1, (2,), (3), ()', [1, [2], 3, []]],
  ['a mapping', "{'a': {'b': [None]}, 1: True}", { a: { b: [null] }, 1: true }],
  ['an expression', '1 + 1', '1 + 1'],
  ['a call', "open('x')", "open('x')"],
  ['bytes', "b'a'", 'a'],
  ['an unclosed list', "['a'", "['a'"],
  ['text after quotes', '"a" b', '"a" b'],
  ['nothing', '', ''],
])('reads %s as Ansible does', (_, written, value) => {
  expect(plainOf(readValue(written))).toEqual(value)
})
