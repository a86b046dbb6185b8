/**
 * YAML as PyYAML and Ansible read it: YAML 1.1, where `yes` is true and `017` octal, of two equal keys the last
 * counts, and `!vault` and `!unsafe` are Ansible’s tags.
 */
import type { Document, Node, Pair, Scalar } from 'yaml'
import type { Fail } from '../fault.ts'
import { encrypted, keyOf, unsafe, type Written } from '../value.ts'
import { type Entry, mappingOf, type Tree } from './tree.ts'
import { resolvePlain, resolveTagged } from './yaml-scalar.ts'

type Yaml = typeof import('yaml')

/** How errors and warnings of one file are raised. */
export interface YamlPlaces {
  failAt(line: number): Fail
  warn(line: number, what: string): void
}

/** What all values of one document share. */
interface Reading extends YamlPlaces {
  readonly yaml: Yaml
  readonly document: Document
  lineOf(node: unknown): number
  /** Values of nodes that aliases lead to; a node that is still read is undefined. */
  readonly known: Map<unknown, Tree | undefined>
}

/** The reader of YAML texts: its library is loaded when there is one. */
export async function loadYaml(): Promise<(text: string, places: YamlPlaces) => Tree | undefined> {
  const yaml = await import('yaml')
  return (text, places) => readYaml(yaml, text, places)
}

/** @returns undefined: the text has no document */
function readYaml(yaml: Yaml, text: string, places: YamlPlaces): Tree | undefined {
  const lineCounter = new yaml.LineCounter()
  // All scalars stay text: what they stand for is decided here.
  const document = yaml.parseDocument(text, {
    ...{ schema: 'failsafe', version: '1.1', uniqueKeys: false, merge: false },
    ...{ lineCounter, logLevel: 'silent' },
  })
  const [error] = document.errors
  if (error) {
    const line = error.linePos?.[0].line ?? 1
    const [what] = error.message.split(/ at line \d+|\n/)
    places.failAt(line)(`not valid YAML: ${what}`)
  }
  if (document.contents === null) return undefined
  const { failAt, warn } = places
  const lineOf = (node: unknown) =>
    lineCounter.linePos((node as Node | undefined)?.range?.[0] ?? 0).line
  return readNode(document.contents, {
    ...{ yaml, document, lineOf, known: new Map() },
    ...{ failAt: line => failAt(line), warn: (line, what) => warn(line, what) },
  })
}

const nothing: Tree = { value: null }

function readNode(written: unknown, reading: Reading): Tree {
  const { yaml, known, failAt, lineOf } = reading
  const node = yaml.isAlias(written) ? written.resolve(reading.document) : (written as Node | null)
  if (!node) return yaml.isAlias(written) ? failAt(lineOf(written))('no such anchor') : nothing
  if (known.has(node))
    return known.get(node) ?? failAt(lineOf(written))('an anchor contains itself')
  known.set(node, undefined)
  const tree = readNew(node, node.tag?.replace(ownTag, '!!'), reading)
  known.set(node, tree)
  return tree
}

const ownTag = /^tag:yaml\.org,2002:/

function readNew(node: Node, tag: string | undefined, reading: Reading): Tree {
  const { yaml, failAt, lineOf } = reading
  const line = lineOf(node)
  if (yaml.isScalar(node)) return { line, value: readScalar(node, tag, reading) }
  if (tag === '!unsafe') return { line, value: unsafe(readNew(node, undefined, reading).value) }
  if (yaml.isSeq(node) && (tag === undefined || tag === '!!seq'))
    return { line, value: node.items.map(item => readNode(item, reading).value) }
  if (yaml.isMap(node) && (tag === undefined || tag === '!!map')) {
    const entries = readEntries(node.items, reading)
    return { line, entries, value: mappingOf(entries) }
  }
  return failAt(line)(`the tag ${tag ?? ''} is not known`)
}

function readScalar(node: Scalar, tag: string | undefined, reading: Reading): Written {
  const text = node.source ?? ''
  try {
    if (tag === undefined || tag === '!')
      return node.type === 'PLAIN' && tag === undefined ? resolvePlain(text) : text
    if (tag === '!vault' || tag === '!vault-encrypted') return encrypted(text)
    if (tag === '!unsafe') return unsafe(text)
    if (tag.startsWith('!!')) return resolveTagged(tag.slice(2), text)
  } catch (error) {
    reading.failAt(reading.lineOf(node))((error as Error).message)
  }
  return reading.failAt(reading.lineOf(node))(`the tag ${tag} is not known`)
}

/** Those of merged mappings first, which its own override. */
function readEntries(items: readonly Pair[], reading: Reading): Entry[] {
  const { warn, failAt, lineOf } = reading
  const entries = new Map<Written, Entry>()
  const merged = items.filter(pair => isMerge(pair, reading))
  for (const { key, value } of merged) {
    const sources = sourcesOf(value, reading) ?? failAt(lineOf(key))('<< takes mappings')
    // Of several, the first one is the strongest.
    for (const source of sources.reverse())
      for (const entry of source) entries.set(entry.key, entry)
  }
  const own = new Set<Written>()
  for (const pair of items) {
    if (merged.includes(pair)) continue
    const line = lineOf(pair.key)
    const key = readNode(pair.key, reading).value
    if (keyOf(key) === undefined) failAt(line)('a key must be text, a number, yes, no or nothing')
    if (own.has(key)) warn(line, `the key ${keyOf(key)} is there twice: the last one counts`)
    own.add(key)
    entries.set(key, { key, line, tree: readNode(pair.value, reading) })
  }
  return [...entries.values()]
}

const isMerge = ({ key }: Pair, { yaml }: Reading) =>
  yaml.isScalar(key) && key.type === 'PLAIN' && key.tag === undefined && key.source === '<<'

/** The entries that a `<<` brings, of each mapping. */
function sourcesOf(value: unknown, reading: Reading): Entry[][] | undefined {
  const { yaml } = reading
  const node = yaml.isAlias(value) ? value.resolve(reading.document) : value
  const all = yaml.isSeq(node) ? node.items : [value]
  const trees = all.map(item => readNode(item, reading).entries)
  return trees.every(each => each !== undefined) ? trees.map(each => [...each!]) : undefined
}
