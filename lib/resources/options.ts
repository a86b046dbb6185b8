/**
 * Names and types of options. Recipes run without their types being checked, so that a compiler can't be
 * relied on to find what is misspelt: left alone, such an option would mean nothing, and the host would
 * not be what the recipe says.
 */

import { nearest } from '../shell/nearest.ts'
import { isSecret } from '../shell/secret.ts'
import { type CommonOptions, commonOptions, invalidOption } from './resource.ts'

/** What the error says of a value that does not fit, and the check. */
const kinds = {
  text: ['a string', value => typeof value === 'string'],
  flag: ['true or false', value => typeof value === 'boolean'],
  number: ['a number', value => typeof value === 'number'],
  list: ['a list', value => Array.isArray(value)],
  texts: ['a list of strings', isTexts],
  'text or texts': [
    'a string or a list of strings',
    value => typeof value === 'string' || isTexts(value),
  ],
  values: ['an object with values by name', isValues],
  /** The resource itself looks at it. */
  other: ['anything', () => true],
} satisfies Record<string, [string, (value: unknown) => boolean]>

type NamesOf<O> = O extends unknown ? keyof O : never

/** What each option of a resource's own is; the compiler sees to it that none is left out. */
export type OptionKinds<O> = Readonly<
  Record<Exclude<NamesOf<O>, keyof CommonOptions>, keyof typeof kinds>
>

/**
 * Refuses options that a resource does not have, or of another type.
 * @throws {UsageError} recipe_invalid
 */
export function checkOptions<O extends object>(title: string, options: O, own: OptionKinds<O>) {
  if (!isValues(options)) throw invalidOption(title, 'its options must be an object: write { … }')
  const known = Object.keys(own)
  for (const [name, value] of Object.entries(options)) {
    if (commonOptions.includes(name)) continue
    if (!known.includes(name)) throw invalidOption(title, unknown(name, known))
    if (value === undefined) continue
    const [wanted, fits] = kinds[(own as Record<string, keyof typeof kinds>)[name]!]
    // What it is instead may be a secret.
    if (value === null) throw invalidOption(title, `${name} must not be null: leave it out`)
    if (!fits(value)) throw invalidOption(title, `${name} must be ${wanted}`)
  }
}

function unknown(name: string, known: readonly string[]): string {
  const all = [...known, ...commonOptions]
  const near = nearest(name, all)
  const rest =
    near.length > 0 ? `did you mean ${near.join(' or ')}?` : `there are ${all.join(', ')}`
  return `it has no option ${JSON.stringify(name)}: ${rest}`
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every(each => typeof each === 'string')
}

function isValues(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !isSecret(value)
}
