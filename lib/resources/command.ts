import { isSecret, type Secret } from '../shell/secret.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  plain,
  type Resource,
} from './resource.ts'

export interface CommandOptions extends CommonOptions {
  /** Done already if this path is there. */
  creates?: string
  /** Done already if this command succeeds. */
  unless?: string
  /** Nothing to do if this command fails. */
  onlyIf?: string
  /** Directory to run in. */
  cwd?: string
  /** Further environment variables. */
  env?: Readonly<Record<string, string | number | Secret>>
  /** Standard input; empty otherwise. */
  input?: string | Buffer | Secret
  /** Program that gets the command line by -c; default `sh`. */
  shell?: string
  /** What people see; default: the command's first line. */
  title?: string
}

/**
 * A command as a resource: with `creates`, `unless` or `onlyIf` it knows when it is done; without, it
 * runs, and counts as changed, each time. Build its text with the `sh` template, which quotes.
 * @throws {UsageError} recipe_invalid, when declared
 * @example command(sh`tar -xzf ${archive} -C ${home}`, { creates: `${home}/bin` })
 */
export function command(line: string, options: CommandOptions = {}): Resource {
  const title = options.title ?? `command ${line.trim().split('\n', 1)[0]!.slice(0, 60)}`
  if (line.trim() === '') throw invalidOption(title, 'the command is empty')
  for (const text of [line, options.unless, options.onlyIf]) {
    if (text?.includes('\0')) throw invalidOption(title, 'the command holds a NUL character')
  }
  const creates = options.creates === undefined ? '' : checkPath(title, options.creates)
  const cwd = options.cwd === undefined ? '' : checkPath(title, options.cwd)
  const entries = Object.entries(options.env ?? {})
  const { input } = options
  const bytes = isSecret(input) ? plain(input) : input
  const conditions = [creates, options.unless ?? '', options.onlyIf ?? '']
  return declare({
    title,
    options,
    secrets: [...Object.values(options.env ?? {}), input]
      .filter(isSecret)
      .map(value => value.reveal()),
    command: line,
    call: {
      name: 'hw_command',
      args: [
        ...conditions,
        options.shell ?? 'sh',
        cwd,
        input === undefined ? '' : 'yes',
        line,
        ...entries.map(([key, value]) => assignment(title, key, value)),
      ],
      input: bytes === undefined ? undefined : Buffer.from(bytes),
    },
  })
}

/** `NAME=VALUE` for the prelude, which exports it. */
export function assignment(title: string, name: string, value: string | number | Secret): string {
  const text = plain(value)
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw invalidOption(title, `${JSON.stringify(name)} can’t name a variable`)
  if (text.includes('\0')) throw invalidOption(title, `the variable ${name} holds a NUL character`)
  return `${name}=${text}`
}
