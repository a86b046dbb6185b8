/** YAML, edited in place: every byte outside of what changes stays. Pure. */
import {
  type Document,
  isAlias,
  isCollection,
  isMap,
  isPair,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  parseAllDocuments,
  Scalar,
  type YAMLMap,
  type YAMLSeq,
} from 'yaml'
import { StepError } from '../../../errors.ts'
import {
  type Format,
  type Json,
  nest,
  notAMapping,
  type Path,
  placeIn,
  Reference,
  showPath,
  Written,
} from './change.ts'
import { beginsLine, eolOf, invalidAt, lineEnd, lineStart, nextLine, splice } from './text.ts'
import { inline, isTimestamp, isUnclear, quote } from './yaml-scalar.ts'

/** @param index which document, where the file holds several; counted from 0 */
export const yamlFormat = (index?: number): Format => ({
  parse: text => {
    const document = readDocument(text, index)
    return document && treeOf(document)
  },
  inherits: (text, path) => {
    if (!text.includes('<<')) return false
    const merged = readDocument(text, index, true)?.toJS() as unknown
    return path.reduce<unknown>((node, key) => Object(node)[key], merged) !== undefined
  },
  change: (text, { path, value }) => {
    const document = readDocument(text, index)
    if (value === undefined) return remove(text, document!, path)
    return set(text, document, path, value)
  },
})

function readDocument(text: string, index?: number, merge = false): Document.Parsed | undefined {
  const documents = parseAllDocuments(text, { keepSourceTokens: true, prettyErrors: false, merge })
  for (const { errors } of documents) {
    const [first] = errors
    if (first) throw invalidAt(text, first.pos[0], first.message)
  }
  if (index === undefined && documents.length > 1) {
    const count = documents.length
    throw new StepError(`the file has ${count} documents: choose one by the option \`document\``)
  }
  const found = documents[index ?? 0]
  if (!found && (index ?? 0) > 0)
    throw new StepError(
      `the file has ${documents.length} documents, and none has the index ${index}`,
    )
  return found as Document.Parsed | undefined
}

/**
 * The values of a document. An alias is a reference: what is set within an anchored mapping is set wherever that is
 * named, as whoever wrote the file wants it.
 */
function treeOf(document: Document.Parsed): unknown {
  const places = new Map<Node, string>()
  const older = document.schema.name === 'yaml-1.1'
  const readNode = (node: unknown, place: string): unknown => {
    if (isAlias(node)) {
      const target = node.resolve(document) as Node | undefined
      return new Reference(target ? (places.get(target) ?? '') : '', () => readNode(target, place))
    }
    if (!isScalar(node) && !isCollection(node)) return node
    if (!places.has(node as Node)) places.set(node as Node, place)
    if (isMap<Node, Node | null>(node)) {
      return Object.fromEntries(
        node.items.map(pair => {
          const key = keyOf(pair) ?? String(pair.key)
          return [key, readNode(pair.value, `${place}/${key}`)]
        }),
      )
    }
    if (isSeq(node)) return node.items.map((each, at) => readNode(each, `${place}/${at}`))
    return isScalar(node) && !older && isUnclear(node)
      ? new Written(node.source ?? '', () => false)
      : (node as Scalar).value
  }
  return readNode(document.contents, '')
}

type Collection = YAMLMap<Node, Node | null> | YAMLSeq<Node>

/** Where a path leads, as far as there is something. */
interface Reached {
  /** The deepest node; null for an empty document, and for a key with nothing behind it. */
  node: Node | null
  /** What it stands in: an entry of a mapping, or an element of a list. */
  parent?: Collection
  item?: Pair<Node, Node | null> | Node
  above?: Reached
  depth: number
}

function find(document: Document, path: Path): Reached {
  let place: Reached = { node: document.contents as Node | null, depth: 0 }
  for (const key of path) {
    const next = step(place, key, path)
    if (!next) break
    place = next
  }
  return place
}

function step(above: Reached, key: string, path: Path): Reached | undefined {
  const { node, depth } = above
  const passed = path.slice(0, depth)
  if (isSeq<Node>(node)) {
    const item = node.items[placeIn(node.items.length, key, path.slice(0, depth + 1))]
    return item && { node: item, parent: node, item, above, depth: depth + 1 }
  }
  if (isMap<Node, Node | null>(node)) {
    const item = node.items.find(pair => keyOf(pair) === key)
    return item && { node: item.value, parent: node, item, above, depth: depth + 1 }
  }
  if (isAlias(node)) {
    throw new StepError(
      `${showPath(passed)} is an alias of ${node.source}: set the keys of what it names`,
    )
  }
  if (node === null || (isScalar(node) && node.value === null)) return undefined
  throw notAMapping(passed, `a ${isScalar(node) ? typeof node.value : 'value'}`)
}

