/** JSON, with or without comments and commas at the end, edited in place. Pure. */
import {
  createScanner,
  getNodeValue,
  type Node,
  type ParseError,
  parseTree,
  printParseErrorCode,
} from 'jsonc-parser'
import { type Format, type Json, nest, notAMapping, type Path, placeIn } from './change.ts'
import {
  beginsLine,
  eolOf,
  indentAt,
  indentStep,
  invalidAt,
  lineEnd,
  nextLine,
  splice,
} from './text.ts'

/** Of the library's SyntaxKind, which is there for the compiler only. */
const token = { comma: 5, lineComment: 12, blockComment: 13, blanks: 15 } as const

export const jsonFormat: Format = {
  parse: text => {
    if (text.trim() === '') return undefined
    return getNodeValue(readTree(text))
  },
  change: (text, change) =>
    change.value === undefined
      ? removeAll(text, change.path)
      : set(text, change.path, change.value),
}

/** A key may stand there twice: no reader may find the other one. */
function removeAll(text: string, path: Path): string {
  let now = text
  for (;;) {
    const { node, depth } = find(readTree(now), path)
    if (depth < path.length) return now
    now = remove(now, node)
  }
}

function readTree(text: string): Node {
  const errors: ParseError[] = []
  const tree = parseTree(text, errors, { allowTrailingComma: true })
  const [first] = errors
  if (first || !tree) {
    const words = first ? printParseErrorCode(first.error) : 'ValueExpected'
    throw invalidAt(text, first?.offset ?? 0, words.replace(/(?!^)[A-Z]/g, ' $&').toLowerCase())
  }
  return tree
}

/** The deepest node on the path that is there, and how much of the path leads to it. */
function find(tree: Node, path: Path): { node: Node; depth: number } {
  let node = tree
  for (const [depth, key] of path.entries()) {
    const next = childOf(node, key, path.slice(0, depth + 1))
    if (!next) return { node, depth }
    node = next
  }
  return { node, depth: path.length }
}

function childOf(node: Node, key: string, path: Path): Node | undefined {
  const { type, children = [] } = node
  if (type === 'array') return children[placeIn(children.length, key, path)]
  if (type === 'object') {
    // Of a key that stands twice, the last one counts.
    const found = children.findLast(property => property.children![0]!.value === key)
    return found?.children?.[1]
  }
  if (type === 'null') return undefined
  throw notAMapping(path.slice(0, -1), `a ${type}`)
}

function set(text: string, path: Path, value: Json): string {
  const step = indentStep(text)
  if (text.trim() === '') return `${text}${print(nest(path, value), '', step, '\n')}\n`
  const { node, depth } = find(readTree(text), path)
  const rest = path.slice(depth)
  if (rest.length === 0 || node.type === 'null') {
    return splice(text, node.offset, endOf(node), printLike(text, node, nest(rest, value)))
  }
  return insert(text, node, rest[0]!, nest(rest.slice(1), value))
}

const endOf = (node: Node) => node.offset + node.length

const textOf = (text: string, node: Node) => text.slice(node.offset, endOf(node))

/** A value as it stands at the place of a node: on many lines if the file is written so. */
function printLike(text: string, at: Node, value: Json): string {
  const wide = text.trim().includes('\n') && !(textOf(text, at).length > 2 && isFlat(text, at))
  return wide
    ? print(value, indentAt(text, at.offset), indentStep(text), eolOf(text))
    : JSON.stringify(value)
}

/** Whether a node with something in it is on one line. */
const isFlat = (text: string, { type, children = [], offset, length }: Node) =>
  (type === 'object' || type === 'array') &&
  children.length > 0 &&
  !text.slice(offset, offset + length).includes('\n')

const print = (value: Json, indent: string, step: string, eol: string) =>
  JSON.stringify(value, null, step).replaceAll('\n', eol + indent)

