/** Data that a file holds, whatever its format, with the lines that it stands in. */
import { float, integer } from '../../templates/values.ts'
import { encrypted, isList, isMapping, keyOf, mapping, unsafe, type Written } from '../value.ts'

/** One value and what is below it. */
export interface Tree {
  /** Counted from 1; undefined: the format has none. */
  readonly line?: number
  /** Of a mapping, each name once; undefined: it is none. */
  readonly entries?: readonly Entry[]
  readonly value: Written
}

/** One name of a mapping. */
export interface Entry {
  readonly key: Written
  readonly line?: number
  readonly tree: Tree
}

/** For people: what a value is, where another kind was expected. */
export function kindOf(value: Written): string {
  if (value === null) return 'nothing'
  if (isList(value)) return 'a list'
  if (isMapping(value)) return 'a mapping'
  return typeof value === 'object' ? 'an encrypted value' : `a ${typeof value}`
}

/** In a private area of Unicode: before the digits of numbers that JavaScript would read as others. */
const mark = '\uE0F0'

/** Strings, which are passed over, and numbers. */
const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g

/**
 * What a text of JSON holds; to JavaScript `1.0` would be the integer 1, and long integers would lose digits.
 * @throws {SyntaxError} it is not JSON
 */
export function parseJson(text: string): Tree {
  JSON.parse(text)
  const marked = text.replace(token, found =>
    /^[-\d]/.test(found) && (/[.eE]/.test(found) || found.length > 15)
      ? JSON.stringify(mark + found)
      : found,
  )
  return treeOf(JSON.parse(marked))
}

function numberIn(text: string): Written | undefined {
  if (!text.startsWith(mark)) return undefined
  const digits = text.slice(mark.length)
  return /^-?\d+$/.test(digits) ? integer(BigInt(digits)) : float(Number(digits))
}

/** What JSON holds: Ansible writes its vaults and unsafe text as mappings of one name. */
function treeOf(json: unknown): Tree {
  if (typeof json === 'string') return { value: numberIn(json) ?? json }
  if (typeof json !== 'object' || json === null) return { value: json as Written }
  if (Array.isArray(json)) return { value: json.map(item => treeOf(item).value) }
  const { __ansible_vault: vault, __ansible_unsafe: text } = json as Record<string, unknown>
  if (typeof vault === 'string') return { value: encrypted(vault) }
  if (text !== undefined) return { value: unsafe(text as Written) }
  const entries = Object.entries(json).map(([key, item]) => ({ key, tree: treeOf(item) }))
  return { entries, value: mapping(entries.map(({ key, tree }) => [key, tree.value])) }
}

/** The value of a mapping with these entries, whose keys become text. */
export const mappingOf = (entries: readonly Entry[]): Written =>
  mapping(entries.map(({ key, tree }) => [keyOf(key) ?? '', tree.value] as const))
