/** Statements, by the grammar of jinja2/parser.py. Pure. */
import { type LexOptions, SyntaxFault, tokenize } from './lexer.ts'
import {
  createReader,
  parseExpression,
  parseFilterUse,
  parseTuple,
  type Reader,
} from './parse-expression.ts'
import type { Assignee, FilterUse, Macro, Parameter, Statement } from './syntax.ts'

/** @throws {SyntaxFault} also for a filter or a test that is not `known`, wherever it stands: as in Ansible */
export function parse(
  source: string,
  known: (kind: 'filter' | 'test', name: string) => boolean,
  options?: LexOptions,
): Statement[] {
  const reader = createReader(tokenize(source, options))
  const body = parseUntil(reader, [])
  const strange = reader.named.find(({ kind, name }) => !known(kind, name))
  if (!strange) return body
  throw new SyntaxFault(`the ${strange.kind} '${strange.name}' is not known here`, strange.line)
}

/** Statements up to one of these words, whose `{%` and word are taken. Without words: all. */
function parseUntil(reader: Reader, words: readonly string[], from?: string): Statement[] {
  const body: Statement[] = []
  for (;;) {
    const { kind, value, line } = reader.peek()
    if (kind === 'data' && value === '') {
      if (words.length > 0) reader.fail(`there is no ${words.at(-1)} for '${from}'`)
      return body
    }
    reader.next()
    if (kind === 'data') body.push({ is: 'data', line, text: value })
    else if (kind === 'print') {
      body.push({ is: 'print', line, value: parseTuple(reader) })
      if (reader.peek().kind !== 'close') reader.fail(`unexpected '${reader.peek().value}'`)
      reader.next()
    } else {
      if (words.includes(reader.peek().value)) return body
      const word = reader.name()
      const parser = Object.hasOwn(statements, word) ? statements[word] : undefined
      if (parser === undefined) {
        const ends = /^(end|else|elif)/.test(word)
        reader.fail(ends ? `unexpected '${word}'` : `there is no statement '${word}'`)
      }
      const found = reader.nested(() => parser!(reader, line))
      body.push(...[found].flat())
    }
  }
}

function end(reader: Reader): void {
  if (reader.peek().kind !== 'end') reader.fail(`expected '%}', found '${reader.peek().value}'`)
  reader.next()
}

/** The body of a block, with its closing tag. */
function block(reader: Reader, from: string): Statement[] {
  end(reader)
  const body = parseUntil(reader, [`end${from}`], from)
  reader.next()
  end(reader)
  return body
}

type Parser = (reader: Reader, line: number) => Statement | Statement[]

const statements: Readonly<Record<string, Parser>> = {
  if: parseIf,
  for: parseFor,
  set: parseSet,
  macro: (reader, line) => {
    const name = reader.name()
    return { is: 'macro', line, macro: parseMacro(reader, name, 'macro') }
  },
  call: (reader, line) => {
    const parameters = reader.at('(') ? parseParameters(reader) : []
    const call = parseExpression(reader)
    if (call.is !== 'call') reader.fail('expected the call of a macro')
    return { is: 'callBlock', line, call, macro: parseMacro(reader, 'caller', 'call', parameters) }
  },
  filter: (reader, line) => {
    const filters = [parseFilterUse(reader), ...parseFilterChain(reader)]
    return { is: 'filterBlock', line, filters, body: block(reader, 'filter') }
  },
  with: parseWith,
  include: (reader, line) => {
    const name = parseExpression(reader)
    const ignoreMissing = reader.at('ignore', 'name') && reader.peek(1).value === 'missing'
    if (ignoreMissing) {
      reader.next()
      reader.next()
    }
    const context = parseContext(reader, true)
    end(reader)
    return { is: 'include', line, name, ignoreMissing, context }
  },
  import: (reader, line) => {
    const name = parseExpression(reader)
    reader.expect('as', 'name')
    const as = reader.name()
    const context = parseContext(reader, false)
    end(reader)
    return { is: 'import', line, name, as, context }
  },
  from: parseFrom,
}

function parseContext(reader: Reader, otherwise: boolean): boolean {
  const known = reader.at('with', 'name') || reader.at('without', 'name')
  if (!known || reader.peek(1).value !== 'context') return otherwise
  const found = reader.next().value === 'with'
  reader.next()
  return found
}

