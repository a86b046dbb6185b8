/** Which command takes which option, and what it says of the others. */
import { describe, expect, test } from 'vitest'
import type { CommandInfo, Place } from '../../../lib/cli/command.ts'
import { allOptions, recipeOptions, settleOptions } from '../../../lib/cli/options/commands.ts'
import { describeFlags, optionGroups } from '../../../lib/cli/options/option.ts'
import { ownCommands } from '../../../lib/cli/own-commands.ts'
import { type CommandSource, runProgram } from '../../../lib/cli/program.ts'
import { fakeOutput } from '../ui/fake-output.ts'

const target = ['on', 'inventory', 'var']
const vault = ['vault-password-file', 'vault-id', 'ask-vault-pass']
const connection = [
  ...['timeout', 'accept-new', 'transport', 'ssh-config'],
  ...['ask-pass', 'become', 'become-user', 'ask-become-pass'],
  ...vault,
]
const selection = ['tags', 'skip-tags', 'start-at']
const batches = [
  ...['serial', 'canary', 'max-unavailable', 'order', 'bake', 'gate', 'pause', 'max-fail'],
  ...['max-unreachable', 'deadline', 'on-failure', 'rollout'],
]
/** Which hosts are in which batch is decided once. */
const later = batches.filter(long => !['serial', 'canary', 'order', 'rollout'].includes(long))
const output = ['output', 'verbose', 'debug', 'log']

/** Words that choose a command, and the options that it takes beside --help. */
const table: Readonly<Record<string, readonly string[]>> = {
  'server.provision': [
    ...[...target, ...connection, ...selection, 'check', 'diff', 'step'],
    ...['forks', ...batches, 'command-timeout', 'reconnect', 'wait-lock', ...output, 'no-journal'],
    'report',
    'callback-url',
    'callback-events',
  ],
  exec: [
    ...[...target, ...connection, 'check'],
    ...[
      'forks',
      ...batches,
      'command-timeout',
      'reconnect',
      ...output,
      'no-journal',
      'report',
      'callback-url',
      'callback-events',
    ],
  ],
  plan: [
    ...[...target, ...connection, ...selection, 'out', 'diff', 'no-drain'],
    ...['forks', 'command-timeout', 'reconnect', ...output],
  ],
  apply: [
    ...['on', ...connection, 'diff'],
    ...['forks', ...batches, 'command-timeout', 'reconnect', 'wait-lock', ...output, 'no-journal'],
    'report',
    'callback-url',
    'callback-events',
  ],
  log: [...[...target, ...connection, 'since', 'limit', 'forks', ...output]],
  runs: ['on', 'failed', 'recipe', 'since', 'output'],
  'runs show': ['host', 'output', 'html'],
  report: ['verbose', 'report'],
  attach: ['output', 'verbose'],
  resume: [
    ...[...connection, 'anyway', 'forks', ...later],
    ...['command-timeout', 'reconnect', 'wait-lock', ...output, 'report'],
    ...['callback-url', 'callback-events'],
  ],
  continue: [
    ...[...connection, 'anyway', 'forks', ...later],
    ...['command-timeout', 'reconnect', 'wait-lock', ...output, 'report'],
    ...['callback-url', 'callback-events'],
  ],
  abort: [
    ...[...connection, 'rollback', 'anyway', 'forks', 'command-timeout', 'reconnect', 'wait-lock'],
    ...[...output, 'report', 'callback-url', 'callback-events'],
  ],
  retry: [
    ...[...connection, 'forks', ...batches, 'command-timeout', 'reconnect', 'wait-lock'],
    ...[...output, 'no-journal', 'report', 'callback-url', 'callback-events'],
  ],
  callbacks: ['output'],
  'callbacks send': ['inventory', 'output', 'callback-url'],
  'callbacks drop': ['all'],
  'list recipes': ['inventory', 'output'],
  'list hosts': [...target, ...vault, 'output'],
  'list groups': ['inventory', 'var', ...vault, 'output'],
  'list vars': ['inventory', 'var', ...vault, 'output'],
  'list tasks': [
    ...[...target, ...connection, ...selection],
    ...['forks', 'command-timeout', 'reconnect', ...output],
  ],
  settle: [...target, ...connection, 'step', 'as', 'check', 'wait-lock', 'forks', ...output],
  unlock: [...target, ...connection, 'yes', 'forks', ...output],
  init: ['environment', 'hosts', 'ansible', 'ci', 'package', 'no-install'],
  test: [],
  complete: [],
  'lab up': [],
  'lab down': [],
  'lab status': [],
}

