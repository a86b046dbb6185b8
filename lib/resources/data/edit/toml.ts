/** TOML, edited in place. Pure. */

import { type AST, getStaticTOMLValue, ParseError, parseTOML } from 'toml-eslint-parser'
import { StepError } from '../../../errors.ts'
import {
  type Change,
  type Format,
  type Json,
  nest,
  notAMapping,
  type Path,
  placeIn,
  showPath,
  Written,
} from './change.ts'
import { beginsLine, eolOf, indentAt, invalid, lineEnd, nextLine, splice } from './text.ts'

export const tomlFormat: Format = {
  parse: text => {
    const tree = readTree(text)
    return withTimes(getStaticTOMLValue(tree), timesIn(tree.body[0].body))
  },
  change: (text, change) => {
    const place = find(readTree(text).body[0], change.path)
    return change.value === undefined ? remove(text, place) : set(text, place, change)
  },
}

function readTree(text: string): AST.TOMLProgram {
  try {
    return parseTOML(text)
  } catch (error) {
    if (!(error instanceof ParseError)) throw error
    throw invalid(error.lineNumber, error.column + 1, error.message)
  }
}

type Time = Extract<AST.TOMLContentNode, { datetime: string }>

/** The nodes of dates and times by the values that the library makes of them. */
function timesIn(nodes: readonly AST.TOMLNode[], found = new Map<unknown, Time>()) {
  for (const node of nodes) {
    if (node.type === 'TOMLKeyValue') timesIn([node.value], found)
    else if (node.type === 'TOMLArray') timesIn(node.elements, found)
    else if (node.type === 'TOMLTable' || node.type === 'TOMLInlineTable') timesIn(node.body, found)
    else if (node.type === 'TOMLValue' && isTime(node)) found.set(node.value, node)
  }
  return found
}

const isTime = (node: AST.TOMLContentNode): node is Time => 'datetime' in node

/** Dates as they are written: the library's own are all in one zone. */
function withTimes(value: unknown, times: ReadonlyMap<unknown, Time>): unknown {
  const node = times.get(value)
  if (node) return new Written(plainTime(node.datetime), other => isAt(node, other))
  if (Array.isArray(value)) return value.map(each => withTimes(each, times))
  if (typeof value !== 'object' || value === null || value instanceof Date) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, each]) => [key, withTimes(each, times)]),
  )
}

const plainTime = (text: string) => text.toUpperCase().replace(' ', 'T')

const isAt = (node: Time, value: unknown) =>
  value instanceof Date
    ? node.kind === 'offset-date-time' && +node.value === +value
    : typeof value === 'string' && plainTime(value) === plainTime(node.datetime)

/** Whether TOML takes a text without quotes for a date or a time. */
function isTimeText(text: string): boolean {
  if (!/^\d[\d:.TZtz +-]+$/.test(text)) return false
  try {
    const [entry] = parseTOML(`a = ${text}`).body[0].body
    return entry?.type === 'TOMLKeyValue' && isTime(entry.value)
  } catch {
    return false
  }
}

type Table = AST.TOMLTopLevelTable | AST.TOMLTable
type Holder = Table | AST.TOMLInlineTable

/** Where a path leads. */
interface Found {
  root: AST.TOMLTopLevelTable
  /** The entry or the element that is the value itself. */
  exact?: AST.TOMLKeyValue | AST.TOMLContentNode
  /** All there is of it where it is a table: its headers, and entries with dotted keys. */
  parts: (AST.TOMLTable | AST.TOMLKeyValue)[]
  /** The innermost table, inline table or list on the way, and what of the path is left from there. */
  holder: Holder | AST.TOMLArray
  rest: Path
}

function find(root: AST.TOMLTopLevelTable, path: Path): Found {
  const place: Found = { root, parts: [], holder: root, rest: path }
  // A table of which only deeper ones have headers has no place of its own.
  const starts = (table: Table): Path | undefined =>
    table.type === 'TOMLTable' ? table.resolvedKey.map(String) : []
  const tables: Table[] = [root, ...root.body.filter(each => each.type === 'TOMLTable')]
  for (const table of tables) {
    const at = starts(table)!
    if (table.type === 'TOMLTable' && isBelow(at, path)) place.parts.push(table)
    if (!isBelow(path, at)) continue
    const left = path.slice(at.length)
    if (left.length <= place.rest.length && left.length > 0) {
      place.holder = table
      place.rest = left
    }
    const found = findEntry(table, left, path, place)
    if (found) place.exact = found
  }
  return place
}

