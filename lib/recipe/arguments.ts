/** Typed arguments of recipes: what the command line accepts, checked before any host is touched. */
import type { Catalogue } from '../bootstrap/definitions.ts'
import { findMode, findProduct, findRole } from '../bootstrap/lookup.ts'
import { isBootstrapError, UsageError } from '../errors.ts'
import { createFaults, type Faults } from '../faults.ts'
import { unknownName } from '../shell/nearest.ts'

/** What a value can be checked against. */
export interface ArgumentContext {
  /** Read only when called; only then is a missing bootstrap.ini an error. */
  catalogue(): Catalogue
}

/** One positional argument. */
export interface Argument<T> {
  readonly parse: (text: string, context: ArgumentContext) => T
  readonly description: string
  readonly optional: boolean
  /** Takes all remaining words, as a list. */
  readonly rest: boolean
  /** Its value is the name of one. */
  readonly names?: 'product' | 'role' | 'mode' | 'setting' | 'version'
  /** All there are. */
  readonly values?: readonly string[]
  /** Its words are `key=value`, and the value may come from a file or standard input: see `readValues`. */
  readonly assigns?: boolean
}

/** Arguments by name, in the order of the command line. */
export type ArgumentTypes = Readonly<Record<string, Argument<unknown>>>

/** The values that a recipe gets. */
export type ArgumentValues<A extends ArgumentTypes> = {
  readonly [K in keyof A]: A[K] extends Argument<infer T> ? T : never
}

const argument = <T>(description: string, parse: Argument<T>['parse']): Argument<T> => ({
  parse,
  description,
  optional: false,
  rest: false,
})

/**
 * Any text.
 * @param names what it is the name of, so that a shell can complete it; it is not checked
 */
export const string = (description = '', names?: 'setting' | 'version'): Argument<string> => ({
  ...argument(description, text => text),
  names,
})

/** `key=value`. The value may come from a file or from standard input: `key=@file`, `key=-`. */
export const assignment = (description = 'key=value, key=@file, or key=-'): Argument<string> => ({
  ...string(description),
  assigns: true,
})

/** A whole number. */
export const integer = (description = ''): Argument<number> =>
  argument(description, text => {
    if (!/^-?\d{1,15}$/.test(text))
      throw new UsageError('invalid_value', `${JSON.stringify(text)} is not a whole number`)
    return Number(text)
  })

/** One of these values. */
export const oneOf = <T extends string>(values: readonly T[], description = ''): Argument<T> => ({
  ...argument(description || values.join(' | '), text => {
    const value = values.find(candidate => candidate === text)
    if (value === undefined) throw unknownName('value', text, values)
    return value
  }),
  values,
})

/** The name of a product in bootstrap.ini. */
export const product = (description = 'product of bootstrap.ini'): Argument<string> => ({
  ...argument(description, (text, { catalogue }) => findProduct(catalogue(), text).name),
  names: 'product',
})

/** The name of a role in bootstrap.ini. */
export const role = (description = 'role of bootstrap.ini'): Argument<string> => ({
  ...argument(description, (text, { catalogue }) => findRole(catalogue(), text).name),
  names: 'role',
})

/** A server mode of bootstrap.ini. */
export const mode = (description = 'server mode of bootstrap.ini'): Argument<string> => ({
  ...argument(description, (text, { catalogue }) => findMode(catalogue(), text)),
  names: 'mode',
})

/** An argument that may be left out. */
export const optional = <T>(type: Argument<T>): Argument<T | undefined> => ({
  ...type,
  optional: true,
})

/** All remaining words, as a list: at least one unless optional. Only for the last argument. */
export const rest = <T>(type: Argument<T>): Argument<T[]> => ({
  ...type,
  rest: true,
  parse: (text, context) => [type.parse(text, context)],
})

/** The arguments as a usage line shows them: `<product> [version]`, `<product> <...settings>`. */
export function usage(types: ArgumentTypes): string {
  return Object.entries(types)
    .map(([name, type]) => {
      const shown = `${type.rest ? '...' : ''}${name}`
      return type.optional ? `[${shown}]` : `<${shown}>`
    })
    .join(' ')
}

/** Adds the argument's name to the error for an invalid value. */
function named<T>(name: string, parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!isBootstrapError(error) || error.code !== 'invalid_value') throw error
    throw new UsageError(error.code, `the argument ${name}: ${error.message}`, error.details)
  }
}

/**
 * The values of a command line's words.
 * @param words undefined: one that could not be read; a list goes without it
 * @throws {UsageError} too few or too many words, or invalid values: all that is wrong at once
 */
export function parseArguments<A extends ArgumentTypes>(
  types: A,
  words: readonly (string | undefined)[],
  context: ArgumentContext,
): ArgumentValues<A> {
  const values: Record<string, unknown> = {}
  const faults = createFaults()
  const dealt = deal(types, words)
  for (const [name, type, own] of dealt) {
    if (own.length === 0) {
      if (!type.optional) faults.keep(missing(name, types))
      values[name] = type.rest ? [] : undefined
      continue
    }
    const parsed = own
      .filter(word => word !== undefined)
      .map(word => faults.take(() => named(name, () => type.parse(word, context))))
    values[name] = type.rest ? (parsed as unknown[][]).flat() : parsed[0]
  }
  const taken = dealt.reduce((sum, [, , own]) => sum + own.length, 0)
  if (taken < words.length) {
    const surplus = `${JSON.stringify(words[taken])} is one argument too many`
    const hint = `usage: ${usage(types) || 'no arguments'}`
    faults.keep(new UsageError('usage', surplus, { hint }))
  }
  faults.throwAny()
  return values as ArgumentValues<A>
}

const missing = (name: string, types: ArgumentTypes) =>
  new UsageError('usage', `the argument <${name}> is missing`, { hint: `usage: ${usage(types)}` })

/** Each argument with its words. */
function deal<Word>(types: ArgumentTypes, words: readonly Word[]) {
  let at = 0
  return Object.entries(types).map(([name, type]) => {
    const own = type.rest ? words.slice(at) : words.slice(at, at + 1)
    at += own.length
    return [name, type, own] as const
  })
}

/** Where to read values that are not on the command line. */
export interface ValueSources {
  /** The text of a file. */
  file(path: string): Promise<string>
  /** The value for this key, typed or piped in. */
  input(key: string): Promise<string>
}

/**
 * Replaces `key=@file` and `key=-` (standard input) by the values, which process lists then do not show.
 * `key=@@x` is the value `@x`. Changes only the words of arguments that assign.
 * @param faults get invalid_value for each value that can't be read; the word is then undefined
 */
export async function readValues(
  types: ArgumentTypes,
  words: readonly string[],
  sources: ValueSources,
  faults: Faults,
): Promise<(string | undefined)[]> {
  const read: (string | undefined)[] = []
  for (const [, { assigns }, own] of deal(types, words)) {
    for (const word of own)
      read.push(assigns ? await readValue(word, sources).catch(faults.keep) : word)
  }
  return [...read, ...words.slice(read.length)]
}

async function readValue(word: string, { file, input }: ValueSources): Promise<string> {
  const [, key, value] = /^([^=]+)=(-|@.*)$/s.exec(word) ?? []
  if (key === undefined || value === undefined) return word
  if (value.startsWith('@@')) return `${key}=${value.slice(1)}`
  try {
    return `${key}=${value === '-' ? await input(key) : await file(value.slice(1))}`
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    throw new UsageError('invalid_value', `${key}: ${error.message}`, error.details)
  }
}
