/** What Python’s operators do. Pure. */
import { TemplateFault } from './fault.ts'
import {
  asNumber,
  defined,
  dictGet,
  equal,
  float,
  integer,
  isDict,
  isInt,
  isList,
  isNumber,
  isTuple,
  items,
  mostItems,
  order,
  repr,
  str,
  tuple,
  typeName,
  within,
} from './values.ts'

type Numeric = Parameters<typeof asNumber>[0]

/** @param sign `+ - * / // % ** ~` */
export function operate(sign: string, left: unknown, right: unknown): unknown {
  defined(left)
  defined(right)
  if (sign === '~') return concat(str(left), str(right))
  if (isNumber(left) && isNumber(right)) return calculate(sign, left, right)
  if (sign === '%' && typeof left === 'string') return format(left, right)
  if (sign === '+') {
    if (typeof left === 'string' && typeof right === 'string') return concat(left, right)
    if (isList(left) && isList(right) && isTuple(left) === isTuple(right)) {
      within(left.length + right.length, mostItems)
      return isTuple(left) ? tuple([...left, ...right]) : [...left, ...right]
    }
  }
  if (sign === '*') {
    if (isInt(left) || typeof left === 'boolean') return repeated(right, Number(left), sign, left)
    if (isInt(right) || typeof right === 'boolean')
      return repeated(left, Number(right), sign, right)
  }
  return unsupported(sign, left, right)
}

function unsupported(sign: string, left: unknown, right: unknown): never {
  if (sign === '+' && typeof left === 'string')
    throw new TemplateFault(`can only concatenate str (not "${typeName(right)}") to str`)
  throw new TemplateFault(
    `unsupported operand type(s) for ${sign}: '${typeName(left)}' and '${typeName(right)}'`,
  )
}

function concat(left: string, right: string): string {
  within(left.length + right.length)
  return left + right
}

function repeated(value: unknown, count: number, sign: string, by: unknown): unknown {
  const times = Math.max(0, count)
  if (typeof value === 'string') {
    within(value.length * times)
    return value.repeat(value === '' ? 0 : times)
  }
  if (!isList(value)) return unsupported(sign, value, by)
  within(value.length * times, mostItems)
  const made = value.length === 0 ? [] : Array.from({ length: times }, () => value).flat()
  return isTuple(value) ? tuple(made) : made
}

function calculate(sign: string, left: Numeric, right: Numeric): unknown {
  const whole = (value: Numeric): value is number | bigint | boolean =>
    isInt(value) || typeof value === 'boolean'
  const zero = asNumber(right) === 0
  if (zero && ['/', '//', '%'].includes(sign)) throw new TemplateFault('division by zero')
  if (whole(left) && whole(right) && sign !== '/') {
    const negative = sign === '**' && asNumber(right) < 0
    if (!negative) return integer(calculateWhole(sign, BigInt(left), BigInt(right)))
  }
  const [a, b] = [asNumber(left), asNumber(right)]
  switch (sign) {
    case '+':
      return float(a + b)
    case '-':
      return float(a - b)
    case '*':
      return float(a * b)
    case '/':
      return float(a / b)
    case '**':
      if (a === 0 && b < 0) throw new TemplateFault('0.0 cannot be raised to a negative power')
      return float(a ** b)
    case '//':
      return float(floorDivide(a, b))
    default:
      return float(modulo(a, b))
  }
}

/** As Python: what is just below a whole number for want of digits is that number. */
function floorDivide(a: number, b: number): number {
  const exact = (a - modulo(a, b)) / b
  const floor = Math.floor(exact)
  return exact - floor > 0.5 ? floor + 1 : floor
}

/** The rest has the sign of what is divided by. */
function modulo(a: number, b: number): number {
  const rest = a % b
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest
}

function calculateWhole(sign: string, a: bigint, b: bigint): bigint {
  switch (sign) {
    case '+':
      return a + b
    case '-':
      return a - b
    case '*':
      within((digits(a) + digits(b)) * 4, 100_000)
      return a * b
    case '**':
      within(digits(a) * 4 * Number(b), 100_000)
      return a ** b
  }
  const rest = a % b
  const adjusted = rest !== 0n && rest < 0n !== b < 0n
  if (sign === '%') return adjusted ? rest + b : rest
  return adjusted ? a / b - 1n : a / b
}

const digits = (value: bigint) => value.toString(16).length

/** As `<`, `in` and the like. */
export function compare(sign: string, left: unknown, right: unknown): boolean {
  switch (sign) {
    case '==':
      return equal(left, right)
    case '!=':
      return !equal(left, right)
    case 'in':
      return contains(right, left)
    case 'not in':
      return !contains(right, left)
    case '<':
      return order(left, right, sign) < 0
    case '<=':
      return order(left, right, sign) <= 0
    case '>':
      return order(left, right, sign) > 0
    default:
      return order(left, right, sign) >= 0
  }
}

export function contains(whole: unknown, part: unknown): boolean {
  defined(part)
  if (typeof whole === 'string') {
    if (typeof part === 'string') return whole.includes(part)
    throw new TemplateFault(`'in <string>' requires string as left operand, not ${typeName(part)}`)
  }
  if (isDict(whole)) return dictGet(whole, part) !== undefined
  if (isList(whole)) return whole.some(item => equal(item, part))
  defined(whole)
  throw new TemplateFault(`argument of type '${typeName(whole)}' is not iterable`)
}

