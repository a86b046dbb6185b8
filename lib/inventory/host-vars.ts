/** The variables of a host, as recipes read them. */
import { UsageError } from '../errors.ts'
import { nearest } from '../shell/nearest.ts'
import { isSecret, type Secret } from '../shell/secret.ts'
import { textOf, type Value } from './value.ts'

/** A variable as recipes get it: what is from a vault is a secret. */
export type HostValue = Value | Secret

/** Variables by name, with the types of the inventory. Reading one that the host does not have is an error. */
export type HostVars = Readonly<Record<string, HostValue>> & {
  /**
   * A variable that a host may lack.
   * @returns undefined: the host does not have it
   * @example host.vars.maybe('ports') ?? [80, 443]
   */
  maybe(name: string): HostValue | undefined
  /**
   * The same as text, whatever its type: a number’s digits, `True` or `False`.
   * @throws {UsageError} recipe_invalid: it is a secret
   * @example host.vars.maybeText('app_port') ?? '8080'
   */
  maybeText(name: string): string | undefined
}

/** What JavaScript itself, or a test’s assertion, looks for in any object. */
const asked = new Set(['then', 'toJSON', 'asymmetricMatch', '$$typeof', 'nodeType', 'tagName'])

/**
 * Variables that can be listed, spread and looked for with `in`, like those of any object. Each is found when it is
 * read.
 * @param host its name, for errors
 * @throws {UsageError} recipe_invalid, when a variable is read that `values` does not have; what finding it throws
 */
export function hostVars(host: string, values: Readonly<Record<string, HostValue>>): HostVars {
  const own: Record<string, HostValue> = Object.create(null)
  // A getter finds its value when it is read.
  Object.defineProperties(own, Object.getOwnPropertyDescriptors(values))
  const maybe = (name: string) => (Object.hasOwn(own, name) ? own[name] : undefined)
  const maybeText = (name: string) => {
    const value = maybe(name)
    return value === undefined ? undefined : plainText(host, name, value)
  }
  return new Proxy(own, {
    get: (_, name) => {
      if (typeof name === 'symbol' || asked.has(name)) return undefined
      if (name === 'maybe') return maybe
      if (name === 'maybeText') return maybeText
      if (Object.hasOwn(own, name)) return own[name]
      return inherited(name) ?? refuse(host, name, Object.keys(own))
    },
    // All tasks of a run share them.
    set: () => false,
    defineProperty: () => false,
    deleteProperty: () => false,
  }) as unknown as HostVars
}

function plainText(host: string, name: string, value: HostValue): string {
  if (!isSecret(value)) return textOf(value)
  throw new UsageError('recipe_invalid', `${name} of ${host} is a secret, which is no plain text`, {
    hint: `Read it with host.vars.${name}, and put it into a file or a command as it is.`,
  })
}

/** The same variables. @param read called with the text of each that is read */
export function watchedVars(vars: HostVars, read: (name: string, value: string) => void): HostVars {
  const note = <V extends HostValue | undefined>(name: string, value: V): V => {
    if (value !== undefined) read(name, isSecret(value) ? value.reveal() : textOf(value))
    return value
  }
  return new Proxy(vars, {
    get: (all, name) => {
      if (name === 'maybe') return (wanted: string) => note(wanted, all.maybe(wanted))
      if (name === 'maybeText') return (wanted: string) => note(wanted, all.maybeText(wanted))
      const value = Reflect.get(all, name)
      return typeof name === 'string' && Object.hasOwn(all, name) ? note(name, value) : value
    },
  })
}

/** The same as texts, secrets too, for placeholders: each is found when it is read. */
export function textVars(vars: HostVars): Readonly<Record<string, string>> {
  return found(Object.keys(vars).map(name => [name, () => textOf(vars.maybe(name))] as const))
}

/** An object whose values are found when they are read. */
export function found<T>(
  values: Iterable<readonly [string, () => T]>,
): Readonly<Record<string, T>> {
  const made: Record<string, T> = Object.create(null)
  for (const [name, get] of values)
    Object.defineProperty(made, name, { get, enumerable: true, configurable: true })
  return made
}

type Texts = Readonly<Record<string, string | undefined>>

/** Both, the second’s first; what is found when it is read stays so. */
export const overlay = (texts: Texts, more: Texts): Texts =>
  Object.defineProperties(Object.create(null), {
    ...Object.getOwnPropertyDescriptors(texts),
    ...Object.getOwnPropertyDescriptors(more),
  })

/** `toString`, `hasOwnProperty` and their like. */
const inherited = (name: string): unknown => (Object.prototype as Record<string, unknown>)[name]

function refuse(host: string, name: string, known: readonly string[]): never {
  const near = nearest(name, known)
  throw new UsageError('recipe_invalid', `${host} has no variable ${name}`, {
    hint:
      (near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : '') +
      `Set it in the inventory; if a host may lack it, write host.vars.maybe('${name}').`,
  })
}
