import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { Command, Place } from '../../../lib/cli/command.ts'
import { createSource } from '../../../lib/cli/command-source.ts'
import { commandHelp } from '../../../lib/cli/help.ts'
import { recipeOptions } from '../../../lib/cli/options/commands.ts'
import { optionGroups } from '../../../lib/cli/options/option.ts'
import { ownCommands } from '../../../lib/cli/own-commands.ts'
import { type CommandSource, runProgram } from '../../../lib/cli/program.ts'
import { temporaryDirectory } from '../../support/shells.ts'
import { fakeOutput } from '../ui/fake-output.ts'

// These tests start programs, or try many cases each.
vi.setConfig({ testTimeout: 20_000 })

const place = (): Place & ReturnType<typeof fakeOutput> => ({
  ...fakeOutput(),
  cwd: '/',
  project: {},
  passwords: {},
})

/** A source of one command, which keeps what it is run with. */
function fakeSource() {
  const runs: { words: readonly string[]; options: Record<string, unknown> }[] = []
  const command: Command = {
    name: 'greet.all',
    usage: '<name>',
    description: 'Greet everybody',
    args: [['name', 'who']],
    examples: ['greet.all world --on web'],
    options: recipeOptions,
    run: async (words, options) => {
      runs.push({ words, options })
      return 4
    },
  }
  const source: CommandSource = {
    names: () => ['greet.all', 'list'],
    overview: async () => [command],
    load: async () => command,
  }
  return { source, runs }
}

async function run(...words: string[]) {
  const { source, runs } = fakeSource()
  const at = place()
  const exitCode = await runProgram(words, source, at, '1.2.3')
  return { exitCode, runs, out: at.stdout.text(), err: at.stderr.text() }
}

describe('a command line', () => {
  test('runs the command with its words and options, and returns its exit code', async () => {
    const { exitCode, runs } = await run('greet.all', '1.10', '--on', 'web', '--', '--check', '-')
    expect(exitCode).toBe(4)
    expect(runs).toMatchObject([
      { words: ['1.10', '--check', '-'], options: { on: 'web', check: false } },
    ])
  })

  test.each([[], ['--help'], ['-h'], ['help']])('%s shows the commands', async (...words) => {
    const { exitCode, out, runs } = await run(...words)
    expect(exitCode).toBe(0)
    expect(out).toContain('greet.all <name>  Greet everybody')
    expect(runs).toEqual([])
  })

  test.each([
    ['greet.all', '--help'],
    ['greet.all', 'x', '-h', '--on', 'web'],
    ['help', 'greet.all'],
  ])('%s %s shows its help and runs nothing', async (...words) => {
    const { exitCode, out, runs } = await run(...words)
    expect(exitCode).toBe(0)
    expect(out).toContain('Usage:\n  hostwright greet.all <name> [options]')
    expect(out).toContain('Examples:\n  hostwright greet.all world --on web')
    expect(runs).toEqual([])
  })

  test.each([['--version'], ['-v']])('%s shows the version', async word => {
    expect((await run(word)).out).toBe('1.2.3\n')
  })

  test('an option before the command is refused', async () => {
    await expect(run('--on', 'web', 'greet.all')).rejects.toMatchObject({
      code: 'usage',
      message: 'a command comes first, not --on',
    })
  })

  test.each(['greet.al', 'Greet.all', 'help greet.al', 'toString', ''])(
    'names the nearest of an unknown command: %j',
    async line => {
      await expect(run(...line.split(' '))).rejects.toMatchObject({ code: 'unknown_name' })
    },
  )
})

describe('a recipe named like one of our own commands', () => {
  const own = ['exec', 'help', 'lab', 'list', 'unlock']

  async function project() {
    const directory = await temporaryDirectory()
    await mkdir(join(directory, 'recipes'))
    for (const name of own) await writeFile(join(directory, 'recipes', `${name}.js`), 'throw 1\n')
    return directory
  }

  test('is refused, and so is the command', async () => {
    const source = createSource(await project())
    expect(source.names().filter(name => name === 'exec')).toHaveLength(1)
    for (const name of own) {
      await expect(source.load(name)).rejects.toMatchObject({
        code: 'recipe_invalid',
        message: expect.stringContaining(`${name}.js can’t be run: ${name} is hostwright’s own`),
        details: { hint: 'Give the file another name.' },
      })
    }
    expect(await runProgram(['help'], source, place(), '1')).toBe(0)
  })

  test('is listed with the reason', async () => {
    const source = createSource(await project())
    const listed = await source.overview()
    for (const name of own) {
      const [recipe, command] = listed.filter(each => each.name === name)
      expect(recipe!.description).toContain('can’t be run')
      expect(command === undefined).toBe(name === 'help')
    }
  })
})

