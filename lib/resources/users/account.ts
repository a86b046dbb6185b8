/** Names of users and groups, as every host takes them. */
import { invalidOption } from '../resource.ts'

/**
 * A name for an account: what useradd, adduser and pw agree on.
 * @throws {UsageError} recipe_invalid
 */
export function checkAccount(title: string, what: 'user' | 'group', name: string): string {
  if (typeof name !== 'string' || !/^[A-Za-z_][A-Za-z0-9_.-]{0,30}\$?$/.test(name)) {
    throw invalidOption(
      title,
      `${JSON.stringify(name)} is not a valid ${what} name: a letter, then letters, digits, _ . and -, 32 at most`,
    )
  }
  return name
}

/** A user’s or group’s number, as text; empty where any will do. */
export function checkNumber(title: string, what: 'uid' | 'gid', id: number | undefined): string {
  if (id === undefined) return ''
  if (!Number.isInteger(id) || id < 0 || id > 4_294_967_293)
    throw invalidOption(title, `the ${what} ${JSON.stringify(id)} is not a number from 0 up`)
  return String(id)
}

/** Names of which a thing has at least these, or exactly these. */
export type Names = readonly string[] | { readonly exactly: readonly string[] }

/** What of `Names` is what. */
export function readNames(
  title: string,
  what: 'user' | 'group',
  wanted: Names,
): { names: string[]; exactly: boolean } {
  const exactly = !Array.isArray(wanted)
  const list = exactly ? (wanted as { exactly: readonly string[] }).exactly : wanted
  if (!Array.isArray(list)) throw invalidOption(title, `the ${what}s are not a list of names`)
  return { names: [...new Set(list.map(name => checkAccount(title, what, name)))], exactly }
}
