/** Python’s literals in a text: what Ansible makes of a value that looks like a list, a mapping or a boolean. */

import { operate } from './arithmetic.ts'
import { tokenize } from './lexer.ts'
import { createReader, parseExpression } from './parse-expression.ts'
import type { Expression } from './syntax.ts'
import {
  asNumber,
  defined,
  dictEntries,
  isDict,
  isFloat,
  isList,
  isNumber,
  keyOf,
  tuple,
} from './values.ts'

/** @returns the value; undefined if the text is no literal */
export function literal(text: string): { value: unknown } | undefined {
  if (!/^[[{]|^(?:True|False)$/.test(text)) return undefined
  try {
    const reader = createReader(tokenize(`{{${text} }}`))
    reader.next()
    const found = parseExpression(reader, false)
    return reader.peek().kind === 'close' ? { value: literalOf(found) } : undefined
  } catch {
    return undefined
  }
}

/** @throws not a literal */
function literalOf(expression: Expression): unknown {
  switch (expression.is) {
    case 'constant':
      return expression.value
    case 'name':
      if (expression.name === 'null') return null
      break
    case 'list':
      return expression.items.map(literalOf)
    case 'tuple':
      return tuple(expression.items.map(literalOf))
    case 'dict':
      return new Map(
        expression.pairs.map(([key, value]) => [keyOf(literalOf(key)), literalOf(value)]),
      )
    case 'sign': {
      const of = literalOf(expression.of)
      if (isNumber(of) && typeof of !== 'boolean')
        return operate('*', of, expression.sign === '-' ? -1 : 1)
    }
  }
  throw new Error('not a literal')
}

/**
 * A value as plain JavaScript: lists, objects, texts, numbers, booleans, null; secrets stay secrets.
 * @throws {TemplateFault} something in it is undefined
 */
export function toPlain(value: unknown): unknown {
  if (defined(value) === undefined) return null
  if (isList(value)) return value.map(toPlain)
  if (isDict(value))
    return Object.fromEntries(dictEntries(value).map(([key, of]) => [keyText(key), toPlain(of)]))
  return defined(value)
}

const keyText = (key: unknown): string =>
  key === null ? 'null' : isFloat(key) ? String(asNumber(key)) : String(key)
