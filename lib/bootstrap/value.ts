/** Validates a setting’s value and returns its canonical form. */
import type { SettingDefinition, SettingType } from './definitions.ts'

/** The rules for a value. */
export type ValueRules = Pick<SettingDefinition, 'type' | 'allowed' | 'pattern'>

/** The canonical value, or what is wrong with the text (without a secret's text). */
export type CheckedValue = { value: string } | { fault: string }

const truths = ['true', 'yes', 'on', '1']
const untruths = ['false', 'no', 'off', '0']

const typeNames: Readonly<Record<SettingType, string>> = {
  string: 'a string',
  secret: 'a secret',
  integer: 'an integer',
  number: 'a number',
  boolean: 'a boolean (true or false)',
}

/**
 * Checks a text against a setting’s type, allowed values and pattern. The canonical form has integers and
 * numbers without plus and unnecessary zeros, and `true` or `false`; strings are unchanged.
 */
export function checkValue(rules: ValueRules, text: string): CheckedValue {
  const shown = rules.type === 'secret' ? 'the value' : JSON.stringify(text)
  // A line break would start a new line of the product's config.
  if (/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text))
    return { fault: `${shown} has a line break or another control character` }
  if (text !== text.trim()) return { fault: `${shown} starts or ends with whitespace` }
  const value = canonical(rules.type, text)
  if (value === undefined) return { fault: `${shown} is not ${describeRules(rules)}` }
  const { allowed, pattern } = rules
  if (allowed?.kind === 'list' && !allowed.values.includes(value))
    return { fault: `${shown} is not allowed; it is one of: ${allowed.values.join(', ')}` }
  if (allowed?.kind === 'range' && !within(Number(value), allowed))
    return { fault: `${shown} is not ${describeRules(rules)}` }
  if (pattern && !pattern.test(value)) return { fault: `${shown} does not match ${pattern.source}` }
  return { value }
}

/** What is allowed, in words: `an integer in 1..64`. */
export function describeRules({ type, allowed }: ValueRules): string {
  if (allowed?.kind === 'list') return `one of: ${allowed.values.join(', ')}`
  if (allowed) return `${typeNames[type]} in ${allowed.min ?? ''}..${allowed.max ?? ''}`
  return typeNames[type]
}

function within(value: number, { min, max }: { min?: number; max?: number }): boolean {
  return (min === undefined || value >= min) && (max === undefined || value <= max)
}

function canonical(type: SettingType, text: string): string | undefined {
  switch (type) {
    case 'boolean':
      if (truths.includes(text.toLowerCase())) return 'true'
      return untruths.includes(text.toLowerCase()) ? 'false' : undefined
    case 'integer':
      return /^[+-]?\d+$/.test(text) ? decimal(text) : undefined
    case 'number':
      return /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) ? decimal(text) : undefined
    default:
      return text
  }
}

// As text, because a JavaScript number would round long ones.
function decimal(text: string): string {
  const [whole = '', fraction = ''] = text.replace(/^[+-]/, '').split('.')
  const digits = whole.replace(/^0+(?=\d)/, '') || '0'
  const rest = fraction.replace(/0+$/, '')
  const size = rest === '' ? digits : `${digits}.${rest}`
  return text.startsWith('-') && size !== '0' ? `-${size}` : size
}
