/**
 * Reads and writes hostwright’s own INI files: `bootstrap.ini` and the state files on a host. (The config
 * files of products are edited on the host, losslessly, and never pass through here.)
 *
 * Quoted and escaped values are decoded by the `ini` library; lines, sections and keys are not: the library
 * splits section names at dots, turns `true` into a boolean, silently keeps the last of duplicates, and cuts
 * a value at any `;` or `#`.
 */
import { unsafe as decode } from 'ini'

/** A `key = value` line. */
export interface IniEntry {
  key: string
  /** Decoded; always a string. */
  value: string
  /** From 1. */
  line: number
}

/** A section; keys before the first section are in one with the name '' and line 1. */
export interface IniSection {
  name: string
  /** Line of the section's header, from 1. */
  line: number
  entries: IniEntry[]
}

/** An error in the file, with its position. */
export interface IniFault {
  /** From 1. */
  line: number
  section?: string
  key?: string
  /** What is wrong, without the position. */
  message: string
}

/** The contents of a file in order, and all its errors. */
export interface IniFile {
  /** The name of the file, for people. */
  file: string
  sections: IniSection[]
  /** In the order of the lines. */
  faults: IniFault[]
}

// Without the line itself: in a state file it may contain a secret.
const notUnderstood = 'not a section, key = value or a comment'
const header = /^\[([^\]]*)\]\s*(?:[;#].*)?$/
const comment = /^[;#]/
const restIsComment = /^\s*(?:$|\s[;#])/

/**
 * Reads a whole file and collects its errors instead of stopping at the first.
 *
 * Comments start with `;` or `#`, on their own line or after whitespace: `a;b` is a value. Values may be in
 * double quotes (JSON’s escapes) or single quotes (no escapes); in an unquoted value `\;`, `\#` and `\\`
 * stand for the second character. A section or key that occurs twice is an error; the first value counts, and
 * the keys of the second section are read as part of the first.
 *
 * @param file the name for messages
 */
export function readIni(text: string, file: string): IniFile {
  const sections = new Map<string, IniSection>()
  const faults: IniFault[] = []
  let section: IniSection = { name: '', line: 1, entries: [] }

  const readLine = (raw: string, line: number): void => {
    const content = raw.trim()
    if (content === '' || comment.test(content)) return
    const name = header.exec(content)?.[1]?.trim()
    if (name !== undefined) {
      const earlier = sections.get(name)
      if (name === '') faults.push({ line, message: 'a section without a name' })
      else if (earlier)
        faults.push({
          line,
          section: name,
          message: `duplicate section, first at line ${earlier.line}`,
        })
      section = earlier ?? { name, line, entries: [] }
      if (name !== '') sections.set(name, section)
      return
    }
    const equals = content.indexOf('=')
    const key = content.slice(0, equals).trim()
    if (equals === -1 || key === '') {
      faults.push({ line, ...named(section), message: notUnderstood })
      return
    }
    const earlier = section.entries.find(entry => entry.key === key)
    const value = readValue(content.slice(equals + 1))
    if (section.name === '' && !sections.has('')) sections.set('', section)
    if (earlier)
      faults.push({
        line,
        ...named(section),
        key,
        message: `duplicate key, first at line ${earlier.line}`,
      })
    else if ('fault' in value) faults.push({ line, ...named(section), key, message: value.fault })
    else section.entries.push({ key, value: value.text, line })
  }

  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)
  for (const [index, raw] of lines.entries()) readLine(raw, index + 1)
  return { file, sections: [...sections.values()], faults }
}

function named(section: IniSection): { section?: string } {
  return section.name === '' ? {} : { section: section.name }
}

/** A decoded value, or its error. */
type Value = { text: string } | { fault: string }

function readValue(raw: string): Value {
  const trimmed = raw.trim()
  if (trimmed.startsWith('"') || trimmed.startsWith("'")) return readQuoted(trimmed)
  // A comment must follow whitespace, or start the value.
  const bare = ` ${trimmed}`.replace(/\s[;#].*$/s, '')
  // The library would cut at these even without preceding whitespace.
  const text = decode(bare.replace(/\\.|[;#]/g, found => (found.length > 1 ? found : `\\${found}`)))
  return { text: String(text) }
}

function readQuoted(trimmed: string): Value {
  const mark = trimmed[0]
  const quoted = (mark === '"' ? /^"(?:[^"\\]|\\.)*"/ : /^'[^']*'/).exec(trimmed)?.[0]
  if (quoted === undefined) return { fault: `the closing ${mark} is missing` }
  if (!restIsComment.test(trimmed.slice(quoted.length)))
    return { fault: `text after the closing ${mark}; put the whole value in quotes` }
  // The library would parse single-quoted text as JSON: '1' would become a number.
  if (mark === "'") return { text: quoted.slice(1, -1) }
  const text = decode(quoted)
  // If it is not a JSON string, the library returns it unchanged, with its quotes.
  return text === quoted
    ? { fault: 'not a valid value in double quotes (a backslash is written \\\\ there)' }
    : { text: String(text) }
}

/** A section to write. `readIni` returns the same shape, with lines. */
export interface IniContent {
  name: string
  entries: Iterable<{ key: string; value: string }>
}

/**
 * Writes a file; `readIni` reads back the same names, keys and values.
 *
 * @throws {RangeError} a name that INI can’t represent (a line break, `]` in a section, `=` in a key), a
 *   repeated key or section, or keys without a section after a section
 */
export function writeIni(sections: Iterable<IniContent>): string {
  const parts: string[] = []
  const seen = new Set<string>()
  for (const { name, entries } of sections) {
    const badPlace = name === '' && seen.size > 0
    if (badPlace || seen.has(name) || name !== name.trim() || /[\]\r\n]/.test(name))
      throw new RangeError(`not a valid INI section name: ${JSON.stringify(name)}`)
    seen.add(name)
    const lines = name === '' ? [] : [`[${name}]\n`]
    const keys = new Set<string>()
    for (const { key, value } of entries) {
      if (!writableKey(key) || keys.has(key))
        throw new RangeError(`not a valid INI key: ${JSON.stringify(key)}`)
      keys.add(key)
      lines.push(`${key} = ${encode(value)}\n`)
    }
    // An empty section '' can’t be represented in the file.
    if (lines.length > 0) parts.push(lines.join(''))
  }
  return parts.join('\n')
}

function writableKey(key: string): boolean {
  return key !== '' && key === key.trim() && !/[=\r\n]|^[[;#]/.test(key)
}

// The library’s own `safe` leaves backslashes unchanged, and then reads `\\` back as `\`.
function encode(value: string): string {
  const bare = value === value.trim() && !/["'\\;#\p{Cc}\p{Zl}\p{Zp}]/u.test(value)
  return bare ? value : JSON.stringify(value)
}
