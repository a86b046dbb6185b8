/** JSON and YAML, as Python’s json and PyYAML write them. */
import { TemplateFault } from '../fault.ts'
import { count, text as textOf } from '../methods.ts'
import {
  asNumber,
  defined,
  dictEntries,
  float,
  integer,
  isDict,
  isInt,
  isList,
  isReal,
  orderText,
  reprFloat,
  str,
  truth,
  typeName,
  within,
} from '../values.ts'
import { type Filters, filter } from './filter.ts'
import { toYaml } from './yaml.ts'

interface JsonStyle {
  /** What each level is indented by; undefined: all in one line. */
  indent?: string
  sortKeys: boolean
  ascii: boolean
  separators: readonly [string, string]
}

function toJson(value: unknown, style: JsonStyle, before = ''): string {
  defined(value)
  const { indent, separators } = style
  const inner = before + (indent ?? '')
  const all = (open: string, parts: readonly string[], close: string) => {
    within(parts.reduce((size, part) => size + part.length + inner.length, 0))
    if (parts.length === 0) return open + close
    if (indent === undefined) return open + parts.join(separators[0]) + close
    return `${open}\n${inner}${parts.join(`${separators[0]}\n${inner}`)}\n${before}${close}`
  }
  if (isList(value))
    return all(
      '[',
      value.map(item => toJson(item, style, inner)),
      ']',
    )
  if (isDict(value)) {
    const entries = dictEntries(value).map(([key, of]) => [jsonKey(key), of] as const)
    if (style.sortKeys) entries.sort(([a], [b]) => orderText(a, b))
    const parts = entries.map(
      ([key, of]) => quoted(key, style.ascii) + separators[1] + toJson(of, style, inner),
    )
    return all('{', parts, '}')
  }
  if (typeof value === 'string') return quoted(value, style.ascii)
  if (typeof value === 'boolean' || value === null || value === undefined)
    return String(value ?? null)
  if (isInt(value)) return String(value)
  if (isReal(value)) return jsonFloat(asNumber(value))
  throw new TemplateFault(`a ${typeName(value)} can't be written as JSON`)
}

const jsonFloat = (value: number) => {
  if (Number.isFinite(value)) return reprFloat(value)
  return Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity'
}
const jsonKey = (key: unknown) =>
  key === null ? 'null' : isReal(key) ? jsonFloat(asNumber(key)) : str(key)

const short: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
}
const quoted = (value: string, ascii: boolean) => {
  const special = ascii ? /["\\]|[^ -~]/g : /["\\\x00-\x1f]/g
  const escaped = (char: string) =>
    short[char] ?? `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  return `"${value.replace(special, escaped)}"`
}

const indentOf = (value: unknown) =>
  value === undefined || value === null
    ? undefined
    : typeof value === 'string'
      ? value
      : ' '.repeat(within(count(value, 0), 1000))

function pair(value: unknown): readonly [string, string] | undefined {
  return isList(value) && value.length === 2 ? [str(value[0]), str(value[1])] : undefined
}

/** JSON as values; whole numbers stay whole, and floats floats. */
export function fromJson(text: string): unknown {
  const reviver = function (
    this: unknown,
    _key: string,
    value: unknown,
    context?: { source?: string },
  ) {
    const source = context?.source
    if (typeof value !== 'number') return value
    if (source === undefined) return value
    return /[.e]/i.test(source) ? float(value) : integer(BigInt(source))
  }
  try {
    return JSON.parse(text, reviver as (key: string, value: unknown) => unknown)
  } catch (error) {
    throw new TemplateFault(`from_json: ${(error as Error).message}`)
  }
}

const flag = (value: unknown, otherwise: boolean) =>
  value === undefined || value === null ? otherwise : truth(value)

export const data: Filters = {
  to_json: filter((value, take) => {
    const indent = indentOf(take(-1, 'indent'))
    return toJson(value, {
      indent,
      sortKeys: flag(take(-1, 'sort_keys'), false),
      ascii: flag(take(-1, 'ensure_ascii'), true),
      separators: pair(take(-1, 'separators')) ?? [indent === undefined ? ', ' : ',', ': '],
    })
  }),
  to_nice_json: filter((value, take) =>
    toJson(value, {
      indent: indentOf(take(0, 'indent') ?? 4),
      sortKeys: flag(take(1, 'sort_keys'), true),
      ascii: flag(take(-1, 'ensure_ascii'), true),
      separators: [',', ': '],
    }),
  ),
  from_json: filter(value => fromJson(textOf(defined(value), 'what is read as JSON'))),
  to_yaml: filter((value, take) => {
    const flow = take(-1, 'default_flow_style')
    return toYaml(value, {
      indent: count(take(-1, 'indent'), 2),
      width: count(take(-1, 'width'), 80),
      sortKeys: flag(take(-1, 'sort_keys'), true),
      flow: flow === undefined || flow === null ? 'leaves' : truth(flow) ? 'all' : 'none',
    })
  }),
  to_nice_yaml: filter((value, take) =>
    toYaml(value, {
      indent: count(take(0, 'indent'), 4),
      width: count(take(-1, 'width'), 80),
      sortKeys: flag(take(-1, 'sort_keys'), true),
      flow: 'none',
    }),
  ),
}
