import { checkOptions, type OptionKinds } from '../options.ts'
import { invalidOption, plain, type Resource } from '../resource.ts'
import {
  checkLine,
  type EditOptions,
  editKinds,
  editorResource,
  type TextValue,
} from './edited-file.ts'

/** What can begin a section in the format `words`: haproxy's. lib/resources/editing/dialect.awk has the same list. */
export const sectionKeywords = [
  'global',
  'defaults',
  'frontend',
  'backend',
  'listen',
  'userlist',
  'peers',
  'resolvers',
  'mailers',
  'cache',
  'program',
  'ring',
  'fcgi-app',
  'http-errors',
  'log-forward',
  'crt-store',
  'traces',
]

export interface IniOptions extends EditOptions {
  /** Section of the keys; default: those before the first section. */
  section?: string
  /**
   * Keys and the values they must have. Of a list: the key stands there once for each value, in this
   * order, as in systemd's units: `{ ExecStart: ['', '/usr/bin/app'] }`.
   */
  set?: Readonly<Record<string, TextValue | readonly TextValue[]>>
  /** Keys that must stand there without a value: `skip-networking` in my.cnf. */
  bare?: readonly string[]
  /** Keys that must not be there. */
  unset?: readonly string[]
  /** The whole section must not be there. */
  absent?: boolean
  /**
   * `ini` (default): `[section]` lines and `key = value` or `key: value`. `git`: git's, with
   * `[remote "origin"]`, quotes and escapes in values, and keys in any letter case. `words`: haproxy's,
   * where a section begins with a keyword in the first column (`global`, `frontend web`) and a key is
   * the first words of a line (`timeout server`). `samba`: smb.conf, where letter case and blanks mean nothing in
   * names, only `=` separates, and a backslash at a line's end goes on. Several blanks count as one in a section's name.
   */
  format?: 'ini' | 'git' | 'samba' | 'words'
  /**
   * How a value goes on in the next line: `indent`, as Python's configparser reads it, where a line that
   * is indented deeper than its key belongs to the value; or `backslash` at a line's end, as in units of
   * systemd; `none`: it does not. Default: it does not, and a key whose value looks as if it did is refused.
   */
  continued?: 'indent' | 'backslash' | 'none'
  /** `#` or `;` behind a value and a blank begins a comment, which stays. Default: it is part of the value. */
  inlineComments?: boolean
  /**
   * A key that is not there takes the place of the first comment of its section that would set it: `;key = value`,
   * `# key = value`. Default: it comes at the end of its section, and comments stay.
   */
  uncomment?: boolean
  /** What stands between a new key and its value: `=`, ` = `, `: `. Default: as of its neighbours. */
  separator?: string
}

const optionKinds: OptionKinds<IniOptions> = {
  section: 'text',
  set: 'values',
  bare: 'texts',
  unset: 'texts',
  absent: 'flag',
  format: 'text',
  continued: 'text',
  inlineComments: 'flag',
  uncomment: 'flag',
  separator: 'text',
  ...editKinds,
}

/**
 * Keys of an INI file, edited in place: comments, order, spacing, line endings, encoding and mode stay
 * as they are, and the file is replaced whole or not at all. A key that is not there is added at the
 * end of its section, spaced like its neighbours; so is a section. Where a key stands twice, the last
 * one counts, unless it is set to a list.
 * @param path absolute path on the host
 * @throws {UsageError} recipe_invalid, when declared
 * @example ini('/etc/app.ini', { section: 'server', set: { port: 8080 }, unset: ['debug'] })
 * @example ini('/etc/php/8.2/fpm/php.ini', { section: 'PHP', set: { memory_limit: '256M' }, uncomment: true })
 */
export function ini(path: string, options: IniOptions): Resource {
  checkOptions(`ini ${path}`, options, optionKinds)
  const title = `ini ${path}${options.section ? ` [${options.section}]` : ''}`
  const values = Object.values(options.set ?? {}).flat()
  const requests = [
    ...optionRequests(title, options),
    `S ${sectionOf(title, options)}`,
    ...(options.absent ? absentRequests(title, options) : keyRequests(title, options)),
  ]
  return editorResource({ title, name: 'ini', path, options, requests, values })
}

function optionRequests(title: string, options: IniOptions): string[] {
  const { format = 'ini', continued, inlineComments, uncomment, separator } = options
  if (!['ini', 'git', 'samba', 'words'].includes(format))
    throw invalidOption(title, 'format is ini, git, samba or words')
  if (format !== 'ini' && (continued !== undefined || inlineComments !== undefined))
    throw invalidOption(title, `continued and inlineComments are not for the format ${format}`)
  if (continued !== undefined && !['indent', 'backslash', 'none'].includes(continued))
    throw invalidOption(title, 'continued is none, indent or backslash')
  if (separator !== undefined && !/^[ \t]*[=:][ \t]*$/.test(separator))
    throw invalidOption(title, 'a separator is = or : and blanks')
  const requests: string[] = []
  if (format === 'samba') requests.push('O folded yes', 'O separator  = ')
  else if (format !== 'ini') requests.push(`O format ${format}`)
  if (format === 'git' || format === 'samba') requests.push('O continued backslash')
  if (continued) requests.push(`O continued ${continued}`)
  if (inlineComments) requests.push('O comments yes')
  if (uncomment && format === 'words')
    throw invalidOption(title, 'uncomment is not for the format words: its comments can be prose')
  if (uncomment) requests.push('O uncomment yes')
  if (separator !== undefined) requests.push(`O separator ${separator}`)
  return requests
}

