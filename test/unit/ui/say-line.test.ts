import { expect, test } from 'vitest'
import { sayLine } from '../../../lib/ui/say-line.ts'

/** What is written to a terminal of so many columns, or to a pipe. */
function written(columns: number | undefined, text: string, whole?: string): string {
  const pieces: string[] = []
  const stream = { columns, write: (piece: string) => void pieces.push(piece) }
  sayLine(stream as never, text, whole)
  return pieces.join('')
}

test('a line in a terminal is wrapped at spaces, and its end stays whole', () => {
  expect(written(40, 'To run failed hosts again:', 'hostwright retry 20261130T1334')).toBe(
    'To run failed hosts again:\n  hostwright retry 20261130T1334\n',
  )
  expect(written(40, 'note: some words that are more than forty columns')).toBe(
    'note: some words that are more than\n  forty columns\n',
  )
})

test('a line in a pipe stays one, and control characters in it are shown', () => {
  expect(written(undefined, 'Log of the run:', `/var/${'long/'.repeat(40)}\x1b[31m`)).toBe(
    `Log of the run: /var/${'long/'.repeat(40)}\\x1b[31m\n`,
  )
})
