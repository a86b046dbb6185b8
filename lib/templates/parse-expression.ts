/** Expressions, by the grammar of jinja2/parser.py. Pure. */
import { SyntaxFault, type Token } from './lexer.ts'
import type { Arguments, Expression, FilterUse } from './syntax.ts'
import { float, integer } from './values.ts'

/** The tokens of a template, and how far they have been read. */
export interface Reader {
  peek(ahead?: number): Token
  next(): Token
  /** Whether the next is this sign or word. */
  at(value: string, kind?: Token['kind']): boolean
  /** Takes it if it is the next. */
  take(value: string, kind?: Token['kind']): boolean
  expect(value: string, kind?: Token['kind']): void
  name(): string
  fail(message: string): never
  /** The names among the tokens that `parse` takes. */
  words<T>(parse: () => T): { found: T; words: ReadonlySet<string> }
  /** The filters and tests that were named so far. */
  readonly named: { kind: 'filter' | 'test'; name: string; line: number }[]
  /** Counts how deep expressions and blocks are in each other. */
  nested<T>(parse: () => T): T
}

/** More in one another is not written by people. */
const deepest = 100

export function createReader(tokens: readonly Token[]): Reader {
  let at = 0
  let depth = 0
  const end: Token = { kind: 'data', value: '', line: tokens.at(-1)?.line ?? 1 }
  const peek = (ahead = 0) => tokens[at + ahead] ?? end
  const reader: Reader = {
    peek,
    next: () => {
      if (at >= tokens.length) reader.fail('unexpected end of the template')
      return tokens[at++]!
    },
    at: (value, kind = 'sign') => peek().kind === kind && peek().value === value,
    take: (value, kind) => {
      const found = reader.at(value, kind)
      if (found) at++
      return found
    },
    expect: (value, kind) => {
      if (!reader.take(value, kind)) reader.fail(`expected '${value}', found ${shown(peek())}`)
    },
    name: () => {
      if (peek().kind !== 'name') reader.fail(`expected a name, found ${shown(peek())}`)
      return reader.next().value
    },
    fail: message => {
      throw new SyntaxFault(message, peek().line)
    },
    words: parse => {
      const from = at
      const found = parse()
      const taken = tokens.slice(from, at).filter(({ kind }) => kind === 'name')
      return { found, words: new Set(taken.map(({ value }) => value)) }
    },
    named: [],
    nested: parse => {
      depth++
      if (depth > deepest) reader.fail(`more than ${deepest} levels deep`)
      const found = parse()
      depth--
      return found
    },
  }
  return reader
}

const shown = ({ kind, value }: Token) =>
  kind === 'close' ? "'}}'" : kind === 'end' ? "'%}'" : value === '' ? 'the end' : `'${value}'`

const word = (reader: Reader, value: string) => reader.at(value, 'name')

/** @param conditional false: without `x if y`, as in `for x in y if z` */
export function parseExpression(reader: Reader, conditional = true): Expression {
  return reader.nested(() => {
    const { line } = reader.peek()
    let found = parseOr(reader)
    while (conditional && reader.take('if', 'name')) {
      const when = parseOr(reader)
      const otherwise = reader.take('else', 'name') ? parseExpression(reader) : undefined
      found = { is: 'if', line, when, yes: found, otherwise }
    }
    return found
  })
}

/** `a, b` is a tuple; one alone is itself. */
export function parseTuple(reader: Reader, conditional = true): Expression {
  const { line } = reader.peek()
  const items: Expression[] = []
  let comma = false
  while (!endsTuple(reader)) {
    items.push(parseExpression(reader, conditional))
    if (!reader.take(',')) break
    comma = true
  }
  if (items.length === 0) reader.fail(`expected an expression, found ${shown(reader.peek())}`)
  return comma ? { is: 'tuple', line, items } : items[0]!
}

const endsTuple = (reader: Reader) =>
  ['end', 'close', 'data'].includes(reader.peek().kind) ||
  reader.at(')') ||
  reader.at('recursive', 'name')

