import { describe, expect, test } from 'vitest'
import { createRepeatedOutput } from '../../../lib/session/repeated-output.ts'

const bytes = (text: string) => Buffer.from(text)

/** What is passed on of output that comes in these pieces, `again` before each but the first. */
function passed(pieces: readonly (readonly string[])[], compare = false) {
  let said = ''
  const repeated = createRepeatedOutput((_, chunk) => {
    said += chunk.toString()
  }, compare)
  for (const [at, chunks] of pieces.entries()) {
    if (at > 0) repeated.again()
    for (const chunk of chunks) repeated.output('stdout', bytes(chunk))
  }
  return { said, same: repeated.same }
}

describe('output that comes again', () => {
  test.each([
    [
      'at a chunk’s end',
      [
        ['ab', 'c'],
        ['ab', 'cde'],
      ],
    ],
    ['within a chunk', [['abc'], ['a', 'bcd', 'e']]],
    ['twice', [['ab'], ['abc'], ['abcd', 'e']]],
    ['before any of it came', [[], ['abcde']]],
    ['after all of it came', [['abcde'], ['abcde']]],
    ['in fewer bytes than before, and then in full', [['abc'], ['a'], ['abcde']]],
  ])('is passed on once if it was cut %s', (_, pieces) => {
    expect(passed(pieces)).toEqual({ said: 'abcde', same: true })
    expect(passed(pieces, true)).toEqual({ said: 'abcde', same: true })
  })

  test('is not passed on if it is another, and that is known', () => {
    expect(passed([['abc'], ['abX', 'de']], true)).toEqual({ said: 'abc', same: false })
    expect(passed([['abc'], ['ab']], true)).toEqual({ said: 'abc', same: false })
  })

  test('is counted for each stream of its own', () => {
    const said: string[] = []
    const repeated = createRepeatedOutput((stream, chunk) => said.push(`${stream} ${chunk}`))
    repeated.output('stdout', bytes('ab'))
    repeated.output('stderr', bytes('x'))
    repeated.again()
    repeated.output('stderr', bytes('xy'))
    repeated.output('stdout', bytes('abc'))
    expect(said).toEqual(['stdout ab', 'stderr x', 'stderr y', 'stdout c'])
  })
})
