/** What commands and scripts have in common: when there is something to do, and what came of it. */
import type { words } from '../../session/words.ts'
import { isSecret, type Secret } from '../../shell/secret.ts'
import { posixPattern } from '../host-pattern.ts'
import type { OptionKinds } from '../options.ts'
import { type CommonOptions, checkPath, type Effect, invalidOption, plain } from '../resource.ts'
import { wholeSeconds } from '../seconds.ts'

/**
 * What makes it count as changed, which the host decides: an exit status, or a line of what it printed
 * that holds this text or matches this expression.
 */
export type ChangedWhen =
  | boolean
  | { exitStatus: number | readonly number[] }
  | { stdout: string | RegExp }
  | { stderr: string | RegExp }
  | { not: ChangedWhen }

export interface ActionOptions extends CommonOptions {
  /** Done already if this path is there. */
  creates?: string
  /** Done already if this command succeeds, by sh. */
  unless?: string
  /** Nothing to do if this command fails, by sh. */
  onlyIf?: string
  /**
   * Whether it changed something, once it has run. Default `true`. `false` is for what only looks: it is
   * not run with --check all the same.
   */
  changedWhen?: ChangedWhen
  /** Exit statuses that are no failure; default 0, and those of `changedWhen`. */
  okExitStatus?: number | readonly number[]
  /** How long it may take: `30s`, `5m`; then it is ended and has failed. Default: for ever. */
  timeout?: string
  /** Directory to run in. */
  cwd?: string
  /** Further environment variables. */
  env?: Readonly<Record<string, string | number | Secret>>
  /** Standard input; empty otherwise. */
  input?: string | Buffer | Secret
  /**
   * Whether it may run again if nobody knows how it ended, as its host or its process was lost in the middle.
   * Default: false. Without `creates`, `unless` and `onlyIf` it runs once a run, and is then `uncertain`.
   */
  idempotent?: boolean
  /** Line for `sh` that succeeds if it is done: asked where nobody knows how it ended. */
  verify?: string
  /** What people see. */
  title?: string
}

/** What each of them is. */
export const actionKinds: OptionKinds<ActionOptions> = {
  creates: 'text',
  unless: 'text',
  onlyIf: 'text',
  changedWhen: 'other',
  okExitStatus: 'other',
  timeout: 'text',
  cwd: 'text',
  env: 'values',
  input: 'other',
  idempotent: 'flag',
  verify: 'text',
  title: 'text',
}

/** The options as hw_command takes them. */
export interface ActionWords {
  /** Its words, but for the shell. */
  words: Parameters<typeof words>[0]
  input: Buffer | undefined
  secrets: string[]
}

/** @throws {UsageError} recipe_invalid */
export function actionWords(title: string, options: ActionOptions): ActionWords {
  const { creates, unless, onlyIf, cwd, env = {}, input, timeout } = options
  for (const text of [unless, onlyIf, options.verify]) {
    if (text?.includes('\0')) throw invalidOption(title, 'a command contains a NUL character')
  }
  const { changedWhen = true } = options
  if (
    input !== undefined &&
    typeof input !== 'string' &&
    !Buffer.isBuffer(input) &&
    !isSecret(input)
  )
    throw invalidOption(title, 'input must be a string, a Buffer or a secret')
  const ok = new Set([
    ...statuses(title, options.okExitStatus ?? 0),
    ...statusesOf(title, changedWhen),
  ])
  const fine = [...ok].join(' ')
  return {
    words: {
      creates: creates === undefined ? undefined : checkPath(title, creates),
      unless: unless || undefined,
      only_if: onlyIf || undefined,
      ok: fine === '0' ? undefined : fine,
      changed: changedWords(title, changedWhen) || undefined,
      seconds: timeout === undefined ? undefined : wholeSeconds(title, 'the timeout', timeout),
      directory: cwd === undefined ? undefined : checkPath(title, cwd),
      input: input !== undefined,
      env: Object.entries(env).map(([name, value]) => variableAssignment(title, name, value)),
    },
    input: input === undefined ? undefined : Buffer.from(isSecret(input) ? plain(input) : input),
    secrets: [...Object.values(env), input].filter(isSecret).map(value => value.reveal()),
  }
}

/** The effect that it is; undefined if it can be asked whether it is done, or only looks. */
export function effectOf({
  creates,
  unless,
  onlyIf,
  changedWhen,
  idempotent: again,
  verify,
}: ActionOptions): Effect | undefined {
  const asked = Boolean(creates ?? unless ?? onlyIf)
  return asked || changedWhen === false ? undefined : { again, verify }
}

/** `NAME=VALUE` for the prelude, which exports it. */
export function variableAssignment(
  title: string,
  name: string,
  value: string | number | Secret,
): string {
  const text = plain(value)
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
    throw invalidOption(title, `${JSON.stringify(name)} can’t name a variable`)
  // The host's shell has names of its own there: one of them decides what is run.
  if (name.startsWith('hw_'))
    throw invalidOption(title, `the variable ${name} is ours: name it without hw_`)
  if (text.includes('\0'))
    throw invalidOption(title, `the variable ${name} contains a NUL character`)
  return `${name}=${text}`
}

function statuses(title: string, wanted: number | readonly number[]): number[] {
  const list = [wanted].flat()
  for (const status of list) {
    if (!Number.isInteger(status) || status < 0 || status > 255)
      throw invalidOption(title, `${JSON.stringify(status)} is not an exit status`)
  }
  return list
}

/** Exit statuses that a condition names: none of them is a failure. */
function statusesOf(title: string, when: ChangedWhen): number[] {
  if (typeof when === 'boolean') return []
  if (typeof when !== 'object')
    throw invalidOption(title, 'changedWhen is not true, false or { … }')
  if ('not' in when) return statusesOf(title, when.not)
  return 'exitStatus' in when ? statuses(title, when.exitStatus) : []
}

/** Words of hw_action_changed; nothing for `true`. */
function changedWords(title: string, when: ChangedWhen): string {
  if (when === true) return ''
  if (when === false) return 'no'
  if ('not' in when) {
    if (typeof when.not === 'boolean') return changedWords(title, !when.not)
    if ('not' in when.not) return changedWords(title, when.not.not)
    return `not ${changedWords(title, when.not)}`
  }
  if ('exitStatus' in when) return `status ${statuses(title, when.exitStatus).join(' ')}`
  const stream = 'stdout' in when ? 'stdout' : 'stderr'
  const wanted = 'stdout' in when ? when.stdout : when.stderr
  if (wanted instanceof RegExp) {
    try {
      return `${stream} matches ${posixPattern(wanted)}`
    } catch (error) {
      throw invalidOption(title, `changedWhen: ${wanted}: ${(error as Error).message}`)
    }
  }
  if (typeof wanted !== 'string' || wanted === '' || /[\0\n]/.test(wanted))
    throw invalidOption(title, 'changedWhen: the text is empty, or not of one line')
  return `${stream} has ${wanted}`
}
