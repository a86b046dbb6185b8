/** Values of YAML without quotes and with them: what all readers take for the same. Pure. */
import { parse, Scalar, stringify } from 'yaml'
import type { Json } from './change.ts'

/** Numbers to some readers of YAML 1.2 (ruamel.yaml) alone, which take `_` within any: 0o17_1, 1_0e3. */
const someNumber = /^[-+]?0[box][\da-f_]+$|^[-+.]?[\d_.]+e[-+]?\d+$/i

/** Whether a value without quotes is something else to readers of YAML 1.1: no, 010, 1:30. */
export function isUnclear({ type, source = '', value, tag }: Scalar.Parsed | Scalar): boolean {
  if (type !== Scalar.PLAIN || tag || !/^([-+.\d]|(y|n|yes|no|on|off|=)$)/i.test(source))
    return false
  if (isTimestamp(source)) return false
  if (source === '=' || (typeof value === 'string' && someNumber.test(source))) return true
  return !Object.is(parse(source, { version: '1.1', logLevel: 'silent' }), value)
}

export const isTimestamp = (text: string) =>
  /^\d{4}-\d\d?-\d\d?(?:(?:[Tt]|[ \t]+)\d\d?:\d\d:\d\d(?:\.\d*)?(?:[ \t]*(?:Z|[-+]\d\d?(?::\d\d)?))?)?$/.test(
    text,
  )

/** A value on one line. */
export function inline(value: Json): string {
  if (typeof value === 'string') return isClear(value) ? value : quote(value)
  if (typeof value === 'number') return printNumber(value)
  if (Array.isArray(value)) return `[${value.map(each => flow(each)).join(',')}]`
  if (typeof value !== 'object' || value === null) return String(value)
  const entries = Object.entries(value).map(([key, each]) => `${quote(key)}:${flow(each)}`)
  return `{${entries.join(',')}}`
}

const flow = (value: Json): string => (typeof value === 'string' ? quote(value) : inline(value))

/**
 * Whether all readers, also those of YAML 1.1, take a text without quotes for itself: not for a number, a date, a
 * merge (<<) or the default value (=), and none of it for a character that can't be there.
 */
function isClear(text: string): boolean {
  if (
    !/^[ -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\u{10000}-\u{10ffff}]+$/u.test(text)
  )
    return false
  if (/^(?:=|<<)$|^[-+.]?[\d_.:]+$|[,[\]{}]/.test(text) || someNumber.test(text)) return false
  if (stringify(text, { lineWidth: 0 }) !== `${text}\n`) return false
  return parse(text, { version: '1.1', logLevel: 'silent' }) === text
}

/** In double quotes, where what older readers refuse in a file must be escaped too. */
export const quote = (text: string): string =>
  JSON.stringify(text).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )

/** YAML 1.1 has no float without a point. */
function printNumber(value: number): string {
  if (Number.isNaN(value)) return '.nan'
  if (!Number.isFinite(value)) return value < 0 ? '-.inf' : '.inf'
  return JSON.stringify(value).replace(/^(-?\d+)e/, '$1.0e')
}
