import type { HostCall } from '../../session/call.ts'
import { file } from '../files/file.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import {
  type CommonOptions,
  checkPath,
  checkUser,
  invalidOption,
  type Resource,
} from '../resource.ts'
import { refuseTakeOver, takeOverWord } from '../take-over.ts'
import { checkAccount } from './account.ts'

/** Who may do what as whom. */
export interface SudoRule {
  /** A user’s name. One of user and group. */
  user?: string
  /** A group’s name. */
  group?: string
  /** Absolute paths with their arguments, as sudo is given them; or `ALL`. */
  commands: 'ALL' | readonly string[]
  /** Users to do it as, `root` or `ALL`; default `ALL`. */
  as?: string | readonly string[]
  /** Without asking for a password. Default false. */
  noPassword?: boolean
  /** The caller may set environment variables. Default false. */
  setEnv?: boolean
}

export interface SudoersOptions extends CommonOptions {
  /** The rules, in order: of several that fit, sudo takes the last. */
  rules?: readonly SudoRule[]
  /** The text of the file, instead of rules. */
  content?: string
  /** Replace a file of that name which hostwright did not make, or a link. Default: the step fails. */
  takeOver?: boolean
  /** Not there, instead of there. */
  absent?: boolean
  /** Where sudo looks for such files; default /etc/sudoers.d. */
  directory?: string
}

const optionKinds: OptionKinds<SudoersOptions> = {
  rules: 'list',
  content: 'text',
  takeOver: 'flag',
  absent: 'flag',
  directory: 'text',
}

/**
 * A file of /etc/sudoers.d, mode 0440 and root’s. It is in use only once `visudo` has found it good: a
 * fault would lock everybody out of sudo.
 * @param name of the file; without dots, as sudo leaves out those that have one
 * @throws {UsageError} recipe_invalid, when declared
 * @example
 * sudoers('deploy', {
 *   rules: [{ user: 'deploy', commands: ['/usr/bin/systemctl restart app'], as: 'root', noPassword: true }],
 * })
 */
export function sudoers(name: string, options: SudoersOptions): Resource {
  const title = `sudoers ${name}`
  checkOptions(title, options, optionKinds)
  const { rules, content, absent, directory = '/etc/sudoers.d' } = options
  const { notify, when, as, tags, confirm } = options
  if (!/^[A-Za-z0-9_][A-Za-z0-9_-]*$/.test(name))
    throw invalidOption(
      title,
      'the name holds more than letters, digits, _ and -: sudo leaves out what has a dot',
    )
  const given = [rules, content, absent || undefined].filter(each => each !== undefined)
  if (given.length !== 1)
    throw invalidOption(title, 'needs exactly one of rules, content and absent')
  const path = `${checkPath(title, directory)}/${name}`
  const common = { notify, when, as, tags, confirm }
  if (absent) {
    refuseTakeOver(title, options)
    return { ...file(path, { absent: true, ...common }), title }
  }
  const text = content ?? `${(rules ?? []).map(rule => ruleLine(title, rule)).join('\n')}\n`
  if (text.trim() === '') throw invalidOption(title, 'there are no rules')
  const made = file(path, {
    content: text.endsWith('\n') ? text : `${text}\n`,
    mode: 0o440,
    owner: 0,
    group: 0,
    validate: 'visudo -cf %s',
    ...common,
  })
  return { ...made, title, call: ownCall(made.call, takeOverWord(options)) }
}

/** As file() calls, of a file that is a resource's own. */
const ownCall = (call: HostCall, takeOver: string): HostCall => ({
  ...call,
  name: 'hw_sudoers',
  args: [...call.args, `take_over=${takeOver}`],
})

const ruleKinds: OptionKinds<SudoRule> = {
  user: 'text',
  group: 'text',
  commands: 'other',
  noPassword: 'flag',
  setEnv: 'flag',
}

/** `deploy ALL=(root) NOPASSWD: /usr/bin/systemctl restart app` (sudoers(5), User Specification). */
function ruleLine(title: string, rule: SudoRule): string {
  checkOptions(`${title}: a rule`, rule, ruleKinds)
  const { user, group, commands, as = 'ALL', noPassword, setEnv } = rule
  if ((user === undefined) === (group === undefined))
    throw invalidOption(title, 'a rule names a user or a group')
  const who =
    user === undefined
      ? `%${checkAccount(title, 'group', group!)}`
      : escaped(checkUser(title, user))
  const runAs = [as].flat().map(name => (name === 'ALL' ? name : escaped(checkUser(title, name))))
  if (runAs.length === 0) throw invalidOption(title, 'a rule must name at least one user to run as')
  const tags = `${noPassword ? 'NOPASSWD: ' : ''}${setEnv ? 'SETENV: ' : ''}`
  if (commands !== 'ALL' && !Array.isArray(commands))
    throw invalidOption(title, "the commands of a rule are a list, or 'ALL'")
  const list = commands === 'ALL' ? ['ALL'] : commands.map(line => commandText(title, line))
  if (list.length === 0) throw invalidOption(title, 'a rule must name at least one command')
  return `${who} ALL=(${runAs.join(', ')}) ${tags}${list.join(', ')}`
}

/**
 * What means something to sudo in a command’s arguments means itself: but not its wildcards. Behind a `#`
 * all would be a comment, and a command without its arguments is one with any.
 */
function commandText(title: string, line: string): string {
  if (!/^!?(\/|sudoedit +\/)/.test(line) || /[\0-\x1f\x7f]/.test(line) || line.trim() !== line)
    throw invalidOption(title, `${JSON.stringify(line)} is not an absolute path with arguments`)
  return escaped(line)
}

const escaped = (text: string) => text.replace(/[\\,:=#]/g, '\\$&')
