import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { pad, textWidth, truncate, wrapWords } from '../../../lib/ui/width.ts'

describe('textWidth', () => {
  it.each([
    ['', 0],
    ['web1', 4],
    ['日本語', 6],
    ['ｆｕｌｌ', 8],
    ['한국', 4],
    ['e\u0301', 1],
    ['नि', 1],
    ['👍🏽', 2],
    ['👩‍👩‍👧', 2],
    ['🇫🇷', 2],
    ['1️⃣', 2],
    ['✔', 1],
    ['✔\ufe0f', 2],
    ['a\u200bb', 2],
    ['… › │ →', 7],
  ])('of %j is %i', (text, width) => {
    expect(textWidth(text)).toBe(width)
  })
})

describe('truncate', () => {
  it('keeps what fits and marks what it cuts', () => {
    expect(truncate('haproxy', 7)).toBe('haproxy')
    expect(truncate('haproxy', 6)).toBe('hapro…')
    expect(truncate('haproxy', 6, '...')).toBe('hap...')
    expect(truncate('haproxy', 0)).toBe('')
  })

  it('never shows half a wide character', () => {
    expect(truncate('日本語', 4)).toBe('日…')
    expect(truncate('日本語', 5)).toBe('日本…')
  })

  it('stays within the columns, whatever the text', () => {
    const text = fc.string({ unit: 'grapheme' })
    fc.assert(
      fc.property(
        text,
        fc.nat(30),
        (value, columns) => textWidth(truncate(value, columns)) <= columns,
      ),
    )
  })
})

describe('pad', () => {
  it('pads by columns, not by characters', () => {
    expect(pad('日本', 6)).toBe('日本  ')
    expect(pad('longer', 3)).toBe('longer')
  })
})

describe('wrapWords', () => {
  it('breaks at spaces and keeps long words whole', () => {
    expect(wrapWords('the old file is in use', 8)).toEqual(['the old', 'file is', 'in use'])
    expect(wrapWords('see /var/log/haproxy.log', 8)).toEqual(['see', '/var/log/haproxy.log'])
  })
})
