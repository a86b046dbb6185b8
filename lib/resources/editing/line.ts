import type { Secret } from '../../shell/secret.ts'
import type { LinePattern } from '../host-pattern.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { invalidOption, plain, type Resource } from '../resource.ts'
import {
  checkLine,
  type EditOptions,
  editorResource,
  type Placement,
  patternRequest,
  placeRequests,
} from './edited-file.ts'

const choices = ['last', 'first', 'all', 'only'] as const

export interface LineOptions extends EditOptions, Placement {
  /** The whole line, without a line break. */
  line?: string | Secret
  /**
   * Lines that stand for the same: a regular expression that matches in them, or one as it is. They
   * become `line`, or go.
   */
  match?: LinePattern
  /**
   * Which of the lines that match, or are `line` already, become it: the `last` (default), the `first`,
   * `all`; or `only`: the last, and the others go.
   */
  replace?: (typeof choices)[number]
  /** Neither `line` nor what matches must be there. */
  absent?: boolean
}

const optionKinds: OptionKinds<LineOptions> = {
  line: 'other',
  match: 'other',
  replace: 'text',
  absent: 'flag',
  validate: 'text',
  after: 'other',
  before: 'other',
}

/**
 * One line of a text file. If no line is like it and none matches, it is added: at the end, or where
 * `after` or `before` says. All else stays as it is, and the file is replaced whole or not at all; one
 * that is not there is made.
 * @param path absolute path on the host
 * @throws {UsageError} recipe_invalid, when declared
 * @example line('/etc/ssh/sshd_config', { line: 'PermitRootLogin no', match: /^#?PermitRootLogin\s/ })
 * @example line('/etc/fstab', { match: /\sswap\s/, absent: true })
 */
export function line(path: string, options: LineOptions): Resource {
  const title = `line ${path}`
  checkOptions(title, options, optionKinds)
  const requests = [...wanted(title, options), ...placeRequests(title, options)]
  return editorResource({ title, name: 'line', path, options, requests, values: [options.line] })
}

function wanted(title: string, options: LineOptions): string[] {
  const { line, match, replace = 'last', absent = false } = options
  if (line === undefined && (!absent || match === undefined))
    throw invalidOption(title, absent ? 'give line or match' : 'give the line')
  const requests: string[] = []
  if (line !== undefined) {
    const text = plain(line)
    if (text === '') throw invalidOption(title, 'the line is empty')
    if (/[\r\n]/.test(text))
      throw invalidOption(title, 'the line contains a line break: use block() for several lines')
    requests.push(`T ${checkLine(title, 'line', text)}`)
  }
  if (match !== undefined) requests.push(`M ${patternRequest(title, 'match', match)}`)
  if (!choices.includes(replace))
    throw invalidOption(title, `replace is one of ${choices.join(', ')}`)
  if (absent && (options.replace ?? options.before ?? options.after) !== undefined)
    throw invalidOption(title, 'an absent line takes no replace, before or after')
  return [...requests, absent ? 'D' : `R ${replace}`]
}
