import { expect, test } from 'vitest'
import { createSelection } from '../../../lib/program/selection.ts'
import { command } from '../../../lib/resources/commands/command.ts'
import { createExcludes } from '../../../lib/resources/files/tree/exclude.ts'
import { wildcards } from '../../../lib/shell/wildcards.ts'
import { matchesHost } from '../../../lib/transport/config/host-patterns.ts'

/** All texts of up to `most` of these characters. */
const texts = (characters: readonly string[], most: number): string[] =>
  most === 0
    ? ['']
    : ['', ...characters.flatMap(char => texts(characters, most - 1).map(rest => char + rest))]

test('a star stands for any text, wherever it is and however many there are', () => {
  const globs = new Set(texts(['a', 'b', '*', '.'], 5))
  const values = [...new Set(texts(['a', 'b', '\n'], 5))]
  for (const glob of globs) {
    const pieces = glob.split('*')
    const ours = wildcards(pieces, 'u')
    const oracle = new RegExp(`^${pieces.join('.*')}$`, 'su')
    const wrong = values.find(value => ours.test(value) !== oracle.test(value))
    expect([glob, wrong]).toEqual([glob, undefined])
  }
})

// The tests before had one or two stars, and short names.
test.each<[string, (glob: string, name: string) => boolean]>([
  ['--start-at', (glob, name) => starts(glob, name)],
  ['an exclude', (glob, name) => createExcludes([glob]).has(name)],
  ['a pattern of ssh’s configuration', (glob, name) => matchesHost([glob], name)],
])('%s with many stars is answered at once', (_, matches) => {
  const began = performance.now()
  expect(matches(`${'*a'.repeat(20)}b`, 'a'.repeat(250))).toBe(false)
  expect(matches(`${'*a'.repeat(20)}*`, 'a'.repeat(250))).toBe(true)
  expect(performance.now() - began).toBeLessThan(10_000)
})

function starts(startAt: string, title: string): boolean {
  const selection = createSelection({ tags: [], skipTags: [], startAt })
  return selection.takes(command('true', { title }), [])
}