const directive =
  /%(?:\((?<key>[^)]*)\))?(?<flags>[-+ #0]*)(?<width>\d+|\*)?(?:\.(?<places>\d+|\*))?(?<kind>[\s\S])?/g

/** `'%s of %d' % (a, b)`, the kinds that people use. */
export function format(text: string, given: unknown): string {
  const values = isTuple(given) ? [...items(given)] : [given]
  let used = 0
  let size = 0
  const next = () => {
    if (used >= values.length) throw new TemplateFault('not enough arguments for format string')
    return values[used++]
  }
  const made = text.replace(directive, (_all, ...rest) => {
    const { key, flags, width, places, kind } = rest.at(-1) as Record<string, string | undefined>
    if (kind === '%') return '%'
    if (kind === undefined) throw new TemplateFault('incomplete format')
    const size_ = width === '*' ? Number(next()) : Number(width ?? 0)
    const precision = places === '*' ? Number(next()) : places && Number(places)
    const value = key === undefined ? next() : keyed(given, key)
    const shown = convert(kind, value, {
      flags: flags ?? '',
      precision: precision as number | undefined,
    })
    const filled = pad(shown, within(size_), flags ?? '', /[sra]/.test(kind))
    size += filled.length
    within(size)
    return filled
  })
  if (used < values.length && !isDict(given) && !/%\(/.test(text))
    throw new TemplateFault('not all arguments converted during string formatting')
  return made
}

function keyed(given: unknown, key: string): unknown {
  if (!isDict(given)) throw new TemplateFault('format requires a mapping')
  const found = dictGet(given, key)
  if (!found) throw new TemplateFault(`'${key}' is not a key of the mapping to format`)
  return found.value
}

function convert(
  kind: string,
  value: unknown,
  { flags, precision }: { flags: string; precision?: number },
): string {
  if (kind === 's' || kind === 'r' || kind === 'a') {
    const text = kind === 's' ? str(value) : repr(value)
    return precision === undefined ? text : [...text].slice(0, precision).join('')
  }
  if (kind === 'c') return isInt(value) ? String.fromCodePoint(Number(value)) : str(value)
  defined(value)
  if (!isNumber(value))
    throw new TemplateFault(`%${kind} format: a number is required, not ${typeName(value)}`)
  const number = asNumber(value)
  const sign = (text: string) =>
    text.startsWith('-')
      ? text
      : flags.includes('+')
        ? `+${text}`
        : flags.includes(' ')
          ? ` ${text}`
          : text
  const places = Math.min(precision ?? 6, 100)
  switch (kind) {
    case 'd':
    case 'i':
    case 'u':
      return sign(String(isInt(value) ? value : Math.trunc(number)))
    case 'x':
    case 'X':
    case 'o': {
      const radix = kind === 'o' ? 8 : 16
      const text = BigInt(Math.trunc(number)).toString(radix)
      const prefixed = flags.includes('#') ? text.replace(/^-?/, `$&0${kind}`) : text
      return sign(kind === 'X' ? prefixed.toUpperCase() : prefixed)
    }
    case 'f':
    case 'F':
      return sign(fixed(number, places))
    case 'e':
    case 'E': {
      const text = number.toExponential(places).replace(/e([-+])(\d)$/, 'e$10$2')
      return sign(kind === 'E' ? text.toUpperCase() : text)
    }
    case 'g':
    case 'G':
      return sign(general(number, precision ?? 6))
  }
  throw new TemplateFault(`unsupported format character '${kind}'`)
}

/** As JavaScript’s `toFixed`, but what is exactly in the middle goes to the even digit. */
export function fixed(number: number, places: number): string {
  if (Math.abs(number) >= 1e21) {
    const whole = BigInt(number).toString()
    return places > 0 ? `${whole}.${'0'.repeat(places)}` : whole
  }
  const exact = Math.abs(number).toFixed(100)
  const cut = exact.indexOf('.') + 1 + places
  const kept = exact.slice(0, cut).replace(/\.$/, '')
  const middle = /^50*$/.test(exact.slice(cut))
  const text = middle && /[02468]$/.test(kept) ? kept : Math.abs(number).toFixed(places)
  return number < 0 || Object.is(number, -0) ? `-${text}` : text
}

function general(number: number, precision: number): string {
  const text = number.toExponential(Math.max(precision, 1) - 1)
  const power = Number(text.split('e')[1])
  if (power < -4 || power >= precision)
    return text.replace(/\.?0*e/, 'e').replace(/e([-+])(\d)$/, 'e$10$2')
  const fixed = number.toFixed(Math.max(0, precision - 1 - power))
  return fixed.includes('.') ? fixed.replace(/\.?0+$/, '') : fixed
}

function pad(text: string, width: number, flags: string, plain: boolean): string {
  const missing = width - [...text].length
  if (missing <= 0) return text
  if (flags.includes('-')) return text + ' '.repeat(missing)
  if (!flags.includes('0') || plain) return ' '.repeat(missing) + text
  return text.replace(/^[-+ ]?(?:0[xXo])?/, `$&${'0'.repeat(missing)}`)
}
