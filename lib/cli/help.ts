/** The texts of `--help`. Pure. */
import { wrapWords } from '../ui/width.ts'
import type { CommandInfo } from './command.ts'
import { type Option, optionGroups } from './options/option.ts'
import { helpOption } from './options/output.ts'

/** The most columns that help takes: lines that are longer are hard to read. */
export const helpWidth = 80

/** The left column is as wide as its longest entry, up to this, and to half of the terminal. */
const leftWidth = 36

type Row = readonly [left: string, right: string]

const widthOf = (rows: readonly Row[], total: number) =>
  Math.min(leftWidth, Math.floor(total / 2) - 4, Math.max(...rows.map(([left]) => left.length)))

/** Rows of two columns that align; the right one is wrapped. */
function columns(rows: readonly Row[], total: number, width = widthOf(rows, total)): string {
  const indent = ' '.repeat(width + 4)
  return rows
    .flatMap(([left, right]) => {
      const [first = '', ...more] = wrapWords(right, total - indent.length)
      const head =
        left.length > width
          ? [`  ${left}`, `${indent}${first}`]
          : [`  ${left.padEnd(width)}  ${first}`]
      return [...head, ...more.map(line => indent + line)]
    })
    .map(line => line.trimEnd())
    .join('\n')
}

/** A paragraph. */
const prose = (text: string, total: number) => wrapWords(text, total).join('\n')

/**
 * `hostwright product.set --help`
 * @param total the terminal's columns
 */
export function commandHelp(command: CommandInfo, total = helpWidth): string {
  const { name, usage, description, args, examples, commands, options } = command
  const called = `hostwright ${usageOf(name, usage, options.length > 0)}`
  const parts = [
    prose(description, total),
    `Usage:\n  ${wrapWords(called, total - 2).join('\n    ')}`,
    args.length > 0 && `${commands ? 'Commands' : 'Arguments'}:\n${columns(args, total)}`,
    commands ? undefined : optionsHelp([...options, helpOption], total),
    examples.length > 0 &&
      // Lines that can be copied stay whole.
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
function optionsHelp(options: readonly Option[], total: number): string {
  const rows = options.map(option => ({ group: option.group, row: optionRow(option) }))
  const width = widthOf(
    rows.map(({ row }) => row),
    total,
  )
  return Object.entries(optionGroups)
    .flatMap(([group, heading]) => {
      const own = rows.filter(each => each.group === group).map(({ row }) => row)
      return own.length > 0 ? [`${heading} options:\n${columns(own, total, width)}`] : []
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
  total = helpWidth,
): string {
  const rows = commands.map(
    ({ name, usage, description }) => [`${name} ${usage}`.trim(), description] as const,
  )
  return [
    prose(`hostwright ${version}: provision, configure and upgrade hosts over SSH`, total),
    `Usage:\n  ${wrapWords(overviewUsage, total - 2).join('\n    ')}`,
    `Commands:\n${columns(rows, total)}`,
    'Options of a command:\n  hostwright <command> --help',
    'Try it on this machine:\n  hostwright lab up 3\n  hostwright server.provision app --on lab -i lab',
  ].join('\n\n')
}

const overviewUsage = 'hostwright <command> [arguments] --on <pattern> [-i <environment>] [options]'
