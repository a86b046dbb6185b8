/** The lines of a journal: what is torn is dropped, what is damaged is reported by line. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeRecord, decodeRecords, encodeRecord } from '../../../../lib/rollout/journal/codec.ts'

const run = '20260131T020000Z-4f3a9c'
const records = [
  { type: 'attempt', args: { text: 'a "b" ,"sum":"00000000"}' } },
  { type: 'host.start', host: 'wéb\u2028\n1' },
  { type: 'host.end', host: 'web1' },
  { type: 'run.end', exitCode: 0 },
]
const lines = records.map((record, index) => encodeRecord(run, index + 1, record))
const decode = (text: string | Buffer) => decodeRecords(run, Buffer.from(text))

describe('a journal', () => {
  test('is read as it was written, and each line is JSON', () => {
    expect(decode(lines.join(''))).toEqual({
      records,
      next: 5,
      bytes: Buffer.byteLength(lines.join('')),
      size: Buffer.byteLength(lines.join('')),
      torn: false,
      damaged: [],
    })
    expect(JSON.parse(lines[2]!)).toMatchObject({ n: 3, type: 'host.end', host: 'web1' })
    expect(decodeRecord(run, lines[0]!.trimEnd())).toEqual(records[0])
  })

  test('of another run is not taken for this one', () => {
    const other = encodeRecord('20260131T020000Z-000000', 1, records[0]!)
    expect(decode(other).damaged).toEqual([{ line: 1, why: 'its checksum is wrong' }])
    expect(decodeRecord(run, other.trimEnd())).toBeUndefined()
  })

  test('whose last line is torn anywhere is read without it', () => {
    const whole = Buffer.from(lines.slice(0, 3).join(''))
    const last = Buffer.from(lines[3]!)
    for (let bytes = 1; bytes < last.length; bytes++) {
      const read = decode(Buffer.concat([whole, last.subarray(0, bytes)]))
      expect(read).toMatchObject({ torn: true, damaged: [], next: 4, bytes: whole.length })
      expect(read.records).toEqual(records.slice(0, 3))
    }
  })

  test('that ends in zeros, as after a loss of power, is read without them', () => {
    const read = decode(Buffer.concat([Buffer.from(lines.join('')), Buffer.alloc(100)]))
    expect(read).toMatchObject({ records, torn: true, damaged: [] })
  })

  test.each<[string, string[], { line: number; why: string }[], number]>([
    [
      'a line is missing',
      [lines[0]!, lines[2]!, lines[3]!],
      [{ line: 2, why: 'it has the number 3 where 2 is due' }],
      3,
    ],
    [
      'two lines are exchanged',
      [lines[0]!, lines[2]!, lines[1]!, lines[3]!],
      [
        { line: 2, why: 'it has the number 3 where 2 is due' },
        { line: 3, why: 'it has the number 2 where 4 is due' },
        { line: 4, why: 'it has the number 4 where 3 is due' },
      ],
      4,
    ],
    [
      'a line is there twice',
      [lines[0]!, lines[1]!, lines[1]!],
      [{ line: 3, why: 'it has the number 2 where 3 is due' }],
      3,
    ],
    [
      'a line is of something else',
      [lines[0]!, '{"n":2}\n', lines[2]!],
      [{ line: 2, why: 'it is not a record with a checksum' }],
      2,
    ],
  ])('in which %s reports it by line', (_, text, damaged, left) => {
    const read = decode(text.join(''))
    expect(read.damaged).toEqual(damaged)
    expect(read.records).toHaveLength(left)
  })

  test('with any byte changed reports that line, or ends with it', () => {
    const whole = Buffer.from(lines.join(''))
    fc.assert(
      fc.property(fc.nat(whole.length - 1), fc.integer({ min: 1, max: 255 }), (at, difference) => {
        const bytes = Buffer.from(whole)
        bytes[at]! ^= difference
        const read = decode(bytes)
        const line = whole.subarray(0, at).toString().split('\n').length
        if (at === whole.length - 1) return read.torn && read.records.length === 3
        return read.damaged.some(each => each.line === line)
      }),
    )
  })

  test('takes data that is not JSON', () => {
    const circle: Record<string, unknown> = { big: 10n }
    circle.self = circle
    expect(JSON.parse(encodeRecord(run, 1, circle))).toMatchObject({
      big: '10',
      self: { self: null },
    })
  })
})
