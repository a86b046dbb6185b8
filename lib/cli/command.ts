/** What a command of the command line is. */
import type { Output } from '../ui/render.ts'
import type { HostPasswords } from './environment-passwords.ts'
import type { Option, OptionValues } from './options.ts'

/** Where a command works. */
export interface Place extends Output {
  cwd: string
  /** The nearest folder with recipes/ or inventories/, if there is one. */
  project: string | undefined
  /** Those that the environment had. */
  passwords: HostPasswords
}

export interface Command {
  name: string
  /** Of positional arguments: `<product> [version]`. */
  usage: string
  description: string
  /** Names and meanings of the arguments, for --help. */
  args: readonly (readonly [name: string, description: string])[]
  /** Command lines without the program's name. */
  examples: readonly string[]
  options: readonly Option[]
  /**
   * @param words its arguments: what is no option, and all behind `--`
   * @returns the exit code
   */
  run(words: readonly string[], options: OptionValues, place: Place): Promise<number>
}
