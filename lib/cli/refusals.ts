/** Why an option is refused, and what to do instead. */
import { UsageError } from '../errors.ts'
import { nearest, printable, unknownName } from '../shell/nearest.ts'
import type { CommandInfo } from './command.ts'
import { describeFlags, type Option } from './options/option.ts'

/** For options that only some commands take, unless the command says it better. */
const instead: Readonly<Record<string, string>> = {
  out: 'Only plan saves a plan: hostwright plan <recipe> -o plan.json.',
  anyway: 'It is for `hostwright resume`: leave it out.',
  failed: 'It is for `hostwright runs`.',
  recipe: 'It is for `hostwright runs`.',
  since: 'It is for `hostwright runs`.',
  limit: 'It is for `hostwright log`: name hosts with --on <pattern>.',
  host: 'Name hosts with --on <pattern>.',
  all: 'It is for `hostwright callbacks drop`: name hosts with --on all.',
  yes: 'It asks for no confirmation: leave --yes out.',
}

/** @param flag as it was written */
export function refusedOption(command: CommandInfo, flag: string, option: Option): UsageError {
  const { long } = describeFlags(option)
  const reason = command.instead?.[long] ?? instead[long] ?? command.instead?.[option.group]
  return new UsageError('usage', `${command.name} does not take ${flag}`, {
    hint: sentences(reason, command.unknownOption) || helpHint(command),
  })
}

export function unknownOption(
  command: CommandInfo,
  flag: string,
  known: Iterable<string>,
): UsageError {
  const names = [...known]
  const { code, message } = unknownName('option', flag, names)
  // Where none is near, all of them are in the help.
  const text = nearest(flag, names).length > 0 ? message : `unknown option '${printable(flag)}'`
  return new UsageError(code, text, {
    hint: sentences(command.unknownOption, helpHint(command)),
  })
}

export function repeatedOption(command: CommandInfo, flag: string, option: Option): UsageError {
  return new UsageError('usage', `${flag} is given twice`, {
    hint: option.once ?? `${command.name} takes it once.`,
  })
}

export function missingValue(
  command: CommandInfo,
  flag: string,
  option: Option,
  next: string | undefined,
): UsageError {
  const { long } = describeFlags(option)
  return new UsageError('usage', `${flag} needs a value: ${option.flags}`, {
    hint: next ? `If ${next} is the value, write --${long}=${next}.` : helpHint(command),
  })
}

/** Often a shell variable that is unset: what the option would do then is nothing that was meant. */
export function emptyValue(command: CommandInfo, flag: string, option: Option): UsageError {
  return new UsageError('usage', `${flag} is empty: ${option.flags}`, {
    hint: `Is a shell variable unset? ${helpHint(command)}`,
  })
}

export function unwantedValue(flag: string): UsageError {
  return new UsageError('usage', `${flag} takes no value`, {
    hint: `Write ${flag} alone, or leave it out.`,
  })
}

const helpHint = ({ name }: CommandInfo) => `See \`hostwright ${name} --help\`.`

const sentences = (...texts: readonly (string | undefined)[]) => texts.filter(Boolean).join(' ')
