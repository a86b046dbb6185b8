/** What a person is about to type, from the words of a command line up to the cursor. Pure. */
import type { CommandInfo } from '../command.ts'
import { describeFlags, type Option } from '../options/option.ts'
import { helpOption } from '../options/output.ts'

export type Asked =
  /** A command: `names` are the words of those under a name, such as `list`. */
  | { kind: 'command'; begun: string }
  | { kind: 'option'; options: readonly Option[]; begun: string }
  /** The value of an option; `before` is what stands in the same word: `--on=`. */
  | { kind: 'value'; option: Option; before: string; begun: string }
  /** The next argument, after those that are there. */
  | { kind: 'argument'; words: readonly string[]; begun: string }
  /** What follows `--` is another program's. */
  | { kind: 'other' }

/**
 * @param words everything after the program's name; the last is the one at the cursor, perhaps empty
 * @param infoOf what is known of the command that the first words name
 */
export function whatIsAsked(
  words: readonly string[],
  infoOf: (words: readonly string[]) => CommandInfo | undefined,
): Asked {
  const begun = words.at(-1) ?? ''
  if (words.length <= 1) return { kind: 'command', begun }
  const info = infoOf(words.slice(0, -1))
  if (info === undefined) return { kind: 'other' }
  const options = [...info.options, helpOption]
  const flags = new Map(options.flatMap(option => flagsOf(option).map(flag => [flag, option])))
  const given = new Set<Option>()
  const plain: string[] = []
  let open: Option | undefined
  for (const word of words.slice(1, -1)) {
    if (open) {
      open = undefined
      continue
    }
    if (word === '--') return { kind: 'other' }
    const option = flags.get(word.split('=', 1)[0]!)
    if (!option) {
      plain.push(word)
      continue
    }
    given.add(option)
    if (takesValue(option) && !word.includes('=')) open = option
  }
  if (open) return { kind: 'value', option: open, before: '', begun }
  if (!begun.startsWith('-')) return { kind: 'argument', words: plain, begun }
  const at = begun.indexOf('=')
  const option = at < 0 ? undefined : flags.get(begun.slice(0, at))
  if (option && takesValue(option))
    return { kind: 'value', option, before: begun.slice(0, at + 1), begun: begun.slice(at + 1) }
  const left = options.filter(each => !given.has(each) || each.repeatable)
  return { kind: 'option', options: left, begun }
}

const takesValue = (option: Option) => describeFlags(option).takesValue

/** `--on`, `-i`. */
export const flagsOf = (option: Option): string[] =>
  describeFlags(option).names.map(name => (name.length === 1 ? `-${name}` : `--${name}`))
