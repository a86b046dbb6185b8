/** Reading a command line with cac: which command, its words and options, and help. */
import { type CAC, cac } from 'cac'
import { UsageError } from '../errors.ts'
import { unknownName } from '../shell/nearest.ts'
import type { Command, CommandInfo, Place } from './command.ts'
import { commandHelp, helpWidth, overviewHelp } from './help.ts'
import { helpOption } from './options/output.ts'
import { prepareWords, readOptions, unmark } from './read-words.ts'
import { refusedOption } from './refusals.ts'

/** Commands that are known without loading anything. */
export interface CommandSource {
  /** All names with what their arguments look like, for the overview. */
  overview(): Promise<readonly Pick<CommandInfo, 'name' | 'usage' | 'description'>[]>
  names(): readonly string[]
  /** Loads the command that was named. */
  load(name: string): Promise<Command>
}

const helpWords: readonly (string | undefined)[] = [undefined, '-h', '--help', 'help']

/** Columns: help is not made for less. */
const narrowest = 40

/**
 * Runs a command line.
 * @param words everything after the program's name
 * @returns the exit code
 */
export async function runProgram(
  words: readonly string[],
  source: CommandSource,
  place: Place,
  version: string,
) {
  const [first, ...others] = words
  const columns = Math.min(helpWidth, Math.max(narrowest, place.stdout.columns ?? helpWidth))
  // `help product.set` is `product.set --help`.
  const [name, ...rest] =
    first === 'help' && others[0] !== undefined ? [...others, '--help'] : [first, ...others]
  if (helpWords.includes(name)) {
    place.stdout.write(`${overviewHelp(await source.overview(), version, columns)}\n`)
    return 0
  }
  if (name === '-v' || name === '--version') {
    place.stdout.write(`${version}\n`)
    return 0
  }
  if (name!.startsWith('-'))
    throw new UsageError('usage', `a command comes first, not ${name}`, {
      hint: 'See `hostwright --help`.',
    })
  if (!source.names().includes(name!)) throw unknownName('command', name!, source.names())
  const command = await source.load(name!)
  const { info, words: read, options } = readLine(rest, command, version)
  if (options.help) {
    place.stdout.write(`${commandHelp(info, columns)}\n`)
    return 0
  }
  return command.run(read, options, place)
}

/**
 * @returns which command is meant, also of several under a name, with its words and options
 * @throws {UsageError} an option that the command does not take, or that is not well given
 */
function readLine(rest: readonly string[], command: Command, version: string) {
  const { words, given } = prepareWords(rest, command)
  const parsed = define(command, version).parse(['', '', command.name, ...words], { run: false })
  const read = parsed.args.map(unmark)
  const info: CommandInfo =
    command.commands?.find(({ name }) => name === `${command.name} ${read[0]}`) ??
    command.commands?.find(({ name }) => name === command.name) ??
    command
  for (const [option, flag] of given) {
    const taken = [...info.options, helpOption].some(({ flags }) => flags === option.flags)
    if (!taken) throw refusedOption(info, flag, option)
  }
  return {
    info,
    words: read,
    options: readOptions(parsed.options, [...info.options, helpOption]),
  }
}

function define({ name, description, options }: CommandInfo, version: string): CAC {
  const cli = cac('hostwright')
  cli.version(version)
  // Arguments are checked by the command itself, which knows their types: cac takes any.
  const defined = cli.command(`${name} [...words]`, description)
  for (const option of [...options, helpOption]) defined.option(option.flags, option.description)
  return cli
}
