import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { isSecret, redact, secret } from '../../../lib/shell/secret.ts'

describe('a secret', () => {
  const hidden = secret('s3cret-value')

  test('shows nowhere but by reveal', () => {
    const shown = [
      `${hidden}`,
      String(hidden),
      JSON.stringify({ hidden }),
      inspect(hidden),
      inspect({ hidden }, { depth: 5, showHidden: true }),
      Object.entries(hidden).join(),
    ]
    for (const text of shown) expect(text).not.toContain('s3cret-value')
    expect(hidden.reveal()).toBe('s3cret-value')
  })

  test('is told from other values', () => {
    expect(isSecret(hidden)).toBe(true)
    for (const value of ['text', null, undefined, {}, 3]) expect(isSecret(value)).toBe(false)
  })

  test('is taken out of text wherever it stands, but not when it is too short to tell', () => {
    expect(redact('a s3cret-value, s3cret-value', ['s3cret-value'])).toBe('a ********, ********')
    expect(redact('a $& b', ['$& b'])).toBe('a ********')
    expect(redact('abc', ['', 'b'])).toBe('abc')
  })
})
