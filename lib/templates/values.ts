/**
 * Values as templates see them: Python’s, on top of JavaScript’s. A text, a boolean, null, a list and a mapping are
 * what they are; an integer is a number or, beyond 2^53, a bigint; a float is a number, and a `Float` where it is whole.
 */
import { isSecret, type Secret, secret } from '../shell/secret.ts'
import { TemplateFault } from './fault.ts'

/** A mapping whose values are found when they are asked for, such as `hostvars`. */
export interface LazyMap {
  readonly [lazy]: true
  has(key: string): boolean
  get(key: string): unknown
  keys(): Iterable<string>
}
const lazy = Symbol('lazy')

/** A mapping that asks for each value by name. */
export const lazyMap = (names: Omit<LazyMap, typeof lazy>): LazyMap => ({ [lazy]: true, ...names })

/** A float that is whole, infinite or not a number: `1.0` is not `1`. */
export interface Float {
  readonly [real]: number
  toJSON(): number
}
const real = Symbol('float')

export const float = (value: number): number | Float =>
  Number.isInteger(value) || !Number.isFinite(value)
    ? Object.freeze({ [real]: value, toJSON: () => value })
    : value

/** What a name without a value is: an error as soon as it is used. */
interface Missing {
  readonly [missingTag]: string
  /** It is shown as nothing, as Jinja has it for an inline if without else. */
  readonly empty: boolean
}
const missingTag = Symbol('undefined')

/** @param why the error of using it: `'port' is undefined` */
export const missing = (why: string, empty = false): Missing =>
  Object.freeze({ [missingTag]: why, empty })

export const isMissing = (value: unknown): value is Missing => has(value, missingTag)

const isEmpty = (value: unknown) => isMissing(value) && value.empty

/** @throws {TemplateFault} it is undefined */
export function defined<T>(value: T): T {
  if (isMissing(value)) throw new TemplateFault(value[missingTag], 'undefined')
  return value
}

/** What a template can call. Functions of JavaScript are not. */
export interface Callable {
  readonly [call]: (given: Given) => unknown
}
const call = Symbol('call')
/** Arguments by position and by name. */
export interface Given {
  args: readonly unknown[]
  named: ReadonlyMap<string, unknown>
}
export const callable = (work: (given: Given) => unknown): Callable => ({ [call]: work })
export const isCallable = (value: unknown): value is Callable => has(value, call)
export const invoke = (value: Callable, given: Given) => value[call](given)

const has = (value: unknown, tag: symbol) =>
  typeof value === 'object' && value !== null && tag in value

/** Lists that Python has other types for: how they are shown, and that they are tuples. */
const kinds = new WeakMap<readonly unknown[], { name: string; open: string; close: string }>()
const ofKind = (name: string, open: string, close: string) => (items: readonly unknown[]) => {
  const made = [...items]
  kinds.set(made, { name, open, close })
  return made
}
export const tuple = ofKind('tuple', '(', ')')
export const keysView = ofKind('dict_keys', 'dict_keys([', '])')
export const valuesView = ofKind('dict_values', 'dict_values([', '])')
export const itemsView = ofKind('dict_items', 'dict_items([', '])')
export const isTuple = (value: unknown) =>
  Array.isArray(value) && kinds.get(value)?.name === 'tuple'

/** A list as Python has it: no tuple, and no view of a mapping. */
export const isPlainList = (value: unknown): value is readonly unknown[] =>
  Array.isArray(value) && !kinds.has(value)

export const isLazy = (value: unknown): value is LazyMap => has(value, lazy)
export type Dict = ReadonlyMap<unknown, unknown> | LazyMap | Readonly<Record<string, unknown>>
export function isDict(value: unknown): value is Dict {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  if (value instanceof Map || isLazy(value)) return true
  if (isFloat(value) || isMissing(value) || isCallable(value) || isSecret(value)) return false
  const prototype = Object.getPrototypeOf(value)
  return prototype === null || prototype === Object.prototype
}
export const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)
export const isFloat = (value: unknown): value is Float => has(value, real)
export const isInt = (value: unknown): value is number | bigint =>
  typeof value === 'bigint' || (typeof value === 'number' && Number.isInteger(value))
export const isReal = (value: unknown): value is number | Float =>
  isFloat(value) || (typeof value === 'number' && !Number.isInteger(value))
export const isNumber = (value: unknown): value is number | bigint | Float | boolean =>
  isInt(value) || isReal(value) || typeof value === 'boolean'

/** A number of Python as one of JavaScript. */
export const asNumber = (value: number | bigint | Float | boolean): number =>
  isFloat(value) ? value[real] : Number(value)
export const integer = (value: bigint): number | bigint => {
  const small = Number(value)
  return Number.isSafeInteger(small) ? small : value
}

/** In a mapping `1` and `'1'` are two keys; a plain object has only texts. */
export const dictKeys = (dict: Dict): unknown[] =>
  dict instanceof Map || isLazy(dict) ? [...dict.keys()] : Object.keys(dict)

