import { describe, expect, test } from 'vitest'
import { kept, notPrinted, tutorialSteps } from '../support/tutorial.ts'

describe('the steps of a tutorial', () => {
  test('are its commands with their output, and its files, in order', () => {
    const page =
      '# A\n```sh\na --b \\\n  c\nd\necho "exit code $?"\n```\n\n```text\nx\n```\n' +
      '```ts\n// r/a.ts\nb()\n```\n```ini\n; add to c.ini\n\n[d]\n```\n'
    expect(tutorialSteps(page)).toEqual([
      {
        kind: 'commands',
        line: 3,
        commands: ['a --b   c', 'd\necho "exit code $?"'],
        shown: 'x\n',
      },
      { kind: 'file', line: 13, path: 'r/a.ts', text: '// r/a.ts\nb()\n', add: false },
      { kind: 'file', line: 17, path: 'c.ini', text: '\n[d]\n', add: true },
    ])
  })

  test.each([
    ['a command in the prose that no block has', 'Then `hostwright lab down`.\n'],
    ['an indented block', 'Then\n\n    hostwright lab down\n'],
    ['a block without a language', '```\nhostwright lab down\n```\n'],
    ['a block of code that names no file', '```ts\na()\n```\n'],
    ['output without a command', '```text\nx\n```\n'],
    ['a block without an end', '```sh\na\n'],
  ])('are refused with %s', (_, page) => {
    expect(() => tutorialSteps(page)).toThrow()
  })

  test('may have a command in the prose that a block has', () => {
    expect(tutorialSteps('`hostwright lab down`\n```sh\nhostwright lab down\n```\n')).toHaveLength(
      1,
    )
  })
})

describe('a shown output', () => {
  test.each([
    ['a\nb\n', 'a\nb\n'],
    ['a  0.4 s\n', 'a  12 s\n'],
    ['a 127.0.0.1:22  12  ready', 'a   127.77.1.1:2222  3456  ready'],
    ['…\nb\n', 'x\ny\nb\n'],
    ['a\n…\n', 'a\nx\n'],
    ['a … c', 'a b b c'],
    ['lab1 | a\nlab2 | b', 'lab2 | b\nlab1 | a'],
  ])('%j is what was printed: %j', (shown, printed) => {
    expect(notPrinted(shown, printed)).toBeUndefined()
  })

  test.each([
    ['a\nb\n', 'a\n', 'b'],
    ['a\n', 'a\nb\n', '(the end) b'],
    ['a\nb\n', 'a\nx\nb\n', 'b'],
    ['…\nb\n', 'a\n', 'b'],
    ['b\n…\na', 'a\nb\n', 'b'],
    ['1 changed', '2 changed', '1 changed'],
    ['  a', 'a', '  a'],
  ])('%j is not what was printed: %j', (shown, printed, first) => {
    expect(notPrinted(shown, printed)).toBe(first)
  })

  test('has no frames that were drawn and taken away', () => {
    expect(kept('a\n\x1b[?2026hx\ny\x1b[?2026lb\n\x1b[?2026h\x1b[?2026l')).toBe('a\nb\n')
  })
})
