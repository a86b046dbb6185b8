import { expect, test } from 'vitest'
import { expand } from '../../../lib/bootstrap/expand.ts'

test('replaces placeholders with their values, which are not expanded again', () => {
  expect(expand('{a}/{b-c.d}:{a}', { a: '{b}$&', 'b-c.d': '' })).toBe('{b}$&/:{b}$&')
})

test('turns two braces into one, and keeps closing braces', () => {
  expect(expand("awk '{{print $1}' }{{a}", {})).toBe("awk '{print $1}' }{a}")
})

test('names a placeholder without a value and suggests the nearest one', () => {
  expect(() => expand('x/{verison}', { version: '1', other: undefined })).toThrow(
    expect.objectContaining({
      code: 'invalid_value',
      message: '{verison} has no value here: x/{verison}',
      details: expect.objectContaining({ hint: 'Did you mean {version}?' }),
    }),
  )
})

test.each(['constructor', '__proto__'])('has no value for {%s} unless it is given', name => {
  expect(() => expand(`{${name}}`, {})).toThrow('has no value here')
})

test('refuses a brace that does not start a placeholder', () => {
  expect(() => expand('{ a }', { a: '1' })).toThrow('write {{ for a literal brace')
})