/** Whether a path is another one, or leads on from it. */
const isBelow = (path: Path, from: Path) =>
  path.length >= from.length && from.every((key, index) => path[index] === key)

/** Looks for the rest of a path within one table; notes in `place` what it passes. */
function findEntry(
  holder: Holder,
  rest: Path,
  path: Path,
  place: Found,
): Found['exact'] | undefined {
  for (const entry of holder.body) {
    if (entry.type !== 'TOMLKeyValue') continue
    const name = namesOf(entry)
    if (rest.length > 0 && isBelow(name, rest) && name.length > rest.length) place.parts.push(entry)
    if (!isBelow(rest, name)) continue
    const left = rest.slice(name.length)
    if (left.length === 0) return entry
    return within(entry.value, left, path, place)
  }
  return undefined
}

function within(
  value: AST.TOMLContentNode,
  rest: Path,
  path: Path,
  place: Found,
): Found['exact'] | undefined {
  const passed = path.slice(0, path.length - rest.length)
  if (value.type === 'TOMLValue') throw notAMapping(passed, `a ${value.kind}`)
  place.holder = value
  place.rest = rest
  if (value.type === 'TOMLInlineTable') return findEntry(value, rest, path, place)
  const element = value.elements[placeIn(value.elements.length, rest[0]!, [...passed, rest[0]!])]
  if (!element || rest.length === 1) return element
  return within(element, rest.slice(1), path, place)
}

const namesOf = ({ key }: AST.TOMLKeyValue) =>
  key.keys.map(each => (each.type === 'TOMLBare' ? each.name : each.value))

function set(text: string, place: Found, { path, value }: Change): string {
  const { exact, parts, holder, rest, root } = place
  if (exact) {
    const old = exact.type === 'TOMLKeyValue' ? exact.value : exact
    return splice(text, old.range[0], old.range[1], print(value!, old))
  }
  // A table with headers of its own becomes something else: it goes, and comes as one entry.
  if (parts.length > 0) {
    const without = remove(text, place)
    return set(without, find(readTree(without).body[0], path), { path, value })
  }
  if (holder.type === 'TOMLArray') {
    return append(text, holder.range, holder.elements, print(nest(rest.slice(1), value!)))
  }
  const entry = `${printPath(rest)} = ${print(value!)}`
  if (holder.type === 'TOMLInlineTable') return append(text, holder.range, holder.body, entry)
  const list = listOfTables(root, path)
  if (list) return appendTable(text, list, path, value!)
  const at = path.slice(0, path.length - rest.length + 1)
  if (rest.length > 1 && (holder === root ? !isDotted(root, rest[0]!) : hasHeader(root, at))) {
    const last = `${printPath(path.slice(-1))} = ${print(value!)}`
    return atEnd(text, `[${printPath(path.slice(0, -1))}]`, last)
  }
  return intoTable(text, holder, entry)
}

/** Whether a table has an entry with a dotted key that begins so: others must be written like it. */
const isDotted = (table: Table, name: string) =>
  table.body.some(
    each => each.type === 'TOMLKeyValue' && each.key.keys.length > 1 && namesOf(each)[0] === name,
  )

/** Whether a table at or below a path has a header. */
const hasHeader = (root: AST.TOMLTopLevelTable, path: Path) =>
  root.body.some(each => each.type === 'TOMLTable' && isBelow(each.resolvedKey.map(String), path))

/** The list of tables ([[name]]) that a path leads into, behind the last of its elements. */
function listOfTables(root: AST.TOMLTopLevelTable, path: Path): Path | undefined {
  const elements = root.body.flatMap(each =>
    each.type === 'TOMLTable' && each.kind === 'array' ? [each.resolvedKey.map(String)] : [],
  )
  const last = elements.findLast(
    key => isBelow(path.slice(0, -1), key.slice(0, -1)) && path.length >= key.length,
  )
  if (!last) return undefined
  const list = last.slice(0, -1)
  const count = elements.filter(key => key.length === last.length && isBelow(key, list)).length
  const place = placeIn(count, path[list.length]!, path.slice(0, last.length))
  return place === count ? list : undefined
}