/** @returns undefined if there is no such key */
export function dictGet(dict: Dict, key: unknown): { value: unknown } | undefined {
  const found = keyOf(key)
  if (dict instanceof Map) return dict.has(found) ? { value: dict.get(found) } : undefined
  if (typeof found !== 'string') return undefined
  if (isLazy(dict)) return dict.has(found) ? { value: dict.get(found) } : undefined
  return Object.hasOwn(dict, found)
    ? { value: (dict as Record<string, unknown>)[found] }
    : undefined
}
/** True is the key 1. */
export const keyOf = (key: unknown): unknown => {
  if (isMissing(key)) return defined(key)
  if (isList(key) || isDict(key)) throw new TemplateFault(`unhashable type: '${typeName(key)}'`)
  if (typeof key === 'boolean') return Number(key)
  return isFloat(key) ? asNumber(key) : isSecret(key) ? key.reveal() : key
}
export const dictEntries = (dict: Dict): [unknown, unknown][] =>
  dictKeys(dict).map(key => [key, dictGet(dict, key)?.value])

/** Python’s name of a type, for messages. */
export function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'NoneType'
  if (typeof value === 'string' || isSecret(value)) return 'str'
  if (typeof value === 'boolean') return 'bool'
  if (isList(value)) return kinds.get(value)?.name ?? 'list'
  if (isMissing(value)) return 'Undefined'
  if (isDict(value)) return 'dict'
  if (isInt(value)) return 'int'
  return isReal(value) ? 'float' : 'function'
}

export function truth(value: unknown): boolean {
  if (isEmpty(value)) return false
  const given = plain(defined(value))
  if (isList(given)) return given.length > 0
  if (isDict(given)) return dictKeys(given).length > 0
  if (isNumber(given)) return asNumber(given) !== 0
  return isCallable(given) || Boolean(given)
}

export const plain = (value: unknown): unknown => (isSecret(value) ? value.reveal() : value)

/** How much a template may take: of what it does, and of what it makes. */
export const mostSteps = 2_000_000
export const mostCharacters = 33_554_432
export const mostItems = 1_000_000

/** @throws {TemplateFault} more than a template may make */
export function within(count: number, most = mostCharacters): number {
  if (count > most) throw new TemplateFault(`makes more than ${most} characters or items`)
  return count
}

/** Counts what is looked at in values that contain themselves many times. */
const counter = () => {
  let left = mostSteps
  return () => {
    left--
    if (left < 0) throw new TemplateFault('is too large a value')
  }
}

/** As `str()`. */
export function str(value: unknown): string {
  if (isEmpty(value)) return ''
  defined(value)
  return typeof value === 'string' ? value : isSecret(value) ? value.reveal() : repr(value)
}

/** As `repr()`. */
export function repr(value: unknown, count = counter()): string {
  count()
  const each = (items: readonly unknown[]) => {
    let size = 0
    return items.map(item => {
      const text = repr(item, count)
      size += text.length + 2
      within(size)
      return text
    })
  }
  if (value === null || value === undefined) return 'None'
  if (typeof value === 'string') return reprText(value)
  if (isSecret(value)) return reprText(value.reveal())
  if (typeof value === 'boolean') return value ? 'True' : 'False'
  if (isList(value)) {
    const { name, open, close } = kinds.get(value) ?? { name: 'list', open: '[', close: ']' }
    const lone = name === 'tuple' && value.length === 1 ? ',' : ''
    return `${open}${each(value).join(', ')}${lone}${close}`
  }
  if (isMissing(value)) return defined(value) as never
  if (isDict(value)) {
    const entries = dictEntries(value).map(pair => each(pair).join(': '))
    within(entries.reduce((size, entry) => size + entry.length, 0))
    return `{${entries.join(', ')}}`
  }
  if (isInt(value)) return String(value)
  if (isReal(value)) return reprFloat(asNumber(value))
  throw new TemplateFault('a function is not a value: call it with ()')
}

