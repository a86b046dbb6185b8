/** What a command of the command line is. */
import type { Output } from '../ui/renderer.ts'
import type { HostPasswords } from './environment-passwords.ts'
import type { Option, OptionGroup, OptionValues } from './options/option.ts'
import type { Project } from './project.ts'

/** Where a command works. */
export interface Place extends Output {
  cwd: string
  /** Where recipes and hosts come from. */
  project: Project
  /** Passwords from the environment. */
  passwords: HostPasswords
}

/** What is known of a command without loading it: for the overview, its help, and checks of its words. */
export interface CommandInfo {
  /** `exec`; `list hosts` for one of several under a name. */
  name: string
  /** Of positional arguments: `<product> [version]`. */
  usage: string
  description: string
  /** Names and meanings of the arguments, for --help. */
  args: readonly (readonly [name: string, description: string])[]
  /** Command lines without the program's name. */
  examples: readonly string[]
  options: readonly Option[]
  /** What to do instead of options that other commands take, by long name or by group. */
  instead?: Readonly<Partial<Record<OptionGroup | (string & {}), string>>>
  /** What to do about any option it does not take. */
  unknownOption?: string
  /**
   * The commands under its name, which the first word chooses; its options are theirs together. One with the same
   * name is meant without such a word.
   */
  commands?: readonly CommandInfo[]
}

/**
 * Runs a command.
 * @param words its arguments: everything that is not an option, and everything after `--`
 * @returns the exit code
 */
export type RunCommand = (
  words: readonly string[],
  options: OptionValues,
  place: Place,
) => Promise<number>

export interface Command extends CommandInfo {
  run: RunCommand
}
