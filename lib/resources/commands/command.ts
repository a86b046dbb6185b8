import { words } from '../../session/words.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { declare, invalidOption, type Resource } from '../resource.ts'
import { type ActionOptions, actionKinds, actionWords, effectOf } from './action.ts'

export { variableAssignment } from './action.ts'

export interface CommandOptions extends ActionOptions {
  /** Program that gets the command line by -c; default `sh`. */
  shell?: string
}

const optionKinds: OptionKinds<CommandOptions> = {
  shell: 'text',
  ...actionKinds,
}

/**
 * A command as a resource: with `creates`, `unless` or `onlyIf` it knows when it is done; without, it
 * runs, and counts as changed unless `changedWhen` says otherwise, each time. Build its text with the `sh`
 * template, which quotes. Its text shows in the host's process list: secrets go into `env` or `input`.
 * @throws {UsageError} recipe_invalid, when declared
 * @example command(sh`tar -xzf ${archive} -C ${home}`, { creates: `${home}/bin` })
 * @example command('app migrate', { changedWhen: { stdout: /^applied \d+/ }, timeout: '10m' })
 */
export function command(line: string, options: CommandOptions = {}): Resource {
  checkOptions('command', options, optionKinds)
  const title = options.title ?? `command ${line.trim().split('\n', 1)[0]!.slice(0, 60)}`
  if (line.trim() === '') throw invalidOption(title, 'the command is empty')
  if (line.includes('\0')) throw invalidOption(title, 'the command contains a NUL character')
  const { shell = 'sh' } = options
  const action = actionWords(title, options)
  return declare({
    title,
    options,
    makes: ['anything'],
    secrets: action.secrets,
    command: line,
    effect: effectOf(options),
    call: {
      name: 'hw_command',
      args: [line, ...words({ shell: shell === 'sh' ? undefined : shell, ...action.words })],
      input: action.input,
    },
  })
}