function absentRequests(title: string, { section, set, bare, unset }: IniOptions): string[] {
  if (!section) throw invalidOption(title, 'only a section with a name can be absent')
  if (set ?? bare ?? unset) throw invalidOption(title, 'an absent section has no keys')
  return ['X']
}

/** A key’s name as who reads the file compares it. */
function nameOf(key: string, format: IniOptions['format']): string {
  if (format === 'samba') return key.replace(/[ \t]/g, '').toLowerCase()
  return format === 'git' ? key.toLowerCase() : key
}

function keyRequests(title: string, options: IniOptions): string[] {
  const { set = {}, bare = [], unset = [], format } = options
  const keys = [...Object.keys(set), ...bare, ...unset]
  if (keys.length === 0) throw invalidOption(title, 'give at least one key to set or unset')
  const seen = new Set<string>()
  for (const key of keys) {
    checkKey(title, key, format)
    const name = nameOf(key, format)
    if (seen.has(name)) throw invalidOption(title, `${key} is both set and unset`)
    seen.add(name)
  }
  const requests: string[] = []
  for (const [key, value] of Object.entries(set)) {
    if (Array.isArray(value) && value.length === 0)
      throw invalidOption(title, `${key} has no values: unset it`)
    requests.push(`K ${key}`)
    for (const each of [value].flat() as TextValue[]) {
      const [first, ...more] = valueLines(title, key, plain(each), options)
      requests.push(
        `${Array.isArray(value) ? 'L' : 'V'} ${first}`,
        ...more.map(line => `N ${line}`),
      )
    }
  }
  for (const key of bare) {
    if (format === 'words' || key.includes(':'))
      throw invalidOption(
        title,
        `${key} can’t be bare${format === 'words' ? ": set it to ''" : ''}`,
      )
    requests.push(`K ${key}`, 'B')
  }
  for (const key of unset) requests.push(`K ${key}`, 'D')
  return requests
}

/** The lines of a value; one that the editor, or who reads the file, would not read so is refused. */
function valueLines(title: string, key: string, text: string, options: IniOptions): string[] {
  const { format, continued, inlineComments } = options
  const lines = continued === 'indent' ? text.split('\n') : [text]
  for (const line of lines) {
    checkLine(title, `value of ${key}`, line)
    if (format === 'git') continue
    if (line !== line.trim())
      throw invalidOption(title, `the value of ${key} begins or ends with a space`)
    if (inlineComments && /(^|[ \t])[#;]/.test(line) && !/^(["'])(?:(?!\1).)*\1$/.test(line))
      throw invalidOption(title, `the value of ${key} contains a comment: put it in quotes`)
  }
  if (lines.length > 1 && lines.at(-1) === '')
    throw invalidOption(title, `the value of ${key} ends with an empty line`)
  if (lines.slice(1).some(line => /^[#;]/.test(line)))
    throw invalidOption(title, `a line of the value of ${key} would be a comment`)
  if ((continued === 'backslash' || format === 'samba') && /(^|[^\\])(\\\\)*\\$/.test(text))
    throw invalidOption(title, `the value of ${key} ends with a backslash: it would go on`)
  return lines
}

/** The section as the editor compares it; one that it would not find again is refused. */
function sectionOf(title: string, { section = '', format }: IniOptions): string {
  checkLine(title, 'section', section)
  if (format === 'git') return gitSection(title, section)
  if (section.includes(']')) throw invalidOption(title, 'a section can’t hold ]')
  if (format !== 'words') return section
  const words = section.split(/[ \t]+/).filter(word => word !== '')
  if (words.length > 0 && !sectionKeywords.includes(words[0]!)) {
    const known = sectionKeywords.join(', ')
    throw invalidOption(title, `no section begins with ${words[0]}, only with one of ${known}`)
  }
  if (words.some(word => word.startsWith('#')))
    throw invalidOption(title, 'the section contains a comment')
  return words.join(' ')
}

function gitSection(title: string, section: string): string {
  const [, name, subsection] =
    /^([A-Za-z0-9.-]+)(?:[ \t]+("(?:[^"\\]|\\.)*"))?$/.exec(section) ?? []
  if (name === undefined)
    throw invalidOption(title, `write git’s section as core or remote "origin", not ${section}`)
  return subsection === undefined ? name : `${name} ${subsection}`
}

function checkKey(title: string, key: string, format: IniOptions['format']) {
  checkLine(title, 'key', key)
  const wrong =
    format === 'git'
      ? !/^[A-Za-z][A-Za-z0-9-]*$/.test(key)
      : key === '' || key !== key.trim() || /^[#;[]|=/.test(key)
  if (wrong) throw invalidOption(title, `${JSON.stringify(key)} is not a valid key`)
}
