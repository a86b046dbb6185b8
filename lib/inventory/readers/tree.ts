/** Data that a file holds, whatever its format, with the lines that it stands in. */
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

/** What JSON holds: Ansible writes its vaults and unsafe text as mappings of one name. */
export function treeOf(json: unknown): Tree {
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