const place = (): Place => ({ ...fakeOutput(), cwd: '/', project: {}, passwords: {} })

const recipe: CommandInfo = {
  name: 'server.provision',
  usage: '',
  description: '',
  args: [],
  examples: [],
  options: recipeOptions,
}

/** The real commands, which only keep the options that they would run with. */
function source() {
  const runs: Record<string, unknown>[] = []
  const commands = new Map<string, CommandInfo>(
    [...Object.values(ownCommands), recipe].map(command => [command.name, command]),
  )
  const kept: CommandSource = {
    names: () => [...commands.keys()],
    overview: async () => [],
    load: async name => ({
      ...commands.get(name)!,
      run: async (_, options) => {
        runs.push({ ...options })
        return 0
      },
    }),
  }
  return { kept, runs }
}

/** Of `settle` --step takes a title. */
const wordsOf = (long: string, command = '') => {
  const options = command === 'settle' ? settleOptions : allOptions
  const option = [...options, ...allOptions].find(each => describeFlags(each).long === long)!
  return describeFlags(option).takesValue ? [`--${long}`, 'k=value'] : [`--${long}`]
}

const all = allOptions.map(option => describeFlags(option).long)
const pairs = Object.entries(table).flatMap(([command, takes]) =>
  all.map(long => [command, long, takes.includes(long)] as const),
)

test('the table has every command and every option', () => {
  const own = Object.values<CommandInfo>(ownCommands)
  const names = own.flatMap(({ name, commands }) => commands?.map(each => each.name) ?? name)
  expect(new Set(Object.keys(table))).toEqual(new Set([recipe.name, ...names]))
  expect(new Set(Object.values(table).flat())).toEqual(new Set(all))
})

describe('accepted:', () => {
  test.each(pairs.filter(([, , taken]) => taken))('%s --%s', async (command, long) => {
    const { kept, runs } = source()
    // Before the words of the command and behind them: the same.
    const [name, ...rest] = command.split(' ')
    await runProgram([name!, ...wordsOf(long, command), ...rest], kept, place(), '1')
    await runProgram([name!, ...rest, ...wordsOf(long, command)], kept, place(), '1')
    expect(runs).toHaveLength(2)
    const option = allOptions.find(each => describeFlags(each).long === long)!
    const { key } = describeFlags(option)
    for (const options of runs)
      expect(options[key]).toEqual(
        wordsOf(long, command).length === 1 ? true : option.repeatable ? ['k=value'] : 'k=value',
      )
    expect(runs[0]).toEqual(runs[1])
  })
})

describe('refused, with the command and what to do instead:', () => {
  test.each(pairs.filter(([, , taken]) => !taken))('%s --%s', async (command, long) => {
    const { kept, runs } = source()
    const words = [...command.split(' '), ...wordsOf(long)]
    const run = () => runProgram(words, kept, place(), '1')
    const name = command.startsWith('lab') ? 'lab' : command
    await expect(run()).rejects.toMatchObject({
      code: 'usage',
      message: `${name} does not take --${long}`,
      details: { hint: expect.stringMatching(/\w.*\.$/) },
    })
    expect(runs).toEqual([])
  })

  test('exec’s hint says where options of the command go', async () => {
    for (const word of ['--tags', '-la'])
      await expect(
        runProgram(['exec', word, 'x'], source().kept, place(), '1'),
      ).rejects.toMatchObject({
        details: { hint: expect.stringContaining('write -- before the command') },
      })
  })
})

test('an option of another command is not taken for a missing value', async () => {
  const run = runProgram(['exec', '--on', '--tags', 'x'], source().kept, place(), '1')
  await expect(run).rejects.toMatchObject({ message: '--on needs a value: --on <pattern>' })
})

test('each group has a heading', () => {
  for (const { group } of allOptions) expect(optionGroups).toHaveProperty(group)
})
