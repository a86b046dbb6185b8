/** Reads one section of bootstrap.ini by key, and collects errors instead of stopping at the first. */
import { isBootstrapError, UsageError } from '../errors.ts'
import type { IniFault, IniSection } from '../ini/read.ts'
import { unknownName } from '../shell/nearest.ts'
import { templateFault } from './expand.ts'

/** Every method returns undefined (for lists []) if a key is missing or invalid. */
export interface SectionReader<Key extends string> {
  has(key: Key): boolean
  /** The value, passed through `parse`, whose UsageError becomes the key’s error; '' is an error. */
  value<T>(key: Key, parse: (text: string) => T): T | undefined
  /** The same for a key whose value may be ''. */
  anyValue<T>(key: Key, parse: (text: string) => T): T | undefined
  text(key: Key): string | undefined
  /** A text with valid `{placeholders}`. */
  template(key: Key): string | undefined
  /** Comma-separated; a UsageError from `check` becomes an error for that item. */
  list(key: Key, check: (item: string) => void): string[]
  /** Records an error at the key’s line, or at the section’s if the key is missing. */
  fault(key: Key | undefined, message: string): void
}

/** An invalid value: thrown in `parse` functions, reported with the key’s position. */
export function invalid(message: string): UsageError {
  return new UsageError('invalid_value', message)
}

/**
 * @param keys all keys that the section may have; others become errors
 * @param faults receives the errors found
 */
export function readSection<Key extends string>(
  section: IniSection,
  keys: readonly Key[],
  faults: IniFault[],
): SectionReader<Key> {
  const entries = new Map(section.entries.map(entry => [entry.key, entry]))
  const fault = (key: string | undefined, message: string): void => {
    const line = (key === undefined ? undefined : entries.get(key)?.line) ?? section.line
    faults.push({ line, section: section.name, ...(key === undefined ? {} : { key }), message })
  }
  for (const key of entries.keys())
    if (!(keys as readonly string[]).includes(key))
      fault(key, unknownName('key', key, keys).message)

  const attempt = <T>(key: Key, action: () => T): T | undefined => {
    try {
      return action()
    } catch (error) {
      if (!isBootstrapError(error)) throw error
      fault(key, error.message)
      return undefined
    }
  }
  const anyValue = <T>(key: Key, parse: (text: string) => T): T | undefined => {
    const text = entries.get(key)?.value
    return text === undefined ? undefined : attempt(key, () => parse(text))
  }
  const value = <T>(key: Key, parse: (text: string) => T): T | undefined =>
    anyValue(key, text => {
      if (text === '') throw invalid('has no value')
      return parse(text)
    })
  return {
    has: key => entries.has(key),
    value,
    anyValue,
    text: key => value(key, text => text),
    template: key => value(key, template),
    list: (key, check) => {
      const items = value(key, splitList) ?? []
      for (const item of items) attempt(key, () => check(item))
      return items
    },
    fault,
  }
}

/**
 * Returns the text if it is a valid template. Expanded templates end up in paths and in lines of config
 * files, which a line break would damage.
 * @throws {UsageError} `invalid_value`
 */
export function template(text: string): string {
  if (/\p{Cc}/u.test(text)) throw invalid('has a control character')
  const fault = templateFault(text)
  if (fault !== undefined) throw invalid(fault)
  return text
}

function splitList(text: string): string[] {
  const items = text.split(',').map(item => item.trim())
  if (items.includes('')) throw invalid('an empty item in the list')
  const twice = items.find((item, index) => items.indexOf(item) !== index)
  if (twice !== undefined) throw invalid(`${twice} is listed twice`)
  return items
}
