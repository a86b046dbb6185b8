import { inspect } from 'node:util'
import { describe, expect, test } from 'vitest'
import { isSecret, secret } from '../../../lib/shell/secret.ts'

describe('a secret', () => {
  const hidden = secret('s3cret-value')

  test('is shown only by reveal', () => {
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

  test('is distinguished from other values', () => {
    expect(isSecret(hidden)).toBe(true)
    for (const value of ['text', null, undefined, {}, 3]) expect(isSecret(value)).toBe(false)
  })

  test('is made from others by a template, and is as hidden as they are', () => {
    const url = secret`postgres://${'app'}:${hidden}@db1/x\n`
    expect(url.reveal()).toBe('postgres://app:s3cret-value@db1/x\n')
    expect(`${url}`).toBe('********')
  })
})
