/** Typed arguments of recipes: what the command line accepts, before any host is touched. */
import type { Catalogue } from '../bootstrap/definitions.ts'
import { findMode, findProduct, findRole } from '../bootstrap/lookup.ts'
import { UsageError } from '../errors.ts'
import { unknownName } from '../shell/nearest.ts'

/** What a value may be compared with. */
export interface ArgumentContext {
  /** Read when asked for; its absence is an error only then. */
  catalogue(): Catalogue
}

/** One positional argument. */
export interface Argument<T> {
  readonly parse: (text: string, context: ArgumentContext) => T
  readonly description: string
  readonly optional: boolean
  /** Takes all that is left, as a list. */
  readonly rest: boolean
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

/** Any text. */
export const string = (description = ''): Argument<string> => argument(description, text => text)

/** A whole number. */
export const integer = (description = ''): Argument<number> =>
  argument(description, text => {
    if (!/^-?\d{1,15}$/.test(text))
      throw new UsageError('invalid_value', `${JSON.stringify(text)} is not a whole number`)
    return Number(text)
  })

/** One of these. */
export const oneOf = <T extends string>(values: readonly T[], description = ''): Argument<T> =>
  argument(description || values.join(' | '), text => {
    const value = values.find(candidate => candidate === text)
    if (value === undefined) throw unknownName('value', text, values)
    return value
  })

/** The name of a product in bootstrap.ini. */
export const product = (description = 'product of bootstrap.ini'): Argument<string> =>
  argument(description, (text, { catalogue }) => findProduct(catalogue(), text).name)

/** The name of a role in bootstrap.ini. */
export const role = (description = 'role of bootstrap.ini'): Argument<string> =>
  argument(description, (text, { catalogue }) => findRole(catalogue(), text).name)

/** A server mode of bootstrap.ini. */
export const mode = (description = 'server mode of bootstrap.ini'): Argument<string> =>
  argument(description, (text, { catalogue }) => findMode(catalogue(), text))

/** May be left out. */
export const optional = <T>(type: Argument<T>): Argument<T | undefined> => ({
  ...type,
  optional: true,
})

/** All that is left, as a list: at least one unless optional. Only the last argument can be one. */
export const rest = <T>(type: Argument<T>): Argument<T[]> => ({
  ...type,
  rest: true,
  parse: (text, context) => [type.parse(text, context)],
})

/** How the arguments look in a usage line: `<product> [version]`, `<product> <...settings>`. */
export function usage(types: ArgumentTypes): string {
  return Object.entries(types)
    .map(([name, type]) => {
      const shown = `${type.rest ? '...' : ''}${name}`
      return type.optional ? `[${shown}]` : `<${shown}>`
    })
    .join(' ')
}

/**
 * Values of the words of a command line.
 * @throws {UsageError} too few, too many, or a wrong value
 */
export function parseArguments<A extends ArgumentTypes>(
  types: A,
  words: readonly string[],
  context: ArgumentContext,
): ArgumentValues<A> {
  const values: Record<string, unknown> = {}
  let at = 0
  for (const [name, type] of Object.entries(types)) {
    const own = type.rest ? words.slice(at) : words.slice(at, at + 1)
    at += own.length
    if (own.length === 0) {
      if (!type.optional)
        throw new UsageError('usage', `the argument <${name}> is missing`, {
          hint: `usage: ${usage(types)}`,
        })
      values[name] = type.rest ? [] : undefined
      continue
    }
    const parsed = own.map(word => type.parse(word, context))
    values[name] = type.rest ? (parsed as unknown[][]).flat() : parsed[0]
  }
  if (at < words.length) {
    throw new UsageError('usage', `${JSON.stringify(words[at])} is one argument too many`, {
      hint: `usage: ${usage(types) || 'no arguments'}`,
    })
  }
  return values as ArgumentValues<A>
}