function parseIf(reader: Reader, line: number): Statement {
  const branches: { when?: ReturnType<typeof parseTuple>; body: Statement[] }[] = []
  for (;;) {
    const when = parseTuple(reader, false)
    end(reader)
    branches.push({ when, body: parseUntil(reader, ['elif', 'else', 'endif'], 'if') })
    const { value } = reader.next()
    if (value === 'elif') continue
    if (value === 'else') {
      end(reader)
      branches.push({ body: parseUntil(reader, ['endif'], 'if') })
      reader.next()
    }
    end(reader)
    return { is: 'if', line, branches }
  }
}

function parseFor(reader: Reader, line: number): Statement {
  const each = parseAssignee(reader)
  reader.expect('in', 'name')
  const of = parseTuple(reader, false)
  const when = reader.take('if', 'name') ? parseExpression(reader) : undefined
  const recursive = reader.take('recursive', 'name')
  end(reader)
  const body = parseUntil(reader, ['else', 'endfor'], 'for')
  let otherwise: Statement[] = []
  if (reader.next().value === 'else') {
    end(reader)
    otherwise = parseUntil(reader, ['endfor'], 'for')
    reader.next()
  }
  end(reader)
  return { is: 'for', line, each, of, when, recursive, body, otherwise }
}

function parseSet(reader: Reader, line: number): Statement {
  const to = parseAssignee(reader)
  if (reader.take('=')) {
    const value = parseTuple(reader)
    end(reader)
    return { is: 'set', line, to, value }
  }
  const filters = parseFilterChain(reader)
  return { is: 'capture', line, to, filters, body: block(reader, 'set') }
}

function parseFilterChain(reader: Reader): FilterUse[] {
  const found: FilterUse[] = []
  while (reader.take('|')) found.push(parseFilterUse(reader))
  return found
}

function parseAssignee(reader: Reader): Assignee {
  const parts: Assignee[] = []
  let several = false
  do {
    if (reader.at('in', 'name') || reader.at('=')) break
    if (reader.take('(')) {
      parts.push(parseAssignee(reader))
      reader.expect(')')
    } else {
      const name = reader.name()
      if (/^(true|false|none|not|and|or|is|in|if|else)$/i.test(name))
        reader.fail(`'${name}' is no name for a value`)
      parts.push(
        reader.take('.') ? { is: 'member', of: name, name: reader.name() } : { is: 'name', name },
      )
    }
    if (!reader.at(',')) break
    several = true
  } while (reader.take(','))
  if (parts.length === 0) reader.fail('expected a name')
  return several ? { is: 'names', parts } : parts[0]!
}

function parseParameters(reader: Reader): Parameter[] {
  const found: Parameter[] = []
  reader.expect('(')
  while (!reader.take(')')) {
    if (found.length > 0) reader.expect(',')
    if (reader.take(')')) break
    const name = reader.name()
    const otherwise = reader.take('=') ? parseExpression(reader) : undefined
    if (!otherwise && found.at(-1)?.otherwise) reader.fail(`'${name}' needs a default too`)
    found.push({ name, otherwise })
  }
  return found
}

function parseMacro(
  reader: Reader,
  name: string,
  word: string,
  parameters = parseParameters(reader),
): Macro {
  const { found, words } = reader.words(() => block(reader, word))
  return { name, parameters, uses: words, body: found }
}

function parseWith(reader: Reader, line: number): Statement {
  const sets: { to: Assignee; value: ReturnType<typeof parseExpression> }[] = []
  while (reader.peek().kind !== 'end') {
    if (sets.length > 0) reader.expect(',')
    const to: Assignee = { is: 'name', name: reader.name() }
    reader.expect('=')
    sets.push({ to, value: parseExpression(reader) })
  }
  return { is: 'with', line, sets, body: block(reader, 'with') }
}

function parseFrom(reader: Reader, line: number): Statement {
  const name = parseExpression(reader)
  reader.expect('import', 'name')
  const names: { name: string; as: string }[] = []
  let context: boolean | undefined
  while (reader.peek().kind !== 'end') {
    if (names.length > 0 && !reader.take(',')) {
      context = parseContext(reader, false)
      break
    }
    if (/^with(out)?$/.test(reader.peek().value) && reader.peek(1).value === 'context') {
      context = parseContext(reader, false)
      break
    }
    const taken = reader.name()
    names.push({ name: taken, as: reader.take('as', 'name') ? reader.name() : taken })
  }
  end(reader)
  return { is: 'import', line, name, names, context: context ?? false }
}