describe('help', () => {
  const source = createSource(undefined)
  let commands: Command[] = []
  // Recipes are compiled as they are loaded.
  beforeAll(async () => {
    commands = await Promise.all(source.names().map(name => source.load(name)))
  }, 60_000)

  // It was tried at 80 columns only, and a terminal of 60 broke its words.
  test.each([80, 60])('fits in %i columns, for every command that ships', async columns => {
    const at = place()
    Object.assign(at.stdout, { columns })
    await runProgram([], source, at, '1.2.3')
    const all = commands.flatMap(command => [command, ...(command.commands ?? [])])
    const texts = [at.stdout.text(), ...all.map(each => commandHelp(each, columns))]
    const long = texts
      .flatMap(text => text.split('\n'))
      // Lines that can be copied stay whole.
      .filter(line => line.length > columns && !line.startsWith('  hostwright '))
    expect(long).toEqual([])
  })

  test('shows each command with its options, their defaults, and an example', () => {
    for (const command of commands) {
      const help = commandHelp(command)
      expect(help).toContain(command.description)
      expect(command.examples.length, command.name).toBeGreaterThan(0)
      for (const example of command.examples)
        expect(help).toContain(`  hostwright ${example}\n`.trimEnd())
    }
    const provision = commands.find(({ name }) => name === 'server.provision')!
    expect(commandHelp(provision)).toMatch(/--forks <number> +Hosts at a time \(default: 50\)/)
  })

  test('puts options under the heading of their group, aligned under all of them', async () => {
    const help = commandHelp(await fakeSource().source.load('greet.all'))
    const headings = [...help.matchAll(/^(\w+) options:$/gm)].map(match => match[1])
    // A recipe starts no project.
    const { project, ...groups } = optionGroups
    expect(headings).toEqual(Object.values(groups))
    expect(headings).not.toContain(project)
    for (const option of recipeOptions) {
      const from = help.indexOf(`${optionGroups[option.group]} options:`)
      const to = help.indexOf('\n\n', from)
      expect(help.slice(from, to)).toContain(option.flags)
    }
    const starts = recipeOptions.map(({ flags, description }) => {
      const line = help.split('\n').find(each => each.includes(`${flags} `))!
      return line.indexOf(description.split(' ')[0]!, line.indexOf(flags) + flags.length)
    })
    expect(new Set(starts).size).toBe(1)
  })

  test('puts options of exec before the command, and lists commands under a name', () => {
    expect(commandHelp(ownCommands.exec)).toContain('hostwright exec [options] -- <command>\n')
    const list = commandHelp(ownCommands.list)
    expect(list).toMatch(/^Commands:\n {2}recipes +Show the recipes\n/m)
    expect(list).not.toContain('--become')
  })

  test('of list hosts is shown for --help before and after hosts', async () => {
    for (const words of ['list hosts --help', 'help list hosts', 'list --help hosts']) {
      const at = place()
      expect(await runProgram(words.split(' '), source, at, '1')).toBe(0)
      expect(at.stdout.text()).toContain('Usage:\n  hostwright list hosts [options]')
    }
  })

  test('wraps and aligns long descriptions', async () => {
    const { source: fake } = fakeSource()
    const command = await fake.load('greet.all')
    const help = commandHelp({
      ...command,
      options: [
        { flags: '--long <value>', group: 'output', description: 'word '.repeat(30).trim() },
      ],
    })
    const lines = help.split('\n').filter(line => line.includes('word'))
    expect(lines.length).toBeGreaterThan(2)
    expect(new Set(lines.slice(1).map(line => line.search(/\S/)))).toEqual(
      new Set([lines[0]!.indexOf('word')]),
    )
  })

  /** What a module loads at once; `import()` and types come later or never. */
  function loads(file: string, seen = new Set<string>()): Set<string> {
    if (seen.has(file)) return seen
    seen.add(file)
    const source = readFileSync(file, 'utf8')
    const imports = /^(?:import|export) (?!type\b)(?:[^'"]*? from )?'([^']+)'/gm
    for (const [, name] of source.matchAll(imports)) {
      if (name!.startsWith('.')) loads(resolve(dirname(file), name!), seen)
      else seen.add(name!)
    }
    return seen
  }

  test('loads neither ssh2 nor listr2 nor zx nor the engine', () => {
    const root = fileURLToPath(new URL('../../..', import.meta.url))
    const seen = loads(join(root, 'lib/cli/start.ts'))
    for (const name of source.names().filter(each => each.includes('.') || each === 'heartbeat'))
      loads(join(root, 'recipes', `${name}.ts`), seen)
    const libraries = [...seen].filter(name => !name.startsWith('/') && !name.startsWith('node:'))
    expect(libraries.sort()).toEqual(['cac', 'fastest-levenshtein'])
    expect(
      [...seen].filter(name => /lib\/(host|rollout|lab|transport|ui\/pretty)/.test(name)),
    ).toEqual([])
  })
})