/** One more child at the end of an object or a list. */
function insert(text: string, parent: Node, key: string, value: Json): string {
  const { children = [], type } = parent
  const last = children.at(-1)
  const entry = (indent: string | undefined, colon: string) => {
    const name = type === 'object' ? JSON.stringify(key) + colon : ''
    return indent === undefined
      ? name + JSON.stringify(value)
      : name + print(value, indent, indentStep(text), eolOf(text))
  }
  if (!last) return insertFirst(text, parent, entry)
  const wide = beginsLine(text, last.offset) && textOf(text, parent).includes('\n')
  const indent = wide ? indentAt(text, last.offset) : undefined
  const [name, content] = last.children ?? []
  const colon =
    type === 'object' && name && content ? text.slice(endOf(name), content.offset) : ': '
  const added = entry(indent, /^\s*:\s*$/.test(colon) && !colon.includes('\n') ? colon : ': ')
  const end = endOf(last)
  const comma = commaAfter(text, end)
  if (indent === undefined) {
    const spaced = children.length > 1 ? /,\s/.test(between(text, children)) : /[,:]\s/.test(text)
    const gap = spaced ? ' ' : ''
    return comma === undefined
      ? splice(text, end, end, `,${gap}${added}`)
      : splice(text, comma + 1, comma + 1, `${gap}${added},`)
  }
  // Behind what else stands in the line: a comment.
  const behind = restOfLine(text, comma === undefined ? end : comma + 1)
  const line = `${eolOf(text)}${indent}${added}`
  if (comma !== undefined) return splice(text, behind, behind, `${line},`)
  return splice(splice(text, behind, behind, line), end, end, ',')
}

/** What stands between the first two children. */
const between = (text: string, [first, second]: readonly Node[]) =>
  first && second ? text.slice(endOf(first), second.offset) : ''

function insertFirst(
  text: string,
  parent: Node,
  entry: (indent: string | undefined, colon: string) => string,
): string {
  const close = endOf(parent) - 1
  const inner = text.slice(parent.offset + 1, close)
  if (!text.trim().includes('\n') && text.trim().length > 2) {
    return splice(text, parent.offset + 1, close, entry(undefined, ':'))
  }
  const [eol, indent] = [eolOf(text), indentAt(text, parent.offset)]
  const deeper = indent + indentStep(text)
  const kept = inner.trimEnd()
  return splice(
    text,
    parent.offset + 1,
    close,
    `${kept}${eol}${deeper}${entry(deeper, ': ')}${eol}${indent}`,
  )
}

/** Where the comma behind a child is, if there is one. */
function commaAfter(text: string, end: number): number | undefined {
  const scanner = createScanner(text, true)
  scanner.setPosition(end)
  return scanner.scan() === token.comma ? scanner.getTokenOffset() : undefined
}

/** The end of the comments that stand in the same line. */
function restOfLine(text: string, offset: number): number {
  const scanner = createScanner(text, false)
  scanner.setPosition(offset)
  let end = offset
  for (;;) {
    const kind = scanner.scan()
    if (kind === token.lineComment || kind === token.blockComment) {
      end = scanner.getTokenOffset() + scanner.getTokenLength()
      if (text.slice(offset, end).includes('\n')) return offset
    } else if (kind !== token.blanks) return end
  }
}

/** Takes a node away, with its name and its comma; in a line of its own, with the comment behind it. */
function remove(text: string, value: Node): string {
  const node = value.parent?.type === 'property' ? value.parent : value
  const parent = node.parent!
  const place = parent.children!.indexOf(node)
  const comma = commaAfter(text, endOf(node))
  let [start, end] = [node.offset, comma === undefined ? endOf(node) : comma + 1]
  const rest = restOfLine(text, end)
  if (beginsLine(text, start) && text.slice(rest, lineEnd(text, rest)).trim() === '') {
    start = text.lastIndexOf('\n', start - 1) + 1
    end = nextLine(text, rest)
  } else {
    const next = parent.children![place + 1]
    if (next && !text.slice(end, next.offset).trim()) end = next.offset
    else if (place > 0) start -= /[ \t]*$/.exec(text.slice(0, start))![0].length
  }
  const without = splice(text, start, end, '')
  const before = parent.children![place - 1]
  const dangling = before && comma === undefined ? commaAfter(text, endOf(before)) : undefined
  return dangling === undefined ? without : splice(without, dangling, dangling + 1, '')
}
