import { expect, test } from 'vitest'
import { createTail } from '../../../lib/session/tail.ts'

const kept = (limit: number, ...pieces: string[]) => {
  const tail = createTail(limit)
  for (const piece of pieces) tail.push(Buffer.from(piece))
  return tail.bytes().toString()
}

test.each([
  [4, [], ''],
  [4, ['ab'], 'ab'],
  [4, ['ab', 'cd'], 'abcd'],
  [4, ['ab', 'cde'], 'bcde'],
  [4, ['abcdefghijkl'], 'ijkl'],
  [4, ['a', 'bcdefgh', 'ij', '', 'k'], 'hijk'],
  [Number.POSITIVE_INFINITY, ['ab', 'cd', 'ef'], 'abcdef'],
])('a tail keeps the last %d bytes of %j', (limit, pieces, expected) => {
  expect(kept(limit, ...pieces)).toBe(expected)
})
