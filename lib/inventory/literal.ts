/**
 * Values in Ansible’s INI format: each is a Python literal, as `ast.literal_eval` reads it (Python’s Language
 * Reference, 2.4), or else the text as it is written. A literal may be followed by a comment; a bare word may
 * not: `a # b` is all value.
 */
import { float, integer } from '../templates/values.ts'
import { keyOf, mapping, type Written } from './value.ts'

/**
 * The value that `text` stands for.
 * @example readValue('"a b"  # note') // 'a b'
 * @example readValue("['a', 2]") // ['a', 2]
 * @example readValue('0644') // '0644', since Python has no such number
 */
export function readValue(text: string): Written {
  const literal = readLiteral(text)
  return literal === undefined ? text : literal
}

/** Deeper nesting is no literal for Python. */
const deepest = 200

/** Where the reader is. */
interface Cursor {
  readonly text: string
  at: number
  depth: number
}

/** The value of a Python literal; undefined for any other text. */
export function readLiteral(text: string): Written | undefined {
  // Python strips blanks and tabs before it reads.
  const cursor: Cursor = { text: text.replace(/^[ \t]+/, ''), at: 0, depth: 0 }
  const first = readItem(cursor)
  if (first === undefined) return undefined
  skip(cursor)
  if (cursor.at === cursor.text.length) return first
  // `1, 2` is a tuple without parentheses.
  const rest = cursor.text[cursor.at] === ',' ? readTail(cursor, first) : undefined
  return rest !== undefined && cursor.at === cursor.text.length ? rest : undefined
}

