import { describe, expect, test } from 'vitest'
import type { CommandInfo } from '../../../lib/cli/command.ts'
import { whatIsAsked } from '../../../lib/cli/completion/asked.ts'
import { inPlaceOf, splitLine } from '../../../lib/cli/completion/shell-line.ts'
import { ownCommands } from '../../../lib/cli/own-commands.ts'

const infoOf = ([name, second]: readonly string[]): CommandInfo | undefined => {
  const own = Object.values<CommandInfo>(ownCommands).find(each => each.name === name)
  return own?.commands?.find(each => each.name === `${name} ${second}`) ?? own
}
const asked = (...words: string[]) => whatIsAsked(words, infoOf)

describe('what is asked', () => {
  test.for([
    ['a command', ['ex'], { kind: 'command', begun: 'ex' }],
    ['an argument', ['list', ''], { kind: 'argument', words: [], begun: '' }],
    ['the next argument', ['resume', 'last', ''], { kind: 'argument', words: ['last'] }],
    ['an option', ['exec', '--o'], { kind: 'option', begun: '--o' }],
    ['a value', ['exec', '--on', 'w'], { kind: 'value', before: '', begun: 'w' }],
    [
      'a value in the same word',
      ['exec', '--on=w'],
      { kind: 'value', before: '--on=', begun: 'w' },
    ],
    ['an argument after a flag', ['unlock', '--yes', ''], { kind: 'argument', words: [] }],
    ['an argument after a value', ['apply', '--on', 'a', 'p'], { kind: 'argument', words: [] }],
    ['nothing of ours after --', ['exec', '--on', 'a', '--', ''], { kind: 'other' }],
    ['nothing of an unknown command', ['nope', ''], { kind: 'other' }],
  ] as const)('%s', ([, words, expected]) => {
    expect(asked(...words)).toMatchObject(expected)
  })

  test('is no option that was given, unless it is repeatable', () => {
    const flags = (...words: string[]) => {
      const found = asked(...words)
      return found.kind === 'option' ? found.options.map(({ flags }) => flags) : []
    }
    expect(flags('exec', '--on', 'a', '--')).not.toContain('--on <pattern>')
    expect(flags('exec', '--var', 'a=1', '--')).toContain('--var <key=value>')
  })
})

test.for([
  ['hostwright mo', ['hostwright', 'mo']],
  ['hostwright  exec --on ', ['hostwright', 'exec', '--on', '']],
  ["hostwright x 'a b' \"c d", ['hostwright', 'x', 'a b', 'c d']],
  ['hostwright $(touch x) a\\ b', ['hostwright', '$(touch', 'x)', 'a b']],
  ["hostwright ''", ['hostwright', '']],
] as const)('the line %s has these words', ([line, words]) => {
  expect(splitLine(line)).toEqual(words)
})

test('bash gets what it replaces: what is behind its last word break, or in quotes', () => {
  expect(inPlaceOf('e', 'web:&e', 'web:&eu')).toBe('eu')
  expect(inPlaceOf('w', '--on=w', '--on=web1')).toBe('web1')
  expect(inPlaceOf('gr', 'gr', 'greetings')).toBe('greetings')
  expect(inPlaceOf("'web:e", 'web:e', 'web:eu')).toBe('web:eu')
  expect(inPlaceOf('', 'web:', 'web:eu')).toBe('eu')
})
