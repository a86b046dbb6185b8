/** Values of variables, with the types that Ansible gives them. Pure. */
import { isSecret, type Secret } from '../shell/secret.ts'
import {
  asNumber,
  defined,
  dictEntries,
  type Float,
  isDict,
  isFloat,
  reprFloat,
  str,
} from '../templates/values.ts'

/** A value as recipes get it. Whole numbers that JavaScript can't hold exactly are bigints. */
export type Value =
  | string
  | number
  | bigint
  | boolean
  | null
  | readonly Value[]
  | { readonly [name: string]: Value }

const kind = Symbol('kind')

/** A value of `!vault`: ciphertext until a host that needs it is resolved. */
export interface Encrypted {
  readonly [kind]: 'encrypted'
  readonly text: string
}

/** A value of `!unsafe`, which is no template, whatever it looks like. */
export interface Unsafe {
  readonly [kind]: 'unsafe'
  readonly value: Written
}

/** A value as it is written: its templates and vaults are resolved when they are asked for. */
export type Written =
  | string
  | number
  | bigint
  | Float
  | boolean
  | null
  | Encrypted
  | Unsafe
  | readonly Written[]
  | { readonly [name: string]: Written }

export const encrypted = (text: string): Encrypted => ({ [kind]: 'encrypted', text })
export const unsafe = (value: Written): Unsafe => ({ [kind]: 'unsafe', value })

const kindOf = (value: unknown) =>
  typeof value === 'object' && value !== null ? (value as { [kind]?: string })[kind] : undefined

export const isEncrypted = (value: unknown): value is Encrypted => kindOf(value) === 'encrypted'
export const isUnsafe = (value: unknown): value is Unsafe => kindOf(value) === 'unsafe'

export const isList = (value: unknown): value is readonly Written[] => Array.isArray(value)

export const isMapping = (value: unknown): value is { readonly [name: string]: Written } =>
  typeof value === 'object' &&
  value !== null &&
  !isList(value) &&
  !isFloat(value) &&
  kindOf(value) === undefined

/** A mapping of these entries; any name is one, `__proto__` too. The last of a name wins, at the first’s place. */
export function mapping<T>(entries: Iterable<readonly [string, T]>): {
  readonly [name: string]: T
} {
  const made: { [name: string]: T } = {}
  for (const [name, value] of entries)
    Object.defineProperty(made, name, {
      value,
      enumerable: true,
      configurable: true,
      writable: true,
    })
  return made
}

/** A key of a mapping as JSON writes it, which has only texts; undefined: it can be none. */
export function keyOf(key: Written): string | undefined {
  if (typeof key === 'string') return key
  if (key === null || typeof key === 'boolean' || typeof key === 'bigint') return String(key)
  if (isFloat(key)) return reprFloat(asNumber(key))
  if (typeof key !== 'number') return undefined
  return Number.isInteger(key) ? String(key) : reprFloat(key)
}

/** A value for a program that wants text: that of a template, in which nothing is empty. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (typeof value === 'string') return value
  return str(value)
}

/** A value of a template for recipes: numbers, and mappings that are plain objects. */
export function plainOf(value: unknown): Value | Secret {
  if (isFloat(value)) return asNumber(value)
  if (isSecret(value)) return value
  if (isList(value)) return value.map(item => plainOf(item)) as Value
  if (isUnsafe(value)) return plainOf(value.value)
  if (isDict(value))
    return mapping(
      dictEntries(value).map(([key, item]) => [keyOf(key as Written) ?? str(key), plainOf(item)]),
    ) as Value
  return (defined(value) ?? null) as Value
}
