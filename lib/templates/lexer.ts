/** Templates as tokens, by the rules of Jinja’s own lexer (jinja2/lexer.py): whitespace control, raw, comments. Pure. */
import { TemplateFault } from './fault.ts'

export interface Token {
  kind: 'data' | 'begin' | 'end' | 'print' | 'close' | 'name' | 'text' | 'int' | 'float' | 'sign'
  value: string
  line: number
}

export interface LexOptions {
  /** The newline after a block or a comment goes with it. Default: true, as Ansible has it. */
  trimBlocks?: boolean
  /** Blanks before a block at the beginning of a line go with it. Default: false. */
  lstripBlocks?: boolean
  /** In `{{ }}` a backslash in a text is a backslash, as in Ansible’s values. Default: false. */
  plainBackslashes?: boolean
}

/** An error of the syntax, with its line. */
export class SyntaxFault extends TemplateFault {
  readonly line: number

  constructor(message: string, line: number) {
    super(message, 'syntax')
    this.line = line
  }
}

const signs = /\/\/|\*\*|==|!=|>=|<=|[-+/*%~[\](){}<>=.:|,;]/y
const name = /[\p{L}_][\p{L}\p{N}_]*/uy
const number =
  /(?<![.])(?:(?:\d+_)*\d+(?:\.(?:\d+_)*\d+(?:e[+-]?(?:\d+_)*\d+)?|e[+-]?(?:\d+_)*\d+))|0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[\da-f])+|[1-9](?:_?\d)*|0(?:_?0)*/iy
const text = /'(?:[^'\\]|\\[\s\S])*'|"(?:[^"\\]|\\[\s\S])*"/y
const opener = /\{%([-+]?)\s*raw\s*(?:-%\}\s*|%\})|\{([{%#])([-+]?)/g
const closers: Readonly<Record<string, string>> = { ')': '(', ']': '[', '}': '{' }

/** @throws {SyntaxFault} */
export function tokenize(source: string, options: LexOptions = {}): Token[] {
  const { trimBlocks = true, lstripBlocks = false, plainBackslashes = false } = options
  const whole = source.replace(/\r\n?/g, '\n').replace(/\n$/, '')
  const ends = endsOf(trimBlocks)
  const tokens: Token[] = []
  const place: Place = { whole, at: 0, line: 1 }
  const data = (end: number, sign: string, block: boolean) => {
    const value = stripped(whole, place.at, end, sign, lstripBlocks && block)
    if (value !== '') tokens.push({ kind: 'data', value, line: place.line })
  }
  while (place.at < whole.length) {
    opener.lastIndex = place.at
    const found = opener.exec(whole)
    if (!found) {
      data(whole.length, '', false)
      break
    }
    const [all, rawSign, kind] = found
    data(found.index, rawSign ?? found[3] ?? '', kind !== '{')
    skip(place, found.index + all.length)
    if (kind === '{' || kind === '%') {
      const print = kind === '{'
      tokens.push({ kind: print ? 'print' : 'begin', value: all, line: place.line })
      tokens.push(...tokensInside(place, print, print ? printEnd : ends.block, plainBackslashes))
      continue
    }
    const end = kind === '#' ? ends.comment : ends.raw
    end.lastIndex = place.at
    const closed = end.exec(whole)
    if (!closed)
      return fail(place, kind === '#' ? 'the comment is not closed' : 'there is no endraw')
    if (kind !== '#') data(closed.index, closed[1] ?? '', true)
    skip(place, closed.index + closed[0].length)
  }
  return tokens
}

/** How far a template has been read. */
interface Place {
  whole: string
  at: number
  line: number
}

function fail({ line }: Place, message: string): never {
  throw new SyntaxFault(message, line)
}

function skip(place: Place, to: number): void {
  place.line += countLines(place.whole.slice(place.at, to))
  place.at = to
}

const printEnd = /-\}\}\s*|\}\}/y

/** What closes a tag, with the blanks that go with it. */
function endsOf(trimBlocks: boolean) {
  const suffix = trimBlocks ? '\\n?' : ''
  return {
    comment: new RegExp(`\\+#\\}|-#\\}\\s*|#\\}${suffix}`, 'g'),
    block: new RegExp(`\\+%\\}|-%\\}\\s*|%\\}${suffix}`, 'y'),
    raw: new RegExp(`\\{%([-+]?)\\s*endraw\\s*(?:\\+%\\}|-%\\}\\s*|%\\}${suffix})`, 'g'),
  }
}