function reprText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'"
  const short: Record<string, string> = { '\n': '\\n', '\r': '\\r', '\t': '\\t', '\\': '\\\\' }
  const inner = text.replace(/[\\'"]|(?! )[\p{C}\p{Z}]/gu, found => {
    if (found === "'" || found === '"') return found === quote ? `\\${found}` : found
    if (short[found]) return short[found]
    const code = found.codePointAt(0)!
    const hex = code.toString(16)
    if (code < 256) return `\\x${hex.padStart(2, '0')}`
    return code < 65_536 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`
  })
  return quote + inner + quote
}

/** The shortest digits that are this number: JavaScript’s, written as Python writes them. */
export function reprFloat(value: number): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  const [mantissa, power] = Math.abs(value).toExponential().split('e')
  const exponent = Number(power)
  const digits = mantissa!.replace('.', '')
  const sign = value < 0 || Object.is(value, -0) ? '-' : ''
  if (exponent < -4 || exponent >= 16) {
    const size = String(Math.abs(exponent)).padStart(2, '0')
    return `${sign}${mantissa}e${exponent < 0 ? '-' : '+'}${size}`
  }
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`
  const whole = digits.slice(0, exponent + 1).padEnd(exponent + 1, '0')
  return `${sign}${whole}.${digits.slice(exponent + 1) || '0'}`
}

/** As `==`. */
export function equal(left: unknown, right: unknown, count = counter()): boolean {
  count()
  const [a, b] = [plain(defined(left)), plain(defined(right))]
  if (isNumber(a) && isNumber(b))
    return isInt(a) && isInt(b) ? BigInt(a) === BigInt(b) : asNumber(a) === asNumber(b)
  if (isList(a) && isList(b))
    return (
      isTuple(a) === isTuple(b) &&
      a.length === b.length &&
      a.every((item, at) => equal(item, b[at], count))
    )
  if (isDict(a) && isDict(b)) {
    const keys = dictKeys(a)
    return (
      keys.length === dictKeys(b).length &&
      keys.every(key => {
        const other = dictGet(b, key)
        return other !== undefined && equal(dictGet(a, key)?.value, other.value, count)
      })
    )
  }
  return (a ?? null) === (b ?? null)
}

/** Order of two values, as `<` has it. @throws {TemplateFault} they have none */
export function order(left: unknown, right: unknown, sign = '<'): number {
  const [a, b] = [plain(defined(left)), plain(defined(right))]
  if (isNumber(a) && isNumber(b)) {
    if (isInt(a) && isInt(b)) return a < b ? -1 : a > b ? 1 : 0
    const [x, y] = [asNumber(a), asNumber(b)]
    return x < y ? -1 : x > y ? 1 : x === y ? 0 : Number.NaN
  }
  if (typeof a === 'string' && typeof b === 'string') return orderText(a, b)
  if (isList(a) && isList(b) && isTuple(a) === isTuple(b)) {
    for (const [at, item] of a.entries()) {
      if (at >= b.length) return 1
      if (!equal(item, b[at])) return order(item, b[at], sign)
    }
    return a.length - b.length
  }
  throw new TemplateFault(
    `'${sign}' not supported between instances of '${typeName(a)}' and '${typeName(b)}'`,
  )
}

/** By code points; JavaScript compares halves of them. */
export function orderText(a: string, b: string): number {
  if (a === b) return 0
  const [x, y] = [[...a], [...b]]
  const at = x.findIndex((char, index) => char !== y[index])
  if (at < 0) return -1
  return (x[at]!.codePointAt(0) ?? 0) - (y[at]?.codePointAt(0) ?? -1)
}

/** The items that a loop or a filter goes through. @throws {TemplateFault} it has none */
export function items(value: unknown): readonly unknown[] {
  const given = plain(defined(value))
  if (isList(given)) return given
  if (typeof given === 'string') return [...given]
  if (isDict(given)) return dictKeys(given)
  throw new TemplateFault(`'${typeName(given)}' object is not iterable`)
}

/**
 * Works with secrets revealed; texts of the result that were not there before are secrets then.
 * @param inputs may contain secrets, at any depth
 */
export function guarded<T extends readonly unknown[]>(
  inputs: T,
  work: (inputs: T) => unknown,
): unknown {
  const known = new Set<string>()
  let found = false
  const reveal = (value: unknown): unknown => {
    if (typeof value === 'string') known.add(value)
    if (isSecret(value)) {
      found = true
      return value.reveal()
    }
    return mapValues(value, reveal)
  }
  if (!inputs.some(input => holdsSecret(input))) return work(inputs)
  const revealed = inputs.map(reveal) as unknown as T
  const hide = (value: unknown): unknown =>
    typeof value === 'string' && !known.has(value) ? secret(value) : mapValues(value, hide)
  const result = work(revealed)
  return found ? hide(result) : result
}

function holdsSecret(value: unknown, count = counter()): boolean {
  if (typeof value !== 'object' || value === null) return false
  count()
  if (isSecret(value)) return true
  if (isList(value)) return value.some(item => holdsSecret(item, count))
  if (!isDict(value) || isLazy(value)) return false
  return dictEntries(value).some(([, item]) => holdsSecret(item, count))
}

/** The same list or mapping with other values in it. */
function mapValues(value: unknown, change: (value: unknown) => unknown): unknown {
  if (isList(value)) {
    const made = value.map(change)
    const kind = kinds.get(value)
    if (kind) kinds.set(made, kind)
    return made
  }
  if (!isDict(value) || isLazy(value)) return value
  return new Map(dictEntries(value).map(([key, item]) => [key, change(item)]))
}

/** Pieces of output as one text: a secret if one of them is. */
export function joined(pieces: readonly (string | Secret)[]): string | Secret {
  within(pieces.reduce((size, piece) => size + (typeof piece === 'string' ? piece.length : 0), 0))
  const text = pieces.map(piece => (typeof piece === 'string' ? piece : piece.reveal())).join('')
  return pieces.some(isSecret) ? secret(text) : text
}
