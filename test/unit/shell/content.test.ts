import { describe, expect, test } from 'vitest'
import { contentFunction } from '../../../lib/shell/content.ts'

const script = (bytes: Buffer | string) =>
  contentFunction('f', Buffer.from(bytes)).toString('latin1')

describe('content as a shell function', () => {
  test.each([
    ['nothing', '', 'f() {\n:\n}\n'],
    ['text', "it's\n", "f() {\nhw_put 'it'\\''s\n'\n}\n"],
    ['a backslash', '\\n', "f() {\nhw_put '\\n'\n}\n"],
    ['NUL', 'a\0\\n', "f() {\nhw_bytes 'a\\0000\\\\n'\n}\n"],
  ])('%s', (_, bytes, expected) => {
    expect(script(bytes)).toBe(expected)
  })

  test('keeps every byte as it is, and not as UTF-8', () => {
    expect(
      contentFunction('f', Buffer.from([0xff, 0xfe])).includes(Buffer.from([0xff, 0xfe])),
    ).toBe(true)
  })

  test('needs only a few long calls for large content, even if it is full of NULs', () => {
    const calls = (bytes: Buffer) => script(bytes).match(/^hw_/gm)!.length
    expect(calls(Buffer.alloc(1_000_000, 'x'))).toBe(16)
    expect(calls(Buffer.alloc(1_000_000, 'x\0'))).toBe(16)
  })
})
