import type { Secret } from '../../shell/secret.ts'
import type { LinePattern } from '../host-pattern.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { invalidOption, plain, type Resource } from '../resource.ts'
import { type BlockFormat, blockFormat, formatOf } from './block-format.ts'
import {
  checkLine,
  type EditOptions,
  editKinds,
  editorResource,
  patternRequest,
} from './edited-file.ts'
import { replacementRequests } from './replacement.ts'

const choices = ['last', 'first', 'all', 'only'] as const

export interface LineOptions extends EditOptions {
  /** The whole line, without a line break. */
  line?: string | Secret
  /**
   * Lines that stand for the same: a regular expression that matches in them, or one as it is. They
   * become `line`, or go.
   */
  match?: LinePattern
  /**
   * Which of the lines that match, or are `line` already, become it: the `last` (default), the `first`,
   * `all`; or `only`: the last, and the others go. In a format where the first counts it is the first.
   */
  replace?: (typeof choices)[number]
  /**
   * The line holds what groups of `match` have matched: `$1`, `$<name>`, `$&`, `$$` for a dollar. Where no line matches, none
   * is added; the file must exist. Default: false.
   */
  backrefs?: boolean
  /** `after` means the first line like it, and of what matches the first becomes the line. Default: the last. */
  firstMatch?: boolean
  /** Only what is behind the last line like this is looked at, and a new line comes right behind it. */
  after?: LinePattern
  /** Only what is before the first line like this is looked at, and a new line comes right before it. */
  before?: LinePattern
  /**
   * How the file is read: `sshd` and `ssh` take the first line of a keyword, and have blocks, which begin with
   * `Match` or `Host`. Default: by the path, for sshd_config, ssh_config, their directories and ~/.ssh/config;
   * else `plain`.
   */
  format?: BlockFormat
  /** Neither `line` nor what matches must be there. */
  absent?: boolean
}

const optionKinds: OptionKinds<LineOptions> = {
  line: 'other',
  match: 'other',
  replace: 'text',
  backrefs: 'flag',
  firstMatch: 'flag',
  absent: 'flag',
  ...editKinds,
  after: 'other',
  before: 'other',
  format: 'text',
}

/**
 * One line of a text file. If no line is like it and none matches, it is added: at the end, or where
 * `after` or `before` says, which also bound where lines are looked for. All else stays as it is, and the
 * file is replaced whole or not at all; one that is not there is made.
 * @param path absolute path on the host
 * @throws {UsageError} recipe_invalid, when declared
 * @example line('/etc/ssh/sshd_config', { line: 'PermitRootLogin no', match: /^#?PermitRootLogin\s/ })
 * @example line('/etc/app.conf', { line: 'port 80', match: /^port\s/, after: '[web]', before: /^\[/ })
 * @example line('/etc/default/app', { match: /^(JAVA_OPTS=.*)-Xmx\d+g/, line: '$1-Xmx8g"', backrefs: true })
 * @example line('/etc/fstab', { match: /\sswap\s/, absent: true })
 */
export function line(path: string, options: LineOptions): Resource {
  const title = `line ${path}`
  checkOptions(title, options, optionKinds)
  const first = firstMatch(title, options)
  if (options.backrefs) return withGroups(title, path, options)
  const requests = [
    ...wanted(title, path, first ? { ...options, replace: 'first' } : options),
    ...(first ? ['O first'] : []),
    ...(['after', 'before'] as const).flatMap(where => {
      const pattern = options[where]
      const [letter] = where
      return pattern === undefined
        ? []
        : [`${letter!.toUpperCase()} ${patternRequest(title, where, pattern)}`]
    }),
  ]
  return editorResource({ title, name: 'line', path, options, requests, values: [options.line] })
}

function firstMatch(title: string, { firstMatch, replace, absent }: LineOptions): boolean {
  if (firstMatch && replace !== undefined && replace !== 'first')
    throw invalidOption(title, `firstMatch and replace: '${replace}' don’t go together`)
  return (firstMatch ?? false) && !absent
}

/** A line with groups of what it replaces: the work of replace(), for whole lines. */
function withGroups(title: string, path: string, options: LineOptions): Resource {
  const { line, match, after, before, firstMatch, absent, format } = options
  const { replace = firstMatch ? 'first' : 'last' } = options
  if (line === undefined || !(match instanceof RegExp))
    throw invalidOption(title, 'backrefs needs match, a regular expression, and line')
  if (absent || replace === 'only' || after !== undefined || before !== undefined || format)
    throw invalidOption(title, 'backrefs takes no absent, after, before, format or replace: only')
  if (!choices.includes(replace))
    throw invalidOption(title, `replace is one of ${choices.join(', ')}`)
  const text = plain(line)
  if (text === '') throw invalidOption(title, 'the line is empty')
  const requests = [...replacementRequests(title, { match, text, what: 'line' }), `W ${replace}`]
  const call = 'hw_replace_text'
  return editorResource({
    ...{ title, name: 'replace', call, there: true, path, options, requests },
    values: [line],
  })
}

function wanted(title: string, path: string, options: LineOptions): string[] {
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
  if (absent && options.replace !== undefined)
    throw invalidOption(title, 'an absent line takes no replace')
  return [...requests, ...blockRequests(title, path, options), absent ? 'D' : `R ${replace}`]
}

/** Requests for a file in which the first line of a keyword counts. */
function blockRequests(title: string, path: string, options: LineOptions): string[] {
  const format = formatOf(title, path, options.format)
  if (format === 'plain') return []
  const { header, repeated } = blockFormat[format]
  if (options.after !== undefined && options.before !== undefined)
    throw invalidOption(title, `in the format ${format}, give before or after, not both`)
  if (options.replace === 'last')
    throw invalidOption(title, `in the format ${format} the first line counts, not the last`)
  const requests = [`H ${patternRequest(title, 'format', header)}`]
  if (options.line === undefined) return requests
  const text = plain(options.line)
  if (!options.absent && header.test(text))
    throw invalidOption(title, 'the line begins a block of the file: use block()')
  const keyword = /^\s*([A-Za-z]\w*)(?=[\s=]|$)/.exec(text)?.[1]?.toLowerCase()
  if (keyword === undefined || repeated.includes(keyword) || options.absent) return requests
  const same = new RegExp(`^\\s*${keyword}([\\s=]|$)`, 'i')
  return [...requests, `K ${patternRequest(title, 'format', same)}`]
}
