import { cac } from 'cac'
import { describe, expect, test } from 'vitest'
import type { CommandInfo } from '../../../lib/cli/command.ts'
import { recipeOptions } from '../../../lib/cli/options/commands.ts'
import { helpOption } from '../../../lib/cli/options/output.ts'
import { prepareWords, readOptions, unmark } from '../../../lib/cli/read-words.ts'

const command: CommandInfo = {
  name: 'x',
  usage: '',
  description: '',
  args: [],
  examples: [],
  options: recipeOptions,
}

/** The whole way of a command line: our checks, cac, and reading what it made of them. */
function parse(line: string[]): Record<string, unknown> {
  const options = [...recipeOptions, helpOption]
  const cli = cac('hostwright')
  const defined = cli.command('x [...words]', '')
  for (const { flags, description } of options) defined.option(flags, description)
  const { words } = prepareWords(line, command)
  const parsed = cli.parse(['', '', 'x', ...words], { run: false })
  return { words: parsed.args.map(unmark), ...readOptions(parsed.options, options) }
}

describe('a value', () => {
  test.each([
    '1.10',
    '0x10',
    '007',
    '1e3',
    'Infinity',
    'true',
    'false',
    'null',
    ' ',
    'a=b=c',
    'two words',
    'web:&eu:!web3',
    '~^web\\d',
    '-1',
    '-x',
    '--not-an-option',
    '\uE000',
    'two\nlines',
    '日本',
  ])('%j is kept as it is, after a space and after =', text => {
    expect(parse(['--on', text]).on).toBe(text)
    expect(parse([`--on=${text}`]).on).toBe(text)
    expect(parse(['--var', text, `--var=${text}`]).var).toEqual([text, text])
    expect(parse(['-i', text]).inventory).toEqual([text])
  })

  test('of -i may follow it without a space', () => {
    for (const words of [['-ilab'], ['-i=lab'], ['-i', 'lab'], ['--inventory=lab']])
      expect(parse(words).inventory).toEqual(['lab'])
    expect(parse(['-i./some=where', '-i', 'b,']).inventory).toEqual(['./some=where', 'b,'])
  })

  test.each([['--on'], ['--on', '--'], ['--on', '--check'], ['-i', '-h'], ['--on', '--inventory']])(
    'that is missing is refused: %s %s',
    (...words) => {
      expect(() => parse(words)).toThrow(
        expect.objectContaining({
          code: 'usage',
          message: expect.stringContaining(`${words[0]} needs a value`),
        }),
      )
    },
  )

  test.each([
    [['--on', '']],
    [['--on=']],
    [['-i', '']],
    [['--inventory=']],
    [['--callback-url', '']],
  ])('that is empty is refused: %j', words => {
    expect(() => parse(words)).toThrow(
      expect.objectContaining({
        code: 'usage',
        message: expect.stringContaining(`${words[0]!.replace('=', '')} is empty`),
        details: { hint: expect.stringContaining('shell variable') },
      }),
    )
  })

  test('that looks like an option may be given with =', () => {
    expect(parse(['--on=--check'])).toMatchObject({ on: '--check', check: false })
  })
})

describe('a word', () => {
  test.each(['-', '---', '---x', '1.10', '0x10', 'key=value', '', 'true', '\uE000'])(
    '%j is kept as it is',
    word => {
      expect(parse(['a', word, 'b', '--check'])).toMatchObject({
        words: ['a', word, 'b'],
        check: true,
      })
    },
  )

  test.each(['--check', '-h', '--', '--no-check', '-1.50', '--x=y', 'web'])(
    'after -- is not an option: %j',
    word => {
      const parsed = parse(['a', '--', word, 'z'])
      expect(parsed).toMatchObject({ words: ['a', word, 'z'], check: false, help: false })
    },
  )
})

describe('an option', () => {
  test('about reaching hosts has Ansible’s letter', () => {
    expect(parse(['-b', '-k', '-K'])).toMatchObject({
      become: true,
      askPass: true,
      askBecomePass: true,
    })
    expect(parse(['--become-user', 'app', '--transport=openssh'])).toMatchObject({
      become: false,
      becomeUser: 'app',
      transport: 'openssh',
    })
    expect(
      parse(['--max-fail', '10%', '--max-unreachable=2', '--ssh-config', 'none']),
    ).toMatchObject({ maxFail: '10%', maxUnreachable: '2', sshConfig: 'none' })
  })

  test('that is not given has its default, or is off', () => {
    expect(parse([])).toMatchObject({
      forks: '50',
      timeout: '30s',
      waitLock: '0s',
      check: false,
      var: [],
      on: undefined,
    })
  })

  test.each([
    ['--onn=web', "unknown option '--onn': did you mean --on?"],
    ['--no-check', "unknown option '--no-check': did you mean --check?"],
    ['--Check', "unknown option '--Check': did you mean --check?"],
    ['-x', "unknown option '-x'"],
    ['-on', "unknown option '-on'"],
    ['-check', "unknown option '-check'"],
    ['--i=lab', "unknown option '--i'"],
    ['--', undefined],
  ])('%s', (word, message) => {
    if (!message) return expect(parse([word]).words).toEqual([])
    expect(() => parse([word])).toThrow(
      expect.objectContaining({
        code: 'unknown_name',
        message: expect.stringContaining(message),
      }),
    )
  })

  test('is refused a second time, unless it is repeatable', () => {
    expect(() => parse(['--on=a', '--on', 'b'])).toThrow('--on is given twice')
    expect(() => parse(['--check', '--check'])).toThrow('--check is given twice')
    expect(parse(['--var=a=1', '--var', 'b=2']).var).toEqual(['a=1', 'b=2'])
    expect(() => parse(['--tags', 'a', '--tags', 'b'])).toThrow(
      expect.objectContaining({ details: { hint: 'Join the tags: --tags config,web.' } }),
    )
    expect(() => parse(['--forks', '1', '--forks', '2'])).toThrow(
      expect.objectContaining({ details: { hint: 'x takes it once.' } }),
    )
  })

  test('that is on or off takes no value', () => {
    for (const word of ['--check=true', '--check=', '-h=1', '--diff=no'])
      expect(() => parse([word])).toThrow('takes no value')
  })
})