function appendTable(text: string, list: Path, path: Path, value: Json): string {
  const rest = path.slice(list.length + 1)
  const table = rest.length > 0 ? nest(rest, value) : value
  if (
    typeof table !== 'object' ||
    table === null ||
    Array.isArray(table) ||
    table instanceof Date
  ) {
    throw new StepError(`${showPath(list)} is a list of tables: its elements are tables`)
  }
  const lines = Object.entries(table).map(([key, each]) => `${printPath([key])} = ${print(each)}`)
  return atEnd(text, `[[${printPath(list)}]]`, ...lines)
}

/** One more line behind the last entry of a table, or behind its header. */
function intoTable(text: string, table: Table, entry: string): string {
  const eol = eolOf(text)
  const last = table.body.filter(each => each.type === 'TOMLKeyValue').at(-1)
  if (last) {
    const end = lineEnd(text, last.range[1])
    return splice(text, end, end, eol + indentAt(text, last.range[0]) + entry)
  }
  if (table.type === 'TOMLTable') {
    const end = lineEnd(text, table.key.range[1])
    return splice(text, end, end, eol + indentAt(text, table.range[0]) + entry)
  }
  // Before the first header and the comments that belong to it.
  const first = table.body[0]
  if (!first)
    return text === '' || text.endsWith('\n') ? `${text}${entry}${eol}` : `${text}${eol}${entry}`
  const lines = text.slice(0, first.range[0]).split('\n')
  let above = lines.length - 1
  while (above > 0 && /^\s*#/.test(lines[above - 1]!)) above--
  const start = lines.slice(0, above).join('\n').length + (above > 0 ? 1 : 0)
  return splice(text, start, start, `${entry}${eol}${eol}`)
}

function atEnd(text: string, ...lines: string[]): string {
  const eol = eolOf(text)
  if (text.trim() === '') return `${text}${lines.join(eol)}${eol}`
  const ended = text.endsWith('\n')
  return `${text}${ended ? '' : eol}${eol}${lines.join(eol)}${ended ? eol : ''}`
}

/** One more element of an inline table or a list. */
function append(
  text: string,
  [start, end]: AST.Range,
  children: readonly { range: AST.Range }[],
  added: string,
): string {
  const last = children.at(-1)
  if (!last) {
    // A comment in an empty list stays.
    const inner = text.slice(start + 1, end - 1)
    if (inner.trim() === '') {
      const pad = text[start] === '{' ? ' ' : ''
      return splice(text, start + 1, end - 1, pad + added + pad)
    }
    return splice(text, start + 1, start + 1, `${added},${inner.startsWith('\n') ? '' : ' '}`)
  }
  const at = last.range[1]
  const comma = commaAfter(text, at)
  const own = beginsLine(text, last.range[0]) && text.slice(start, end).includes('\n')
  const gap = own ? eolOf(text) + indentAt(text, last.range[0]) : ' '
  if (comma === undefined) {
    const behind = own ? commentEnd(text, at) : at
    return splice(splice(text, behind, behind, gap + added), at, at, ',')
  }
  const behind = own ? commentEnd(text, comma + 1) : comma + 1
  return splice(text, behind, behind, `${gap}${added},`)
}

/** Where the comma behind an element is, if there is one. */
function commaAfter(text: string, end: number): number | undefined {
  const found = /(?:\s|#[^\n]*\n)*,/y
  found.lastIndex = end
  return found.test(text) ? found.lastIndex - 1 : undefined
}

/** The end of the comment that stands in the same line. */
function commentEnd(text: string, offset: number): number {
  const rest = text.slice(offset, lineEnd(text, offset))
  return /^[ \t]*#/.test(rest) ? offset + rest.length : offset
}

/** Takes it away; comments stay, but for those in its own lines. */
function remove(text: string, { exact, parts, holder }: Found): string {
  if (exact && holder.type === 'TOMLArray') return drop(text, holder.elements, exact)
  if (exact && holder.type === 'TOMLInlineTable') return drop(text, holder.body, exact)
  const gone = exact ? [exact as AST.TOMLKeyValue, ...parts] : parts
  const ranges = gone.flatMap(part =>
    part.type === 'TOMLTable'
      ? [headerOf(part), ...part.body.map(({ range }) => range)]
      : [part.range],
  )
  const inline = holder.type === 'TOMLInlineTable' ? holder.body : undefined
  let now = text
  for (const [start, end] of ranges.sort((a, b) => b[0] - a[0])) {
    const entry = inline?.find(({ range }) => range[0] === start)
    now = inline && entry ? drop(now, inline, entry) : dropLines(now, start, end)
  }
  return now
}

const headerOf = (table: AST.TOMLTable): AST.Range => [table.range[0], table.key.range[1]]

/** Takes whole lines away, and one of the empty lines that then stand together. */
function dropLines(text: string, start: number, end: number): string {
  const from = text.lastIndexOf('\n', start - 1) + 1
  const to = nextLine(text, end)
  const empty = /\r?\n/y
  empty.lastIndex = to
  const last = to === text.length ? /(?<=\n)\r?\n$/.exec(text.slice(0, from)) : undefined
  if (last) return text.slice(0, last.index)
  const doubled = (from === 0 || /\n\r?\n$/.test(text.slice(0, from))) && empty.test(text)
  return splice(text, from, doubled ? empty.lastIndex : to, '')
}

/** Takes one of several away, with a comma. */
function drop(
  text: string,
  children: readonly { range: AST.Range }[],
  child: { range: AST.Range },
): string {
  const place = children.findIndex(each => each.range[0] === child.range[0])
  const [start, end] = child.range
  const comma = commaAfter(text, end)
  const stop = comma === undefined ? end : comma + 1
  const rest = commentEnd(text, stop)
  if (beginsLine(text, start) && text.slice(rest, lineEnd(text, rest)).trim() === '') {
    const without = splice(text, text.lastIndexOf('\n', start - 1) + 1, nextLine(text, rest), '')
    return comma === undefined ? dropComma(without, text, children[place - 1]) : without
  }
  const next = children[place + 1]
  if (next && comma !== undefined) return splice(text, start, next.range[0], '')
  const before = children[place - 1]
  if (before && comma === undefined) return splice(text, before.range[1], end, '')
  return splice(text, start, stop, '')
}

function dropComma(without: string, text: string, before?: { range: AST.Range }): string {
  const comma = before && commaAfter(text, before.range[1])
  return comma === undefined ? without : splice(without, comma, comma + 1, '')
}

const isFloat = (node: AST.TOMLContentNode | undefined) =>
  node?.type === 'TOMLValue' && node.kind === 'float'

/**
 * @param old what it replaces: a whole number is a float where that was one, as strict readers distinguish them,
 *   and a text a date
 */
function print(value: Json, old?: AST.TOMLContentNode): string {
  if (typeof value === 'string') {
    if (old && isTime(old) && isTimeText(value)) return value
    return quote(value)
  }
  if (value instanceof Date) return value.toISOString()
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) return `${value}`.toLowerCase().replace('inity', '')
    return Number.isInteger(value) && isFloat(old) && !`${value}`.includes('e')
      ? `${value}.0`
      : `${value}`
  }
  const were = old?.type === 'TOMLArray' ? old.elements : []
  if (Array.isArray(value))
    return `[${value.map((each, index) => print(each, were[index] ?? were.at(-1))).join(', ')}]`
  if (typeof value !== 'object') return String(value)
  const entries = Object.entries(value as Record<string, Json>)
  if (entries.length === 0) return '{}'
  return `{ ${entries.map(([key, each]) => `${printPath([key])} = ${print(each)}`).join(', ')} }`
}

const printPath = (path: Path) =>
  path.map(key => (/^[\w-]+$/.test(key) ? key : quote(key))).join('.')

const quote = (text: string) => JSON.stringify(text).replaceAll('\x7f', '\\u007F')
