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

  it('wraps the widest columns to fit the terminal, and breaks no word', () => {
    const rows = [
      ['web1', 'status 503: the database is away', 'no'],
      ['web2', 'ok', 'yes'],
    ]
    const table = formatTable(['host', 'answer', 'up'], rows, { columns: 28 })
    expect(`\n${table}\n`).toBe(`
host  answer             up
web1  status 503: the    no
      database is away
web2  ok                 yes
`)
    expect(table.split('\n').every(line => textWidth(line) <= 28)).toBe(true)
  })

  it('shows each row as a block where the longest words do not fit beside each other', () => {
    const rows = [
      ['web1.example.com', 'deadbeefdeadbeef 12', 'x'],
      ['web2.example.com', '', 'y'],
    ]
    const table = formatTable(['host', 'answer', 'z'], rows, { columns: 27 })
    expect(`\n${table}\n`).toBe(`
host    web1.example.com
answer  deadbeefdeadbeef 12
z       x

host    web2.example.com
answer
z       y
`)
  })

  it('makes the header bold if colour is on', () => {
    expect(formatTable(['a'], [['1']], { color: true })).toBe('\x1b[1ma\x1b[22m\n1')
  })
})
