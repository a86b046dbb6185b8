/** The texts of `--help`. Pure. */
import { wrapWords } from '../ui/width.ts'
import type { CommandInfo } from './command.ts'
import { helpOption, type Option, optionGroups } from './options.ts'

/** Columns of a terminal that help fits in. */
const helpWidth = 80

/** The left column is as wide as its longest entry, up to this. */
const leftWidth = 36

type Row = readonly [left: string, right: string]

const widthOf = (rows: readonly Row[]) =>
  Math.min(leftWidth, Math.max(...rows.map(([left]) => left.length)))

/** Rows of two columns that align; the right one is wrapped. */
function columns(rows: readonly Row[], width = widthOf(rows)): string {
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
export function commandHelp(command: CommandInfo): string {
  const { name, usage, description, args, examples, commands, options } = command
  const parts = [
    description,
    `Usage:\n  hostwright ${usageOf(name, usage, options.length > 0)}`,
    args.length > 0 && `${commands ? 'Commands' : 'Arguments'}:\n${columns(args)}`,
    commands ? undefined : optionsHelp([...options, helpOption]),
    examples.length > 0 &&
      `Examples:\n${examples.map(example => `  hostwright ${example}`).join('\n')}`,
    commands && `Options of a subcommand:\n  hostwright ${commands[0]!.name} --help`,
  ]
  return parts.filter(Boolean).join('\n\n')
}

function usageOf(name: string, usage: string, takesOptions: boolean): string {
  const options = takesOptions ? '[options]' : ''
  // Nothing after -- is an option.
  const words = usage.startsWith('-- ') ? [name, options, usage] : [name, usage, options]
  return words.filter(Boolean).join(' ')
}

/** A heading for each group that has options; all of them align. */
function optionsHelp(options: readonly Option[]): string {
  const rows = options.map(option => ({ group: option.group, row: optionRow(option) }))
  const width = widthOf(rows.map(({ row }) => row))
  return Object.entries(optionGroups)
    .flatMap(([group, heading]) => {
      const own = rows.filter(each => each.group === group).map(({ row }) => row)
      return own.length > 0 ? [`${heading} options:\n${columns(own, width)}`] : []
    })
    .join('\n\n')
}

function optionRow({ flags, description, default: fallback, repeatable }: Option): Row {
  const aligned = /^-[a-zA-Z],/.test(flags) ? flags : `    ${flags}`
  const notes = [
    ...(fallback === undefined ? [] : [`(default: ${fallback})`]),
    ...(repeatable ? ['(repeatable)'] : []),
  ]
  return [aligned, [description, ...notes].join(' ')]
}

/** `hostwright --help` */
export function overviewHelp(
  commands: readonly Pick<CommandInfo, 'name' | 'usage' | 'description'>[],
  version: string,
): string {
  const rows = commands.map(
    ({ name, usage, description }) => [`${name} ${usage}`.trim(), description] as const,
  )
  return [
    `hostwright ${version}: provision, configure and upgrade hosts over SSH`,
    'Usage:\n  hostwright <command> [arguments] --on <pattern> [-i <environment>] [options]',
    `Commands:\n${columns(rows)}`,
    'Options of a command:\n  hostwright <command> --help',
    'Try it on this machine:\n  hostwright lab up 3\n  hostwright server.provision app --on lab -i lab',
  ].join('\n\n')
}
