/** What json, yaml and toml have in common as resources. */
import { createHash } from 'node:crypto'
import { isBootstrapError, type StepError } from '../../../errors.ts'
import type { Edit } from '../../../session/call.ts'
import { words } from '../../../session/words.ts'
import { isSecret, type Secret } from '../../../shell/secret.ts'
import { type EditOptions, editWords } from '../../editing/edited-file.ts'
import { checkPath, declare, invalidOption, type Resource } from '../../resource.ts'
import { type Change, changeText, type Format, type Json, type Path, showPath } from './change.ts'
import { readText } from './text.ts'

/** A key by its path: `server.port`, or its parts where one of them holds a dot. */
export type KeyPath = string | readonly (string | number)[]

/** Whatever JSON can say, and in TOML a date; secrets may be anywhere in it. */
export type KeyValue =
  | string
  | number
  | boolean
  | null
  | Date
  | Secret
  | readonly KeyValue[]
  | { readonly [key: string]: KeyValue }

export interface KeyOptions extends EditOptions {
  /**
   * Keys and the values they must have, by path: `{ 'server.port': 80 }`, or as pairs where a key holds
   * a dot: `[[['hosts', 'a.example'], 80]]`. A number names a place in a list. A list or a mapping is
   * to be exactly as given.
   */
  set?: Readonly<Record<string, KeyValue>> | readonly (readonly [KeyPath, KeyValue])[]
  /** Keys that must not be there. */
  unset?: readonly KeyPath[]
}

/**
 * @param kind what people see, `yaml`
 * @param load the format; its library is loaded when the first such file is edited
 * @param variant what else distinguishes one edit from another
 */
export function dataFile(
  kind: string,
  path: string,
  options: KeyOptions,
  load: () => Promise<Format>,
  variant = '',
): Resource {
  const title = `${kind} ${path}`
  const target = checkPath(title, path)
  const secrets: string[] = []
  const changes = checked(title, () => changesOf(kind, options, secrets))
  const key = createHash('sha256')
    .update(JSON.stringify([kind, variant, changes]))
    .digest('hex')
  const edits = editWords(title, target, options)
  return declare({
    title,
    options,
    secrets,
    path: target,
    call: {
      name: 'hw_edit',
      args: [target, ...words({ key, ...edits.words, private: secrets.length > 0 })],
      gather: edits.gather,
      edit: { path: target, change: async text => edit(target, text, changes, await load()) },
    },
  })
}

/** Runs `work`, whose complaints are TypeErrors: it is too deep for the recipe's line to be in their stack. */
function checked<T>(title: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    throw error instanceof TypeError ? invalidOption(title, error.message) : error
  }
}

function changesOf(
  kind: string,
  { set = {}, unset = [] }: KeyOptions,
  secrets: string[],
): Change[] {
  const pairs = Array.isArray(set) ? (set as [KeyPath, KeyValue][]) : Object.entries(set)
  if (pairs.length + unset.length === 0)
    throw new TypeError('give at least one key to set or unset')
  const changes: Change[] = [
    ...pairs.map(([key, value]) => {
      const path = pathOf(key)
      return { path, value: plainValue(showPath(path), kind, value, secrets) }
    }),
    ...unset.map(key => ({ path: pathOf(key) })),
  ]
  for (const [index, one] of changes.entries()) {
    for (const other of changes.slice(index + 1)) {
      const [short, long] = [one, other].sort((a, b) => a.path.length - b.path.length)
      if (!short!.path.every((part, place) => long!.path[place] === part)) continue
      const both = [showPath(short!.path), showPath(long!.path)]
      throw new TypeError(
        both[0] === both[1]
          ? `${both[0]} is named twice`
          : `${both[0]} is named, and ${both[1]} within it: name one of them`,
      )
    }
  }
  return changes
}

function pathOf(key: KeyPath): Path {
  const parts = typeof key === 'string' ? key.split('.') : key
  if (!Array.isArray(parts) || parts.length === 0 || parts.some(part => part === '')) {
    throw new TypeError(`${JSON.stringify(key)} is not the path of a key`)
  }
  return parts.map(part => {
    const text = String(part)
    if (/[\0-\x1f\x7f]/.test(text)) throw new TypeError('a key holds control characters')
    return text
  })
}

/** The value with its secrets revealed, and noted. */
function plainValue(key: string, kind: string, value: KeyValue, secrets: string[]): Json {
  if (isSecret(value)) {
    secrets.push(value.reveal())
    return value.reveal()
  }
  if (Array.isArray(value)) return value.map(each => plainValue(key, kind, each, secrets))
  if (value === null && kind === 'toml')
    throw new TypeError(`${key}: TOML has no null: unset the key`)
  if (value instanceof Date && kind === 'toml' && !Number.isNaN(+value)) return value
  if (typeof value === 'object' && value !== null) {
    const plainObject = [Object.prototype, null].includes(Object.getPrototypeOf(value))
    if (!plainObject) throw new TypeError(`the value of ${key} can’t be written as JSON`)
    return Object.fromEntries(
      Object.entries(value).map(([name, each]) => [name, plainValue(key, kind, each, secrets)]),
    )
  }
  const known = value === null || ['string', 'boolean', 'number'].includes(typeof value)
  // Only JSON has no infinity, and nothing that is no number.
  if (!known || (typeof value === 'number' && kind === 'json' && !Number.isFinite(value)))
    throw new TypeError(`the value of ${key} can’t be written as JSON`)
  if (Number.isInteger(value) && !Number.isSafeInteger(value) && Math.abs(value as number) < 1e21)
    throw new TypeError(`the value of ${key} is too large a number to be exact: give it as a text`)
  if (
    typeof value === 'string' &&
    /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.test(value)
  )
    throw new TypeError(`the value of ${key} holds half a character`)
  return value as Json
}

/** What a text becomes; what is wrong with it is the step's failure. */
function edit(
  path: string,
  before: Buffer | undefined,
  changes: readonly Change[],
  format: Format,
): Edit {
  try {
    const { text, write } = readText(before ?? Buffer.alloc(0))
    const { text: after, changed } = changeText(text, changes, format)
    if (changed.length === 0) return {}
    const note = changed
      .map(({ path: key, value }) => (value === undefined ? 'no ' : '') + showPath(key))
      .join(', ')
    return { content: write(after), note }
  } catch (error) {
    if (!isBootstrapError(error)) throw error
    const { code, message } = error as StepError
    return { failure: { message: `${path}: ${message}`, code } }
  }
}
