import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { createFrameReader, type Frame } from '../../../lib/shell/frames.ts'

const nonce = 'hw0123456789ab'

/** The frames of a stream cut at `cuts`: the pieces of an output are joined, as their size doesn't matter. */
function read(bytes: Buffer, cuts: readonly number[] = []): (string | string[])[] {
  const reader = createFrameReader(nonce)
  const frames: Frame[] = []
  let from = 0
  for (const cut of [...cuts, bytes.length]) {
    frames.push(...reader.push(bytes.subarray(from, cut)))
    from = cut
  }
  const said: (string | string[])[] = []
  for (const frame of frames) {
    if (frame.kind === 'mark') said.push(frame.words)
    else if (typeof said.at(-1) === 'string')
      said[said.length - 1] += frame.chunk.toString('latin1')
    else said.push(frame.chunk.toString('latin1'))
  }
  return said
}

const mark = (...words: string[]) => `${nonce} ${words.join(' ')}\n`

describe('reading frames', () => {
  test.each([
    ['a marker between outputs', `one${mark('end', '1')}two`, ['one', ['end', '1'], 'two']],
    ['a line’s end before a marker is output', `one\n${mark('x')}`, ['one\n', ['x']]],
    ['markers in a row', `${mark('a')}${mark('b')}`, [['a'], ['b']]],
    ['empty words', mark('end', '', ''), [['end', '', '']]],
    ['another session’s marker', '\nhw000000000000 end 1\n.', ['\nhw000000000000 end 1\n.']],
    ['a marker within a line', `x${nonce} end\n.`, ['x', ['end'], '.']],
    ['a nonce that nothing follows', `x${nonce}.`, [`x${nonce}.`]],
    ['UTF-8 in words', mark('file', 'ü'), [['file', 'ü']]],
  ])('%s', (_, text, expected) => {
    expect(read(Buffer.from(text))).toEqual(expected)
  })

  test('output is passed on at once, except for what may become a marker', () => {
    const reader = createFrameReader(nonce)
    expect(reader.push(Buffer.from('abc'))).toEqual([{ kind: 'output', chunk: Buffer.from('abc') }])
    expect(reader.push(Buffer.from(`d\n${nonce.slice(0, 3)}`))).toEqual([
      { kind: 'output', chunk: Buffer.from('d\n') },
    ])
    expect(reader.push(Buffer.from('x'))).toEqual([
      { kind: 'output', chunk: Buffer.from(`${nonce.slice(0, 3)}x`) },
    ])
  })

  test.each([
    [
      'in one piece',
      (reader: ReturnType<typeof createFrameReader>) =>
        reader.push(Buffer.from(mark('x'.repeat(70_000)))),
    ],
    [
      'in pieces',
      (reader: ReturnType<typeof createFrameReader>) => {
        reader.push(Buffer.from(`${nonce} `))
        for (let n = 0; n < 70; n++) reader.push(Buffer.alloc(1000, 'x'))
      },
    ],
  ])('refuses a marker without an end, %s', (_, feed) => {
    expect(() => feed(createFrameReader(nonce))).toThrow(RangeError)
  })

  /** Bytes with many beginnings of markers. */
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 20 }).map(bytes => Buffer.from(bytes)),
    fc
      .constantFrom('\n', nonce, `\n${nonce}`, `${nonce} `, mark('end', '1'), ' ', '\n\n')
      .map(text => Buffer.from(text)),
    fc.nat(nonce.length).map(length => Buffer.from(nonce.slice(0, length))),
  )
  const stream = fc.array(piece, { maxLength: 20 }).map(pieces => Buffer.concat(pieces))

  test('gives the same frames however the stream is cut, and neither loses nor adds a byte', () => {
    fc.assert(
      fc.property(stream, fc.array(fc.nat(400), { maxLength: 12 }), (bytes, places) => {
        const cuts = places.map(place => place % (bytes.length + 1)).sort((a, b) => a - b)
        const whole = read(bytes)
        expect(read(bytes, cuts)).toEqual(whole)
        expect(read(bytes, Array.from(bytes.keys()))).toEqual(whole)
        // Words are UTF-8, so skip markers with other bytes: they can't be ours.
        if (whole.every(each => typeof each === 'string' || !each.join('').includes('\ufffd'))) {
          const utf8 = whole.map(each =>
            typeof each === 'string' ? Buffer.from(each, 'latin1') : Buffer.from(mark(...each)),
          )
          const back = Buffer.concat(utf8)
          // What is held back is an incomplete marker.
          expect(bytes.subarray(0, back.length).equals(back)).toBe(true)
          const rest = bytes.subarray(back.length).toString('latin1')
          const opening = `${nonce} `
          expect(rest.startsWith(opening) || opening.startsWith(rest)).toBe(true)
        }
      }),
      { numRuns: 500 },
    )
  })
})
