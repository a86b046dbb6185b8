/** What a plain scalar stands for in YAML 1.1, as PyYAML reads it (`yaml/resolver.py`, `yaml/constructor.py`). Pure. */
import { type Float, float, integer } from '../../templates/values.ts'
import type { Written } from '../value.ts'

const boolean = /^(?:yes|Yes|YES|no|No|NO|true|True|TRUE|false|False|FALSE|on|On|ON|off|Off|OFF)$/
const real =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/
const int =
  /^(?:[-+]?0b[0-1_]+|[-+]?0[0-7_]+|[-+]?(?:0|[1-9][0-9_]*)|[-+]?0x[0-9a-fA-F_]+|[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$/
const nothing = /^(?:~|null|Null|NULL|)$/
const timestamp =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(?:\.(\d*))?(?:[ \t]*(?:(Z)|([-+])(\d\d?)(?::(\d\d))?))?)?$/
const plainDate = /^\d{4}-\d\d-\d\d$/

/** The value of a scalar without quotes and tag. @throws {Error} PyYAML fails too */
export function resolvePlain(text: string): Written {
  if (boolean.test(text)) return isTrue(text)
  if (real.test(text)) return readFloat(text)
  if (int.test(text)) return readInt(text)
  if (nothing.test(text)) return null
  if (text === '=') throw new Error('= has no meaning here: quote it')
  if (plainDate.test(text) || (timestamp.test(text) && /[Tt \t]/.test(text)))
    return readTimestamp(text)
  return text
}

/** The value of a scalar with one of YAML’s own tags. @throws {Error} its text is none of that type */
export function resolveTagged(tag: string, text: string): Written {
  const failing = (what: string): never => {
    throw new Error(`${JSON.stringify(text)} is not ${what}`)
  }
  switch (tag) {
    case 'str':
      return text
    case 'int':
      return int.test(text) ? readInt(text) : failing('a whole number')
    case 'float':
      if (real.test(text) || int.test(text)) return readFloat(text)
      return /^[-+]?\d+(?:\.\d*)?(?:e[-+]?\d+)?$/i.test(text)
        ? float(Number(text))
        : failing('a number')
    case 'bool':
      return /^(?:yes|no|true|false|on|off)$/i.test(text) ? isTrue(text) : failing('yes or no')
    case 'null':
      return null
    case 'timestamp':
      return timestamp.test(text) ? readTimestamp(text) : failing('a time')
    case 'binary':
      return Buffer.from(text, 'base64').toString('utf8')
    default:
      throw new Error(`the tag !!${tag} is not known`)
  }
}

const isTrue = (text: string) => /^(?:yes|true|on)$/i.test(text)

const signOf = (text: string) => (text.startsWith('-') ? -1 : 1)

/** Base 60: `1:30` is 90. */
const sexagesimal = (text: string) =>
  text.split(':').reduce((sum, part) => sum * 60 + Number(part), 0)

function readInt(written: string): Written {
  const text = written.replaceAll('_', '').replace(/^[-+]/, '')
  const sign = signOf(written)
  if (text.includes(':')) return sign * sexagesimal(text)
  // Octal is 017 here, as in C.
  const value = BigInt(text.replace(/^0(?=[0-7])/, '0o'))
  return integer(sign < 0 ? -value : value)
}

function readFloat(written: string): number | Float {
  const text = written.replaceAll('_', '').toLowerCase().replace(/^[-+]/, '')
  const sign = signOf(written)
  if (text === '.inf') return float(sign * Number.POSITIVE_INFINITY)
  if (text === '.nan') return float(Number.NaN)
  return float(sign * (text.includes(':') ? sexagesimal(text) : Number(text)))
}

/** As Python’s `isoformat()`, which is what Ansible makes of a time. */
function readTimestamp(text: string): string {
  const [, year, month, day, hour, minute, second, fraction, utc, sign, tzHour, tzMinute] =
    timestamp.exec(text)!
  const two = (part: string | undefined) => (part ?? '0').padStart(2, '0')
  const date = `${year}-${two(month)}-${two(day)}`
  const parsed = new Date(`${date}T00:00:00Z`)
  if (Number.isNaN(parsed.getTime()) || parsed.getUTCDate() !== Number(day))
    throw new Error(`${text} is not a day`)
  if (hour === undefined) return date
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59)
    throw new Error(`${text} is not a time`)
  const micro = (fraction ?? '').slice(0, 6).padEnd(6, '0')
  const zone = sign ? `${sign}${two(tzHour)}:${two(tzMinute)}` : utc ? '+00:00' : ''
  return `${date}T${two(hour)}:${minute}:${second}${Number(micro) > 0 ? `.${micro}` : ''}${zone}`
}
