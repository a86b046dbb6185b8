/** Reading a command line with cac: which command, its words and options, and help. */
import { type CAC, cac } from 'cac'
import { UsageError } from '../errors.ts'
import { unknownName } from '../shell/nearest.ts'
import { wrapWords } from '../ui/width.ts'
import type { Command, Place } from './command.ts'
import { helpOption, prepareWords, readOptions, unmark } from './options.ts'

/** Commands that are known without loading anything. */
export interface CommandSource {
  /** All names with what their arguments look like, for the overview. */
  overview(): Promise<readonly Pick<Command, 'name' | 'usage' | 'description'>[]>
  names(): readonly string[]
  /** Loads the command that was named. */
  load(name: string): Promise<Command>
}

/**
 * Runs a command line.
 * @param words what stands behind the program's name
 * @returns the exit code
 */
export async function runProgram(
  words: readonly string[],
  source: CommandSource,
  place: Place,
  version: string,
) {
  const [first, ...others] = words
  // `help product.set` is `product.set --help`.
  const [name, ...rest] = first === 'help' && others[0] ? [others[0], '--help'] : [first, ...others]
  if (name === undefined || name === '-h' || name === '--help' || name === 'help') {
    place.stdout.write(`${await overview(source, version)}\n`)
    return 0
  }
  if (name === '-v' || name === '--version') {
    place.stdout.write(`${version}\n`)
    return 0
  }
  if (name.startsWith('-'))
    throw new UsageError('usage', `a command comes first, not ${name}`, {
      hint: 'See `hostwright --help`.',
    })
  if (!source.names().includes(name)) throw unknownName('command', name, source.names())
  const command = await source.load(name)
  const options = [...command.options, helpOption]
  const cli = define(command, version)
  const parsed = cli.parse(['', '', name, ...prepareWords(rest, options)], { run: false })
  const values = readOptions(parsed.options, options)
  if (values.help) {
    place.stdout.write(`${commandHelp(command)}\n`)
    return 0
  }
  return command.run(parsed.args.map(unmark), values, place)
}

function define(command: Command, version: string): CAC {
  const cli = cac('hostwright')
  cli.version(version)
  // Arguments are checked by the command itself, which knows their types: cac takes any.
  const defined = cli.command(`${command.name} [...words]`, command.description)
  for (const { flags, description } of [...command.options, helpOption])
    defined.option(flags, description)
  return cli
}

/** Columns of a terminal that help fits in. */
const helpWidth = 80
const leftWidth = 34

/** Rows of two columns that align; the right one is wrapped. */
function columns(rows: readonly (readonly [string, string])[]): string {
  const width = Math.min(leftWidth, Math.max(...rows.map(([left]) => left.length)))
  const indent = ' '.repeat(width + 4)
  return rows
    .flatMap(([left, right]) => {
      const [first = '', ...more] = wrapWords(right, helpWidth - indent.length)
      const head =
        left.length > width
          ? [`  ${left}`, `${indent}${first}`]
          : [`  ${left.padEnd(width)}  ${first}`]
      return [...head, ...more.map(line => indent + line)]
    })
    .map(line => line.trimEnd())
    .join('\n')
}

/** `hostwright product.set --help` */
export function commandHelp(command: Command): string {
  const { name, usage, description, args, examples } = command
  const options = [...command.options, helpOption].map(option => {
    const fallback = option.default === undefined ? '' : ` (default: ${option.default})`
    const repeat = option.repeatable ? ' (repeatable)' : ''
    return [
      option.flags.startsWith('-') && option.flags[1] !== '-'
        ? option.flags
        : `    ${option.flags}`,
      `${option.description}${fallback}${repeat}`,
    ] as const
  })
  const parts = [
    description,
    `Usage:\n  hostwright ${[name, usage, '[options]'].filter(Boolean).join(' ')}`,
    args.length > 0 && `Arguments:\n${columns(args)}`,
    `Options:\n${columns(options)}`,
    examples.length > 0 &&
      `Examples:\n${examples.map(example => `  hostwright ${example}`).join('\n')}`,
  ]
  return parts.filter(Boolean).join('\n\n')
}

async function overview(source: CommandSource, version: string): Promise<string> {
  const commands = (await source.overview()).map(
    ({ name, usage, description }) => [`${name} ${usage}`.trim(), description] as const,
  )
  return [
    `hostwright ${version}: provision, configure and upgrade hosts over SSH`,
    'Usage:\n  hostwright <command> [arguments] --on <pattern> [-i <environment>] [options]',
    `Commands:\n${columns(commands)}`,
    'Options of a command:\n  hostwright <command> --help',
    'Try it on this machine:\n  hostwright lab up 3\n  hostwright server.provision app --on lab -i lab',
  ].join('\n\n')
}