const keyOf = ({ key }: Pair<Node, unknown>) => (isScalar(key) ? String(key.value) : undefined)

function set(text: string, document: Document | undefined, path: Path, value: Json): string {
  const place = document ? find(document, path) : { node: null, depth: 0 }
  const rest = path.slice(place.depth)
  const { node } = place
  if (isCollection(node) && rest.length > 0) {
    return insert(text, node as Collection, rest[0]!, nest(rest.slice(1), value))
  }
  return replace(text, document, place, nest(rest, value))
}

/** Puts a value where there is another, or nothing. */
function replace(
  text: string,
  document: Document | undefined,
  place: Reached,
  value: Json,
): string {
  const { node, item, parent } = place
  if (!parent || !item) return replaceRoot(text, document, value)
  const short =
    isScalar(node) && isLeaf(value) && node.type !== 'BLOCK_LITERAL' && node.type !== 'BLOCK_FOLDED'
  const empty = node === null || (isScalar(node) && node.source === '')
  if (parent.flow || (short && !empty)) {
    const [start, end] = node!.range!
    const gap = empty && !/\s/.test(text[start - 1] ?? ' ') ? ' ' : ''
    const date = typeof value === 'string' && isTimestamp(value) && isPlainTimestamp(node)
    return splice(text, start, end, gap + (date ? value : inline(value)))
  }
  // The whole entry from its colon or dash on; a comment in its first line stays there.
  const head = headEnd(text, item)
  const end = empty ? head : contentEnd(text, node!)
  const indent = columnOf(text, isPair(item) ? (item.key as Node).range![0] : dashOf(text, item))
  const kept = keptComment(text, head, isCollection(node) && !node.flow)
  const printed = block(value, indent, eolOf(text), isPair(item))
  const [first, ...others] = printed.split(eolOf(text))
  return splice(text, head, end, [`${first}${kept}`, ...others].join(eolOf(text)))
}

/** A date stays one. */
const isPlainTimestamp = (node: Node | null) =>
  isScalar(node) && node.type === Scalar.PLAIN && isTimestamp(node.source ?? '')

function replaceRoot(text: string, document: Document | undefined, value: Json): string {
  const eol = eolOf(text)
  const printed =
    text.includes('{') && isCollection(document?.contents) && document.contents.flow
      ? inline(value)
      : blockAt(value, '', eol)
  const contents = document?.contents as Node | null | undefined
  if (contents && !(isScalar(contents) && contents.source === '')) {
    return splice(text, contents.range![0], contentEnd(text, contents), printed)
  }
  // Nothing but comments, and marks of the document.
  const end = document ? document.range![1] : text.length
  const before = text.slice(0, end)
  if (before === '' || before.endsWith('\n')) return splice(text, end, end, `${printed}${eol}`)
  return splice(text, end, end, `${eol}${printed}`)
}

/** Where an entry's colon or an element's dash ends. */
function headEnd(text: string, item: Pair<Node, Node | null> | Node): number {
  if (!isPair(item)) return dashOf(text, item) + 1
  const colon = item.srcToken?.sep?.find(({ type }) => type === 'map-value-ind')
  return colon ? colon.offset + 1 : (item.key as Node).range![1]
}

/** The dash before an element of a list: the last one before it that is not part of a value. */
function dashOf(text: string, item: Node): number {
  return text.lastIndexOf('-', item.range![0] - 1)
}

/** A comment in the same line as a block that begins below it. */
function keptComment(text: string, head: number, below: boolean): string {
  if (!below) return ''
  const rest = text.slice(head, lineEnd(text, head))
  return /^[ \t]+#/.test(rest) ? rest : ''
}

/** The end of what a node prints, without the line ending behind it. */
function contentEnd(text: string, node: Node): number {
  const [start, end] = node.range!
  if (isCollection(node) && !node.flow) {
    const last = node.items.at(-1) as Pair<Node, Node | null> | Node | undefined
    if (isPair(last)) {
      const { value, key } = last as Pair<Node, Node | null>
      if (value && !(isScalar(value) && value.source === '')) return contentEnd(text, value)
      return Math.max(headEnd(text, last as Pair<Node, Node | null>), key.range![1])
    }
    if (last) return contentEnd(text, last as Node)
  }
  return start + text.slice(start, end).replace(/(\r?\n)+$/, '').length
}

/** Where the key or dash of a line stands, as blanks. */
const columnOf = (text: string, offset: number) => ' '.repeat(offset - lineStart(text, offset))