function parseOr(reader: Reader): Expression {
  let left = parseAnd(reader)
  while (word(reader, 'or')) {
    const { line } = reader.next()
    left = { is: 'or', line, left, right: parseAnd(reader) }
  }
  return left
}

function parseAnd(reader: Reader): Expression {
  let left = parseNot(reader)
  while (word(reader, 'and')) {
    const { line } = reader.next()
    left = { is: 'and', line, left, right: parseNot(reader) }
  }
  return left
}

function parseNot(reader: Reader): Expression {
  if (!word(reader, 'not')) return parseCompare(reader)
  const { line } = reader.next()
  return { is: 'not', line, of: reader.nested(() => parseNot(reader)) }
}

const comparisons = ['==', '!=', '<', '<=', '>', '>=']

function parseCompare(reader: Reader): Expression {
  const { line } = reader.peek()
  const first = parseSum(reader)
  const rest: { sign: string; with: Expression }[] = []
  for (;;) {
    const { kind, value } = reader.peek()
    const notIn = value === 'not' && reader.peek(1).value === 'in' && reader.peek(1).kind === 'name'
    if (kind === 'sign' && comparisons.includes(value)) reader.next()
    else if (word(reader, 'in')) reader.next()
    else if (kind === 'name' && notIn) {
      reader.next()
      reader.next()
    } else break
    rest.push({ sign: notIn ? 'not in' : value, with: parseSum(reader) })
  }
  return rest.length === 0 ? first : { is: 'compare', line, first, rest }
}

const binary =
  (signs: readonly string[], below: (reader: Reader) => Expression) =>
  (reader: Reader): Expression => {
    let left = below(reader)
    while (reader.peek().kind === 'sign' && signs.includes(reader.peek().value)) {
      const { line, value: sign } = reader.next()
      left = { is: 'operator', line, sign, left, right: below(reader) }
    }
    return left
  }

const parsePower = binary(['**'], reader => parseUnary(reader))
const parseProduct = binary(['*', '/', '//', '%'], parsePower)
const parseConcat = binary(['~'], parseProduct)
const parseSum = binary(['+', '-'], parseConcat)

function parseUnary(reader: Reader, filters = true): Expression {
  const { line, kind, value } = reader.peek()
  let found: Expression
  if (kind === 'sign' && (value === '-' || value === '+')) {
    reader.next()
    const of = reader.nested(() => parseUnary(reader, false))
    found = { is: 'sign', line, sign: value, of }
  } else found = parsePrimary(reader)
  found = parsePostfix(reader, found)
  return filters ? parseFilters(reader, found) : found
}

const constants: Readonly<Record<string, unknown>> = {
  true: true,
  false: false,
  True: true,
  False: false,
  none: null,
  None: null,
}

function parsePrimary(reader: Reader): Expression {
  const { line, kind, value } = reader.next()
  const constant = (found: unknown): Expression => ({ is: 'constant', line, value: found })
  if (kind === 'name')
    return Object.hasOwn(constants, value)
      ? constant(constants[value])
      : { is: 'name', line, name: value }
  if (kind === 'int') return constant(integer(BigInt(value)))
  if (kind === 'float') return constant(float(Number(value)))
  if (kind === 'text') {
    let whole = value
    while (reader.peek().kind === 'text') whole += reader.next().value
    return constant(whole)
  }
  if (kind === 'sign' && value === '(') {
    const found: Expression = reader.at(')')
      ? { is: 'tuple', line, items: [] }
      : reader.nested(() => parseTuple(reader))
    reader.expect(')')
    return found
  }
  if (kind === 'sign' && value === '[')
    return { is: 'list', line, items: parseItems(reader, ']', () => parseExpression(reader)) }
  if (kind === 'sign' && value === '{') {
    const pairs = parseItems(reader, '}', () => {
      const key = parseExpression(reader)
      reader.expect(':')
      return [key, parseExpression(reader)] as const
    })
    return { is: 'dict', line, pairs }
  }
  throw new SyntaxFault(`expected an expression, found ${shown({ kind, value, line })}`, line)
}

