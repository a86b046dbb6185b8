import { isSecret, type Secret } from '../shell/secret.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  plain,
  type Resource,
} from './resource.ts'
import { validateArg } from './validate.ts'

/** What can begin a section in the format `words`: haproxy's. lib/remote/ini.awk has the same list. */
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

export interface IniOptions extends CommonOptions {
  /** Section of the keys; default: those before the first section. */
  section?: string
  /** Keys and the values they must have. */
  set?: Readonly<Record<string, string | number | boolean | Secret>>
  /** Keys that must not be there. */
  unset?: readonly string[]
  /**
   * `ini` (default): `[section]` lines and `key = value`. `words`: haproxy's, where a section begins
   * with a keyword in the first column (`global`, `frontend web`) and a key is the first words of a
   * line (`timeout server`). Several blanks count as one in a section's name.
   */
  format?: 'ini' | 'words'
  /** Command that must succeed on the new file, `%s`, before it replaces the old one. */
  validate?: string
}

/**
 * Keys of an INI file, edited in place: comments, order, spacing, line endings, encoding and mode stay
 * as they are, and the file is replaced whole or not at all. A key that is not there is added at the
 * end of its section, spaced like its neighbours; so is a section. Where a key stands twice, the last
 * one counts. The value is all that follows the separator: what looks like a comment behind it is part
 * of it, as in most programs that read such files.
 * @param path absolute path on the host
 * @throws {UsageError} recipe_invalid, when declared
 * @example ini('/etc/app.ini', { section: 'server', set: { port: 8080 }, unset: ['debug'] })
 */
export function ini(path: string, options: IniOptions): Resource {
  const title = `ini ${path}${options.section ? ` [${options.section}]` : ''}`
  const target = checkPath(title, path)
  const format = options.format ?? 'ini'
  const requests = iniRequests(title, options)
  const secrets = Object.values(options.set ?? {}).flatMap(value =>
    isSecret(value) ? [value.reveal()] : [],
  )
  return declare({
    title,
    options,
    secrets,
    path: target,
    call: {
      name: 'hw_ini',
      args: [target, format, validateArg(title, options.validate), ...requests],
      gather: { ini: { path: target, format, requests } },
    },
  })
}

function iniRequests(title: string, options: IniOptions): string[] {
  const { set = {}, unset = [] } = options
  if (Object.keys(set).length + unset.length === 0)
    throw invalidOption(title, 'names no key to set or unset')
  const requests = [`S ${sectionOf(title, options)}`]
  for (const [key, value] of Object.entries(set)) {
    const text = plain(value)
    checkKey(title, key)
    checkLine(title, `value of ${key}`, text)
    if (text !== text.trim())
      throw invalidOption(title, `the value of ${key} begins or ends with a space`)
    requests.push(`K ${key}`, `V ${text}`)
  }
  for (const key of unset) {
    checkKey(title, key)
    if (Object.hasOwn(set, key)) throw invalidOption(title, `${key} is both set and unset`)
    requests.push(`K ${key}`, 'D')
  }
  return requests
}

/** The section as the editor compares it; one that it would not find again is refused. */
function sectionOf(title: string, { section = '', format }: IniOptions): string {
  checkLine(title, 'section', section)
  if (section.includes(']')) throw invalidOption(title, 'a section can’t hold ]')
  if (format !== 'words') return section
  const words = section.split(/[ \t]+/).filter(word => word !== '')
  if (words.length > 0 && !sectionKeywords.includes(words[0]!)) {
    const known = sectionKeywords.join(', ')
    throw invalidOption(title, `no section begins with ${words[0]}, only with one of ${known}`)
  }
  if (words.some(word => word.startsWith('#')))
    throw invalidOption(title, 'the section holds a comment')
  return words.join(' ')
}

function checkKey(title: string, key: string) {
  checkLine(title, 'key', key)
  if (key === '' || key !== key.trim() || /^[#;[]|=/.test(key)) {
    throw invalidOption(title, `${JSON.stringify(key)} can’t be a key`)
  }
}

/** Tabs are fine; what else is below a space could end the line, or the editor's request. */
function checkLine(title: string, what: string, text: string) {
  if (/[\0-\x08\x0a-\x1f\x7f]/.test(text))
    throw invalidOption(title, `the ${what} holds control characters`)
}