/** The tokens of a tag, and its end: brackets that are open keep it open. */
function tokensInside(
  place: Place,
  print: boolean,
  end: RegExp,
  plainBackslashes: boolean,
): Token[] {
  const tokens: Token[] = []
  const open: string[] = []
  for (;;) {
    const { whole, at, line } = place
    const closed = open.length === 0 && matchAt(end, whole, at)
    if (closed) {
      tokens.push({ kind: print ? 'close' : 'end', value: closed, line })
      skip(place, at + closed.length)
      return tokens
    }
    const found = nextToken(whole, at, line, plainBackslashes && print)
    if (found) {
      const { value, kind } = found.token
      if (kind === 'sign' && '([{'.includes(value)) open.push(value)
      if (kind === 'sign' && closers[value] !== undefined && open.pop() !== closers[value])
        fail(place, `unexpected '${value}'`)
      tokens.push(found.token)
      skip(place, found.end)
      continue
    }
    const char = whole[at]
    if (char === undefined) fail(place, `unexpected end: the ${print ? '{{' : '{%'} is not closed`)
    const blank = matchAt(/\s+/y, whole, at)
    if (!blank) fail(place, `unexpected character ${JSON.stringify(char)}`)
    skip(place, at + blank!.length)
  }
}

const countLines = (part: string) => part.split('\n').length - 1

function matchAt(pattern: RegExp, whole: string, at: number): string | undefined {
  pattern.lastIndex = at
  return pattern.exec(whole)?.[0]
}

/** The text before a tag, less what its sign takes. */
function stripped(whole: string, from: number, to: number, sign: string, lstrip: boolean): string {
  const value = whole.slice(from, to)
  if (sign === '-') return value.trimEnd()
  if (sign === '+' || !lstrip) return value
  const start = value.lastIndexOf('\n') + 1
  const fresh = start > 0 || from === 0 || whole[from - 1] === '\n'
  return fresh && /^\s+$/.test(value.slice(start)) ? value.slice(0, start) : value
}

function nextToken(
  whole: string,
  at: number,
  line: number,
  plainBackslashes: boolean,
): { token: Token; end: number } | undefined {
  const made = (kind: Token['kind'], found: string, value = found) => ({
    token: { kind, value, line },
    end: at + found.length,
  })
  const digits = matchAt(number, whole, at)
  if (digits)
    return made(
      /[.]|^(?!0x).*e/i.test(digits) ? 'float' : 'int',
      digits,
      digits.replaceAll('_', ''),
    )
  const word = matchAt(name, whole, at)
  if (word) return made('name', word)
  const quoted = matchAt(text, whole, at)
  if (quoted) {
    const inner = quoted.slice(1, -1)
    // Ansible doubles them, so such a quote ends the text there.
    if (plainBackslashes && inner.includes(`\\${quoted[0]}`))
      throw new SyntaxFault('in a value a backslash is itself: it can’t stand before a quote', line)
    return made('text', quoted, plainBackslashes ? inner : withoutEscapes(inner, line))
  }
  const sign = matchAt(signs, whole, at)
  return sign === undefined ? undefined : made('sign', sign)
}

const escapes: Readonly<Record<string, string>> = {
  n: '\n',
  t: '\t',
  r: '\r',
  b: '\b',
  f: '\f',
  v: '\v',
  a: '\x07',
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
}

/** Escapes as in Python’s texts; what is not one stays. */
export function withoutEscapes(inner: string, line: number): string {
  return inner.replace(
    /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-7]{1,3})|([\s\S]))/g,
    (all, x, u, long, octal, char) => {
      const hex = x ?? u ?? long
      if (hex !== undefined) {
        if (parseInt(hex, 16) > 0x10ffff) throw new SyntaxFault(`${all} is no character`, line)
        return String.fromCodePoint(parseInt(hex, 16))
      }
      if (octal !== undefined) return String.fromCodePoint(parseInt(octal, 8))
      if (/[xuUN]/.test(char)) throw new SyntaxFault(`invalid escape ${all}`, line)
      return escapes[char] ?? all
    },
  )
}
