/** Reading the words of a command line by a command's options: what cac leaves unchecked. */
import type { CommandInfo } from './command.ts'
import { allOptions } from './options/commands.ts'
import { camelCase, describeFlags, type Option, type OptionValues } from './options/option.ts'
import { helpOption } from './options/output.ts'
import {
  emptyValue,
  missingValue,
  refusedOption,
  repeatedOption,
  unknownOption,
  unwantedValue,
} from './refusals.ts'

/** Marks a text, so that cac (mri) leaves it as it is: it would read 1.10 as the number 1.1. */
const mark = '\uE000'

/** The text itself, without the mark that `prepareWords` gave it. */
export const unmark = (text: string) => text.replace(mark, '')

export interface PreparedWords {
  /** For cac. */
  words: string[]
  /** The options that were given, and how they were written. */
  given: ReadonlyMap<Option, string>
}

/** Options by flag: the command's, and all there are. */
function flagsOf(command: CommandInfo) {
  const byFlag = (options: readonly Option[]) =>
    new Map<string, Option>(
      options.flatMap(option =>
        describeFlags(option).names.map(
          name => [`${name.length === 1 ? '-' : '--'}${name}`, option] as const,
        ),
      ),
    )
  const own = byFlag([...command.options, helpOption])
  const others = byFlag(allOptions)
  return { own, all: new Map([...others, ...own]) }
}

/**
 * Checks the words of a command line against the command's options and makes them safe for cac.
 * @throws {UsageError} an option that is unknown or of another command, a value that is missing, empty
 *   or not wanted, an option given twice
 */
export function prepareWords(words: readonly string[], command: CommandInfo): PreparedWords {
  const { own, all } = flagsOf(command)
  const given = new Map<Option, string>()
  const prepared: string[] = []
  for (let at = 0; at < words.length; at++) {
    const word = words[at]!
    if (word === '--') {
      prepared.push(...words.slice(at + 1).map(each => mark + each))
      break
    }
    if (!/^--?[^-]/.test(word)) {
      prepared.push(mark + word)
      continue
    }
    const { flag, value } = splitFlag(word, own)
    const option = own.get(flag)
    if (!option) {
      const other = all.get(flag)
      throw other ? refusedOption(command, flag, other) : unknownOption(command, flag, own.keys())
    }
    if (given.has(option) && !option.repeatable) throw repeatedOption(command, flag, option)
    given.set(option, flag)
    if (!describeFlags(option).takesValue) {
      if (value !== undefined) throw unwantedValue(flag)
      // cac takes `--no-x` for the opposite of `--x`.
      prepared.push(flag.startsWith('--no-') ? flag : `${flag}=true`)
      continue
    }
    const text = value ?? words[++at]
    if (text === undefined || (value === undefined && (text === '--' || all.has(text))))
      throw missingValue(command, flag, option, text)
    if (text === '') throw emptyValue(command, flag, option)
    prepared.push(`${flag}=${mark}${text}`)
  }
  return { words: prepared, given }
}

/** `--on=web`, `-i=lab`, and `-ilab` where -i takes a value. */
function splitFlag(
  word: string,
  known: ReadonlyMap<string, Option>,
): { flag: string; value?: string } {
  const [, flag = word, value] = /^([^=]*)(?:=(.*))?$/s.exec(word) ?? []
  const short = known.get(word.slice(0, 2))
  if (!known.has(flag) && short && describeFlags(short).takesValue)
    return { flag: word.slice(0, 2), value: word.slice(2) }
  return { flag, value }
}

/** cac's options without the marks, and with defaults. */
export function readOptions(
  parsed: Readonly<Record<string, unknown>>,
  options: readonly Option[],
): OptionValues {
  const values: Record<string, string | boolean | readonly string[] | undefined> = {}
  for (const option of options) {
    const { key, long, takesValue } = describeFlags(option)
    if (long.startsWith('no-')) {
      values[key] = parsed[camelCase(long.slice(3))] === false
      continue
    }
    const given = parsed[key]
    const text = [given ?? []].flat().map(each => unmark(String(each)))
    if (!takesValue) values[key] = given === true || text[0] === 'true'
    else if (option.repeatable) values[key] = text
    else values[key] = text[0] ?? option.default
  }
  return values
}