/** Moves past blanks, and a comment to the end of its line. */
function skip(cursor: Cursor): void {
  const found = /(?:[ \t\f\r\n]+|#[^\r\n]*)*/y
  found.lastIndex = cursor.at
  cursor.at += found.exec(cursor.text)![0].length
}

/** Moves past a character if it is next. */
function take(cursor: Cursor, char: string): boolean {
  skip(cursor)
  if (cursor.text[cursor.at] !== char) return false
  cursor.at++
  return true
}

function match(cursor: Cursor, pattern: RegExp): RegExpExecArray | undefined {
  pattern.lastIndex = cursor.at
  const found = pattern.exec(cursor.text)
  if (!found) return undefined
  cursor.at += found[0].length
  return found
}

function readTail(cursor: Cursor, first: Written): Written | undefined {
  const items = [first]
  while (take(cursor, ',')) {
    skip(cursor)
    if (cursor.at === cursor.text.length) return items
    const item = readItem(cursor)
    if (item === undefined) return undefined
    items.push(item)
  }
  return items
}

function readItem(cursor: Cursor): Written | undefined {
  skip(cursor)
  if (++cursor.depth > deepest) return undefined
  const value = readOne(cursor)
  cursor.depth--
  return value
}

function readOne(cursor: Cursor): Written | undefined {
  if (take(cursor, '[')) return readList(cursor, ']')
  if (take(cursor, '(')) return readParenthesis(cursor)
  if (take(cursor, '{')) return readBraces(cursor)
  const word = match(cursor, /(?:True|False|None)(?![\w'"])/y)?.[0]
  if (word !== undefined) return word === 'None' ? null : word === 'True'
  return readNumber(cursor) ?? readStrings(cursor)
}

/** Items up to the bracket; a comma may follow the last. */
function readList(cursor: Cursor, close: string): Written[] | undefined {
  const items: Written[] = []
  while (!take(cursor, close)) {
    const item = readItem(cursor)
    if (item === undefined) return undefined
    items.push(item)
    if (take(cursor, ',')) continue
    return take(cursor, close) ? items : undefined
  }
  return items
}

/** `()`, `(1,)` and `(1, 2)` are tuples, which become lists; `(1)` is 1. */
function readParenthesis(cursor: Cursor): Written | undefined {
  const start = cursor.at
  const items = readList(cursor, ')')
  if (items?.length !== 1) return items
  const inside = cursor.text.slice(start, cursor.at - 1)
  return /,\s*(?:#[^\n]*\s*)?$/.test(inside) ? items : items[0]
}

/** A dictionary, or a set, which becomes a list. */
function readBraces(cursor: Cursor): Written | undefined {
  const entries: [string, Written][] = []
  const items: Written[] = []
  while (!take(cursor, '}')) {
    const key = readItem(cursor)
    if (key === undefined) return undefined
    if (items.length === 0 && take(cursor, ':')) {
      const name = keyOf(key)
      const value = readItem(cursor)
      if (name === undefined || value === undefined) return undefined
      entries.push([name, value])
    } else if (entries.length > 0) return undefined
    else items.push(key)
    if (take(cursor, ',')) continue
    if (!take(cursor, '}')) return undefined
    break
  }
  return items.length > 0 ? items : mapping(entries)
}

const digits = '[0-9](?:_?[0-9])*'
const whole =
  /0[xX](?:_?[\da-fA-F])+|0[oO](?:_?[0-7])+|0[bB](?:_?[01])+|[1-9](?:_?[0-9])*|0(?:_?0)*/
const exponent = `[eE][-+]?${digits}`
const point = `(?:${digits}\\.(?:${digits})?|\\.${digits})(?:${exponent})?|${digits}${exponent}`
const number = new RegExp(`((?:[-+][ \\t]*)*)(?:(${point})|(${whole.source}))(?![\\w.])`, 'y')

/** Longer ones are no numbers for Python. */
const mostDigits = 4300

function readNumber(cursor: Cursor): Written | undefined {
  const found = match(cursor, number)
  if (!found) return undefined
  const [, signs = '', real, int] = found
  const negative = signs.replace(/[^-]/g, '').length % 2 === 1
  if (real !== undefined) {
    const value = Number(real.replaceAll('_', ''))
    return float(negative ? -value : value)
  }
  if (int!.length > mostDigits) return undefined
  const value = BigInt(int!.replaceAll('_', '').replace(/^0+(?=\d)/, ''))
  return integer(negative ? -value : value)
}

const quoted =
  /([uU]|[rR]|[bB][rR]?|[rR][bB])?(?:"""((?:[^\\]|\\[\s\S])*?)"""|'''((?:[^\\]|\\[\s\S])*?)'''|"(?!"")((?:[^"\\\n]|\\[\s\S])*)"|'(?!'')((?:[^'\\\n]|\\[\s\S])*)')/y

/** Adjacent quoted strings, joined. */
function readStrings(cursor: Cursor): string | undefined {
  let joined: string | undefined
  let bytes: boolean | undefined
  for (let found = match(cursor, quoted); found; found = match(cursor, quoted)) {
    const [, prefix = '', ...bodies] = found
    const body = bodies.find(candidate => candidate !== undefined)!
    // Python joins no bytes to text; bytes become text.
    if (bytes !== undefined && bytes !== /b/i.test(prefix)) return undefined
    bytes = /b/i.test(prefix)
    const part = /r/i.test(prefix) ? body : readEscapes(body)
    if (part === undefined) return undefined
    joined = (joined ?? '') + part
    skip(cursor)
  }
  return joined
}

const simple: Record<string, string> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\n': '',
}

const escapes =
  /\\(?:(?<octal>[0-7]{1,3})|x(?<x>[\da-fA-F]{2})|u(?<u>[\da-fA-F]{4})|U(?<U>[\da-fA-F]{8})|(?<other>.))/gs

/** Python’s escapes (Language Reference, 2.4.1) without `\N{…}`; undefined if one is malformed. */
function readEscapes(body: string): string | undefined {
  let text = ''
  let end = 0
  for (const match of body.matchAll(escapes)) {
    const { octal, x, u, U, other } = match.groups!
    const hex = x ?? u ?? U
    const code = octal ? Number.parseInt(octal, 8) : hex ? Number.parseInt(hex, 16) : undefined
    // x, u and U without digits are malformed.
    if ((code ?? 0) > 0x10ffff || (other && 'xuUN'.includes(other))) return undefined
    // An unknown escape keeps its backslash.
    const char = code === undefined ? (simple[other!] ?? match[0]) : String.fromCodePoint(code)
    text += body.slice(end, match.index) + char
    end = match.index + match[0].length
  }
  return text + body.slice(end)
}
