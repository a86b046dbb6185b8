import { describe, expect, it } from 'vitest'
import { formatTable } from '../../../lib/ui/table.ts'
import { textWidth } from '../../../lib/ui/width.ts'

describe('formatTable', () => {
  it('aligns columns by visible width, without trailing spaces', () => {
    const rows = [
      ['web1', 'up', '200'],
      ['東京', 'dówn', ''],
      ['cafe\u0301', 'up', '503'],
    ]
    expect(`\n${formatTable(['host', 'state', 'status'], rows)}\n`).toBe(`
host  state  status
web1  up     200
東京  dówn
cafe\u0301  up     503
`)
  })

  it('makes control characters of cells visible', () => {
    expect(formatTable(['host', 'answer'], [['web1', 'ok\r\n\x1b[2J\tx']])).toBe(
      'host  answer\nweb1  ok\\r\\n\\x1b[2J\\tx',
    )
  })

  it('fills missing cells', () => {
    expect(formatTable(['a', 'b', 'c'], [['1'], ['1', '2', '3']])).toBe('a  b  c\n1\n1  2  3')
  })

  it('truncates the widest columns to fit the terminal', () => {
    const table = formatTable(['host', 'answer'], [['web1', 'x'.repeat(100)]], { columns: 20 })
    expect(table).toBe(`host  answer\nweb1  ${'x'.repeat(13)}…`)
    expect(table.split('\n').every(line => textWidth(line) <= 20)).toBe(true)
  })

  it('makes the header bold if colour is on', () => {
    expect(formatTable(['a'], [['1']], { color: true })).toBe('\x1b[1ma\x1b[22m\n1')
  })
})