/** One more entry behind the last one. */
function insert(text: string, parent: Collection, key: string, value: Json): string {
  const eol = eolOf(text)
  const last = parent.items.at(-1) as Pair<Node, Node | null> | Node | undefined
  const name = isMap(parent) ? `${keyText(parent, key)}:` : '-'
  if (parent.flow) {
    const entry = isMap(parent) ? `${name} ${inline(value)}` : inline(value)
    const [start, end] = parent.range!
    if (!last) return splice(text, start + 1, end - 1, entry)
    const stop = isPair(last)
      ? endOfPair(last as Pair<Node, Node | null>)
      : (last as Node).range![1]
    const comma = /^\s*,/.test(text.slice(stop, end)) ? text.indexOf(',', stop) : undefined
    const begin = isPair(last) ? (last.key as Node).range![0] : (last as Node).range![0]
    const own = beginsLine(text, begin)
    const gap = own ? eol + columnOf(text, begin) : ' '
    return comma === undefined
      ? splice(text, stop, stop, `,${gap}${entry}`)
      : splice(text, comma + 1, comma + 1, `${gap}${entry},`)
  }
  const first = parent.items[0] as Pair<Node, Node | null> | Node
  const column = columnOf(
    text,
    isPair(first) ? (first.key as Node).range![0] : dashOf(text, first as Node),
  )
  const stop = contentEnd(text, parent as unknown as Node)
  const line = `${column}${name}${block(value, column, eol, isMap(parent))}`
  // Behind the comments that belong to the last entry.
  const behind = innerEnd(text, nextLine(text, stop), column.length)
  if (behind === nextLine(text, stop)) {
    const end = lineEnd(text, stop)
    return splice(text, end, end, eol + line)
  }
  return splice(text, behind, behind, text.endsWith('\n', behind) ? line + eol : eol + line)
}

const endOfPair = ({ key, value }: Pair<Node, Node | null>) => value?.range?.[1] ?? key.range![1]

/** A key, quoted where its neighbours are. */
function keyText(parent: Collection, key: string): string {
  const [first] = parent.items
  const quoted = isPair(first) && isScalar(first.key) && first.key.type === Scalar.QUOTE_DOUBLE
  return quoted ? quote(key) : inline(key)
}

const isLeaf = (value: Json) =>
  typeof value !== 'object' || value === null || Object.keys(value).length === 0

/** What follows a colon or a dash at a column, blanks included. */
function block(value: Json, column: string, eol: string, key: boolean): string {
  if (isLeaf(value)) return ` ${inline(value)}`
  const deeper = `${column}  `
  const lines = blockAt(value, deeper, eol)
  return key ? `${eol}${lines}` : ` ${lines.slice(deeper.length)}`
}

/** A value on lines of its own. */
function blockAt(value: Json, column: string, eol: string): string {
  if (isLeaf(value)) return column + inline(value)
  const lines = Array.isArray(value)
    ? value.map(each => `-${block(each, column, eol, false)}`)
    : Object.entries(value as object).map(
        ([key, each]) => `${inline(key)}:${block(each, column, eol, true)}`,
      )
  return lines.map(line => column + line).join(eol)
}

/** Takes an entry away, with the comment behind it; those above it stay. */
function remove(text: string, document: Document, path: Path): string {
  const place = find(document, path)
  const { item, parent, above, node } = place
  // The last one: what is left is empty, but not nothing.
  if (parent!.items.length === 1 && !parent!.flow) {
    return replace(text, document, above!, isSeq(parent) ? [] : {})
  }
  const index = (parent!.items as unknown[]).indexOf(item)
  const begin = (each: Pair<Node, Node | null> | Node) =>
    isPair(each) ? (each.key as Node).range![0] : parent!.flow ? each.range![0] : dashOf(text, each)
  const start = begin(item!)
  const next = parent!.items[index + 1] as Pair<Node, Node | null> | Node | undefined
  const empty = !node || (isScalar(node) && node.source === '')
  const end = empty ? headEnd(text, item!) : contentEnd(text, node)
  if (parent!.flow) {
    if (next) return splice(text, start, begin(next), '')
    const before = parent!.items[index - 1] as Pair<Node, Node | null> | Node | undefined
    const from = before
      ? isPair(before)
        ? endOfPair(before as Pair<Node, Node | null>)
        : (before as Node).range![1]
      : start
    return splice(text, from, end, '')
  }
  if (beginsLine(text, start)) {
    const from = lineStart(text, start)
    return splice(text, from, innerEnd(text, nextLine(text, end), start - from), '')
  }
  // Behind a dash or a question mark: what comes next moves up.
  return splice(text, start, begin(next!), '')
}

/** Behind the comments that belong to what stood there: they are further in than its key. */
function innerEnd(text: string, offset: number, column: number): number {
  const comment = /([ \t]*)#[^\n]*\n?/y
  let end = offset
  for (;;) {
    comment.lastIndex = end
    const found = comment.exec(text)
    if (!found || found[1]!.length <= column) return end
    end = comment.lastIndex
  }
}
