/** Changes to a tree of plain values, as the recipes declare them. Pure. */
import { StepError } from '../../../errors.ts'
import { eolOf } from './text.ts'

/** What JSON can say, and a date for TOML. */
export type Json =
  | string
  | number
  | boolean
  | null
  | Date
  | readonly Json[]
  | { readonly [key: string]: Json }

/** From the root: a key of a mapping, or the place in a list. */
export type Path = readonly string[]

/** One key of a file. Without a value it must not be there. */
export interface Change {
  path: Path
  value?: Json
}

/**
 * A value that JSON can't say, or that not all readers take for the same: as it is written, and what it is the
 * same as.
 */
export class Written {
  readonly text: string
  readonly is: (value: unknown) => boolean
  constructor(text: string, is: (value: unknown) => boolean) {
    this.text = text
    this.is = is
  }
}

/** What stands for another value of the file: it is another one only where its place is. */
export class Reference {
  readonly place: string
  readonly target: () => unknown
  constructor(place: string, target: () => unknown) {
    this.place = place
    this.target = target
  }
}

/** A file format. */
export interface Format {
  /**
   * The values in a text, whatever JSON can say and what else the format has.
   * @throws {StepError} file_invalid, with line and column
   */
  parse(text: string): unknown
  /**
   * The text with one thing changed, every other byte as it was.
   * @throws {StepError} step_failed: something on the path is not a mapping
   */
  change(text: string, change: Change): string
  /** Whether readers find a key that does not stand there itself. */
  inherits?(text: string, path: Path): boolean
}

/**
 * Makes those of the changes that are not made yet.
 * @returns the text, and the paths that changed
 */
export function changeText(
  text: string,
  changes: readonly Change[],
  format: Format,
): { text: string; changed: Change[] } {
  let now = text
  let tree = format.parse(now)
  const changed: Change[] = []
  for (const change of changes) {
    if (isMade(tree, change)) {
      if (change.value === undefined && format.inherits?.(now, change.path))
        throw new StepError(`${showPath(change.path)} comes from what is merged there (<<)`)
      continue
    }
    checkUnset(tree, change)
    const before = tree
    now = endLike(now, format.change(now, change))
    tree = parseOwn(now, format)
    // Better no edit than one that does something else as well.
    if (!outcomes(before, change).some(wanted => isSame(tree, wanted))) {
      throw new StepError(
        `can’t ${change.value === undefined ? 'unset' : 'set'} ${showPath(change.path)} in the way this file is written: change it by hand`,
      )
    }
    changed.push(change)
  }
  return { text: now, changed }
}

/** The text with line endings as they were before, and with one at its end only where there was one. */
function endLike(before: string, made: string): string {
  const dos = before.includes('\r\n') && !/(?<!\r)\n/.test(before)
  const after = dos ? made.replace(/(?<!\r)\n/g, '\r\n') : made
  if (before === '' || after === '' || before.endsWith('\n') === after.endsWith('\n')) return after
  return after.endsWith('\n') ? after.replace(/\r?\n$/, '') : after + eolOf(before)
}

/** What we made of a text; undefined if that is not even in the format. */
function parseOwn(text: string, format: Format): unknown {
  try {
    return format.parse(text)
  } catch {
    return undefined
  }
}

function isMade(tree: unknown, { path, value }: Change): boolean {
  const found = path.reduce<unknown>(child, tree)
  return value === undefined ? found === undefined : isSame(found, value)
}

/** A place in a list can't be unset: each run would take away one more. */
function checkUnset(tree: unknown, { path, value }: Change): void {
  if (value !== undefined || !Array.isArray(path.slice(0, -1).reduce<unknown>(child, tree))) return
  const list = showPath(path.slice(0, -1))
  throw new StepError(`${showPath(path)}: elements of a list can’t be unset: set all of ${list}`)
}

const child = (node: unknown, key: string): unknown => {
  if (node instanceof Reference) return child(node.target(), key)
  return isTree(node) && Object.hasOwn(node, key)
    ? (node as Record<string, unknown>)[key]
    : undefined
}

const isTree = (value: unknown): value is object =>
  typeof value === 'object' &&
  value !== null &&
  ![Date, Written, Reference].some(kind => value instanceof kind)

/** What a change may come to: a mapping that only dotted keys make goes with the last of them. */
function outcomes(tree: unknown, change: Change): unknown[] {
  const wanted = withChange(tree, change)
  const above = change.path.slice(0, -1)
  const left = above.reduce<unknown>(child, wanted)
  const gone =
    change.value === undefined && above.length > 0 && isTree(left) && Object.keys(left).length === 0
  return gone ? [wanted, ...outcomes(tree, { path: above })] : [wanted]
}

/** The tree as it is to be, sharing what does not change. */
function withChange(tree: unknown, { path, value }: Change): unknown {
  const [key, ...rest] = path
  if (key === undefined) return value
  const inner = withChange(child(tree, key), { path: rest, value })
  if (Array.isArray(tree)) {
    const copy = [...tree]
    copy[Number(key)] = inner
    return copy
  }
  // By entries: a key may be called __proto__.
  const entries = isTree(tree) ? Object.entries(tree) : []
  const others = entries.filter(([each]) => each !== key)
  return Object.fromEntries(inner === undefined ? others : [...others, [key, inner]])
}

/** Whether two trees hold the same; the order of keys does not count. */
export function isSame(one: unknown, other: unknown): boolean {
  if (Object.is(one, other) || (one === 0 && other === 0)) return true
  if (one instanceof Reference && other instanceof Reference) return one.place === other.place
  if (one instanceof Reference) return isSame(one.target(), other)
  if (other instanceof Reference) return isSame(one, other.target())
  if (one instanceof Written && other instanceof Written) return one.text === other.text
  if (one instanceof Written) return one.is(other)
  if (other instanceof Written) return other.is(one)
  if (one instanceof Date && other instanceof Date) return Object.is(+one, +other)
  if (!isTree(one) || !isTree(other) || Array.isArray(one) !== Array.isArray(other)) return false
  const keys = Object.keys(one)
  return (
    keys.length === Object.keys(other).length &&
    keys.every(key => Object.hasOwn(other, key) && isSame(child(one, key), child(other, key)))
  )
}

/** `{ a: { b: value } }` for the path a.b. */
export const nest = (path: Path, value: Json): Json =>
  path.reduceRight<Json>((inner, key) => Object.fromEntries([[key, inner]]), value)

/** A path as people write it. */
export const showPath = (path: Path): string =>
  path.map(key => (/^[^\s."'\0-\x1f\x7f]+$/.test(key) ? key : JSON.stringify(key))).join('.')

/**
 * The place in a list that a path names.
 * @throws {StepError} it is not a number, or there is a gap before it
 */
export function placeIn(length: number, key: string, path: Path): number {
  const place = /^\d+$/.test(key) ? Number(key) : Number.NaN
  if (Number.isNaN(place))
    throw new StepError(`${showPath(path)}: ${key} is not an index of the list`)
  if (place > length) throw new StepError(`${showPath(path)}: the list has only ${length} elements`)
  return place
}

/** The error of a path that leads through something that has no keys. */
export const notAMapping = (path: Path, what: string): StepError =>
  new StepError(`${showPath(path)} has no keys: it is ${what}`)