/** Items with commas between them; one may be after the last. */
function parseItems<T>(reader: Reader, end: string, parse: () => T): T[] {
  const found: T[] = []
  while (!reader.at(end)) {
    if (found.length > 0) reader.expect(',')
    if (reader.at(end)) break
    found.push(parse())
  }
  reader.expect(end)
  return found
}

function parsePostfix(reader: Reader, first: Expression): Expression {
  let found = first
  for (;;) {
    const { line } = reader.peek()
    if (reader.take('.')) {
      const { kind, value } = reader.next()
      if (kind === 'name') found = { is: 'attribute', line, of: found, name: value }
      else if (kind === 'int')
        found = {
          is: 'index',
          line,
          of: found,
          key: { is: 'constant', line, value: Number(value) },
        }
      else reader.fail(`expected a name after '.'`)
    } else if (reader.take('[')) found = parseSubscript(reader, found, line)
    else if (reader.at('(')) found = { is: 'call', line, of: found, given: parseArguments(reader) }
    else return found
  }
}

function parseSubscript(reader: Reader, of: Expression, line: number): Expression {
  const part = () => (reader.at(':') || reader.at(']') ? undefined : parseExpression(reader))
  const from = part()
  if (from && reader.take(']')) return { is: 'index', line, of, key: from }
  reader.expect(':')
  const to = part()
  const step = reader.take(':') ? part() : undefined
  reader.expect(']')
  return { is: 'slice', line, of, from, to, step }
}

export function parseArguments(reader: Reader): Arguments {
  reader.expect('(')
  const args: Expression[] = []
  const named: { name: string; value: Expression }[] = []
  const rests: { rest?: Expression; restNamed?: Expression } = {}
  parseItems(reader, ')', () => {
    if (reader.take('**')) rests.restNamed = parseExpression(reader)
    else if (reader.take('*')) rests.rest = parseExpression(reader)
    else if (
      reader.peek().kind === 'name' &&
      reader.peek(1).kind === 'sign' &&
      reader.peek(1).value === '='
    ) {
      const name = reader.name()
      reader.expect('=')
      named.push({ name, value: parseExpression(reader) })
    } else if (named.length > 0) reader.fail('a value without a name stands behind a named one')
    else args.push(parseExpression(reader))
  })
  return { args, named, ...rests }
}

const none: Arguments = { args: [], named: [] }

/** `name(…)` after `|` or in `{% filter %}`. */
export function parseFilterUse(reader: Reader): FilterUse {
  const { line } = reader.peek()
  const name = dotted(reader)
  reader.named.push({ kind: 'filter', name, line })
  return { name, line, given: reader.at('(') ? parseArguments(reader) : none }
}

function dotted(reader: Reader): string {
  let name = reader.name()
  while (reader.take('.')) name += `.${reader.name()}`
  return name
}

function parseFilters(reader: Reader, first: Expression): Expression {
  let found = first
  for (;;) {
    if (reader.take('|')) found = { is: 'filter', of: found, ...parseFilterUse(reader) }
    else if (word(reader, 'is')) found = parseTest(reader, found)
    else if (reader.at('('))
      found = { is: 'call', line: reader.peek().line, of: found, given: parseArguments(reader) }
    else return found
  }
}

function parseTest(reader: Reader, of: Expression): Expression {
  const { line } = reader.next()
  const negated = reader.take('not', 'name')
  const name = dotted(reader)
  reader.named.push({ kind: 'test', name, line })
  const { kind, value } = reader.peek()
  const starts =
    ['text', 'int', 'float'].includes(kind) ||
    (kind === 'sign' && (value === '[' || value === '{')) ||
    (kind === 'name' &&
      !['else', 'or', 'and', 'is', 'if', 'in', 'not', 'recursive'].includes(value))
  const given = reader.at('(')
    ? parseArguments(reader)
    : starts
      ? { args: [parsePostfix(reader, parsePrimary(reader))], named: [] }
      : none
  const found: Expression = { is: 'test', line, of, name, given }
  return negated ? { is: 'not', line, of: found } : found
}
