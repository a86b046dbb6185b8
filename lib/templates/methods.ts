/** Methods of Python’s texts, lists and mappings. */
import { TemplateFault } from './fault.ts'
import {
  callable,
  type Dict,
  dictEntries,
  dictGet,
  dictKeys,
  equal,
  type Given,
  isDict,
  isInt,
  isList,
  isTuple,
  items,
  itemsView,
  keyOf,
  keysView,
  mostItems,
  order,
  repr,
  tuple,
  typeName,
  valuesView,
  within,
} from './values.ts'

/** Arguments of a function, by position or by name. */
export type Take = (at: number, name: string) => unknown
type Method<T> = (self: T, take: Take) => unknown

/** @throws {TemplateFault} one that the function does not have */
export function taker({ args, named }: Given, what: string): { take: Take; check(): void } {
  const asked = new Set<string>()
  let most = 0
  return {
    take: (at, name) => {
      asked.add(name)
      most = Math.max(most, at + 1)
      return at < args.length && at >= 0 ? args[at] : named.get(name)
    },
    check: () => {
      if (args.length > most) throw new TemplateFault(`${what} takes at most ${most} arguments`)
      for (const name of named.keys())
        if (!asked.has(name)) throw new TemplateFault(`${what} has no argument '${name}'`)
    },
  }
}

/** A text argument. @throws {TemplateFault} it is not a text */
export function text(value: unknown, what: string): string {
  if (typeof value !== 'string')
    throw new TemplateFault(`${what} must be str, not ${typeName(value)}`)
  return value
}
export const count = (value: unknown, otherwise: number): number => {
  if (value === undefined || value === null) return otherwise
  if (isInt(value) || typeof value === 'boolean') return Number(value)
  throw new TemplateFault(`'${typeName(value)}' object cannot be interpreted as an integer`)
}

/** Blanks or these characters, off one end or both. */
function strip(self: string, chars: unknown, ends: 'both' | 'start' | 'end'): string {
  if (chars === undefined || chars === null)
    return ends === 'both' ? self.trim() : ends === 'start' ? self.trimStart() : self.trimEnd()
  const all = new Set(text(chars, 'strip arg'))
  const letters = [...self]
  let [from, to] = [0, letters.length]
  while (ends !== 'end' && from < to && all.has(letters[from]!)) from++
  while (ends !== 'start' && to > from && all.has(letters[to - 1]!)) to--
  return letters.slice(from, to).join('')
}

function split(self: string, separator: unknown, most: number, right = false): string[] {
  if (separator === undefined || separator === null) {
    const words = [...self.matchAll(/\S+/g)]
    const found = words.map(([word]) => word)
    if (most < 0 || found.length <= most + 1) return found
    const cut = found.length - most
    if (!right) return [...found.slice(0, most), self.slice(words[most]!.index)]
    const last = words[cut - 1]!
    return [self.slice(0, last.index + last[0].length), ...found.slice(cut)]
  }
  const by = text(separator, 'sep')
  if (by === '') throw new TemplateFault('empty separator')
  const found = self.split(by)
  if (most < 0 || found.length <= most + 1) return found
  const cut = found.length - most
  return right
    ? [found.slice(0, cut).join(by), ...found.slice(cut)]
    : [...found.slice(0, most), found.slice(most).join(by)]
}

export const capitalize = (self: string) => {
  const [first = '', ...rest] = self
  return first.toUpperCase() + rest.join('').toLowerCase()
}

export function replace(self: string, from: string, to: string, most: number): string {
  const parts = from === '' ? ['', ...self, ''] : self.split(from)
  const times = most < 0 ? parts.length - 1 : Math.min(most, parts.length - 1)
  within(self.length + times * to.length)
  return (
    parts.slice(0, times + 1).join(to) +
    parts
      .slice(times + 1)
      .map(part => from + part)
      .join('')
  )
}

const affix = (value: unknown, has: (part: string) => boolean, name: string) =>
  isList(value) ? value.some(part => has(text(part, name))) : has(text(value, `${name} first arg`))

const pad = (self: string, take: Take, side: 'start' | 'end' | 'both') => {
  const fill = take(1, 'fillchar') === undefined ? ' ' : text(take(1, 'fillchar'), 'fill')
  const missing = Math.max(0, within(count(take(0, 'width'), 0)) - [...self].length)
  const before =
    side === 'end'
      ? 0
      : side === 'start'
        ? missing
        : (missing >> 1) + (missing & ([...self].length + missing) & 1)
  return fill.repeat(before) + self + fill.repeat(missing - before)
}

const parts = (self: string, at: number, by: string): readonly string[] | undefined =>
  at < 0 ? undefined : [self.slice(0, at), by, self.slice(at + by.length)]
const matches = (self: string, pattern: RegExp) => pattern.test(self)
const indexOf = (self: string, take: Take, last: boolean) => {
  const part = text(take(0, 'sub'), 'sub')
  const at = last ? self.lastIndexOf(part) : self.indexOf(part)
  return at < 0 ? -1 : [...self.slice(0, at)].length
}

const ofText: Readonly<Record<string, Method<string>>> = {
  capitalize,
  center: (self, take) => pad(self, take, 'both'),
  count: (self, take) => {
    const part = text(take(0, 'sub'), 'sub')
    return part === '' ? [...self].length + 1 : self.split(part).length - 1
  },
  endswith: (self, take) => affix(take(0, 'suffix'), part => self.endsWith(part), 'endswith'),
  find: (self, take) => indexOf(self, take, false),
  format: () => {
    throw new TemplateFault("str.format is not known here: use '%s' % value, or ~")
  },
  index: (self, take) => {
    const at = indexOf(self, take, false)
    if (at < 0) throw new TemplateFault('substring not found')
    return at
  },
  isalnum: self => matches(self, /^[\p{L}\p{N}]+$/u),
  isalpha: self => matches(self, /^\p{L}+$/u),
  isdigit: self => matches(self, /^\p{Nd}+$/u),
  islower: self => self !== self.toUpperCase() && self === self.toLowerCase(),
  isupper: self => self !== self.toLowerCase() && self === self.toUpperCase(),
  isspace: self => matches(self, /^\s+$/),
  join: (self, take) => {
    const all = items(take(0, 'iterable')).map((item, at) => text(item, `sequence item ${at}:`))
    within(all.reduce((size, item) => size + item.length + self.length, 0))
    return all.join(self)
  },
  ljust: (self, take) => pad(self, take, 'end'),
  lower: self => self.toLowerCase(),
  lstrip: (self, take) => strip(self, take(0, 'chars'), 'start'),
  partition: (self, take) => {
    const by = text(take(0, 'sep'), 'sep')
    return tuple(parts(self, self.indexOf(by), by) ?? [self, '', ''])
  },
  removeprefix: (self, take) => {
    const prefix = text(take(0, 'prefix'), 'prefix')
    return self.startsWith(prefix) ? self.slice(prefix.length) : self
  },
  removesuffix: (self, take) => {
    const suffix = text(take(0, 'suffix'), 'suffix')
    return suffix !== '' && self.endsWith(suffix) ? self.slice(0, -suffix.length) : self
  },
  replace: (self, take) =>
    replace(
      self,
      text(take(0, 'old'), 'old'),
      text(take(1, 'new'), 'new'),
      count(take(2, 'count'), -1),
    ),
  rfind: (self, take) => indexOf(self, take, true),
  rjust: (self, take) => pad(self, take, 'start'),
  rpartition: (self, take) => {
    const by = text(take(0, 'sep'), 'sep')
    return tuple(parts(self, self.lastIndexOf(by), by) ?? ['', '', self])
  },
  rsplit: (self, take) => split(self, take(0, 'sep'), count(take(1, 'maxsplit'), -1), true),
  rstrip: (self, take) => strip(self, take(0, 'chars'), 'end'),
  split: (self, take) => split(self, take(0, 'sep'), count(take(1, 'maxsplit'), -1)),
  splitlines: self =>
    self
      .replace(/(?:\r\n|[\n\r])$/, '')
      .split(/\r\n|[\n\r]/)
      .filter((_, at) => self !== '' || at > 0),
  startswith: (self, take) => affix(take(0, 'prefix'), part => self.startsWith(part), 'startswith'),
  strip: (self, take) => strip(self, take(0, 'chars'), 'both'),
  swapcase: self =>
    [...self]
      .map(char => (char === char.toUpperCase() ? char.toLowerCase() : char.toUpperCase()))
      .join(''),
  title: self => self.replace(/\p{L}+/gu, capitalize),
  upper: self => self.toUpperCase(),
  zfill: (self, take) => {
    const missing = Math.max(0, within(count(take(0, 'width'), 0)) - self.length)
    return self.replace(/^[-+]?/, `$&${'0'.repeat(missing)}`)
  },
}

/** Lists and mappings that the template made itself: only these it can change. */
export type Own = WeakSet<object>

const ofList: Readonly<Record<string, Method<readonly unknown[]>>> = {
  copy: self => [...self],
  count: (self, take) => self.filter(item => equal(item, take(0, 'value'))).length,
  index: (self, take) => {
    const wanted = take(0, 'value')
    const at = self.findIndex(item => equal(item, wanted))
    if (at < 0) throw new TemplateFault(`${repr(wanted)} is not in list`)
    return at
  },
}

const changingList: Readonly<Record<string, (self: unknown[], take: Take) => unknown>> = {
  append: (self, take) => self.push(take(0, 'object')),
  extend: (self, take) => self.push(...items(take(0, 'iterable'))),
  insert: (self, take) => self.splice(count(take(0, 'index'), 0), 0, take(1, 'object')),
  remove: (self, take) => self.splice(Number(ofList.index!(self, take)), 1),
  reverse: self => self.reverse(),
  sort: self => self.sort((a, b) => order(a, b)),
  clear: self => self.splice(0),
  pop: (self, take) => {
    const at = count(take(0, 'index'), -1)
    if (at >= self.length || -at > self.length) throw new TemplateFault('pop index out of range')
    return self.splice(at, 1)[0]
  },
}

const ofDict: Readonly<Record<string, Method<Dict>>> = {
  copy: self => new Map(dictEntries(self)),
  get: (self, take) =>
    (dictGet(self, take(0, 'key')) ?? { value: take(1, 'default') ?? null }).value,
  items: self => itemsView(dictEntries(self).map(tuple)),
  keys: self => keysView(dictKeys(self)),
  values: self => valuesView(dictEntries(self).map(([, value]) => value)),
}

const changingDict: Readonly<Record<string, (self: Map<unknown, unknown>, take: Take) => unknown>> =
  {
    update: (self, take) => {
      const given = take(0, 'other')
      if (isDict(given)) for (const [key, value] of dictEntries(given)) self.set(key, value)
    },
    setdefault: (self, take) => {
      const key = keyOf(take(0, 'key'))
      if (!self.has(key)) self.set(key, take(1, 'default') ?? null)
      return self.get(key)
    },
  }

/** @returns undefined if a value has no such method */
export function methodOf(self: unknown, name: string, own: Own) {
  const bound = (table: Readonly<Record<string, Method<never>>>, changes = false) => {
    const method = Object.hasOwn(table, name) ? table[name] : undefined
    if (!method) return undefined
    return callable(given => {
      if (changes && !own.has(self as object))
        throw new TemplateFault(`.${name}() would change a variable: a template only reads them`)
      const { take, check } = taker(given, `.${name}()`)
      const made = method(self as never, take)
      check()
      if (Array.isArray(self)) within(self.length, mostItems)
      return changes && !/^(?:pop|setdefault)$/.test(name) ? null : (made ?? null)
    })
  }
  if (typeof self === 'string') return bound(ofText)
  if (isList(self)) return bound(ofList) ?? (isTuple(self) ? undefined : bound(changingList, true))
  return isDict(self) ? (bound(ofDict) ?? bound(changingDict, true)) : undefined
}

/** A text or a list from this to that, by steps. */
export function slice(value: unknown, from: unknown, to: unknown, by: unknown): unknown {
  const all = items(value)
  const step = count(by, 1)
  if (step === 0) throw new TemplateFault('slice step cannot be zero')
  if (isDict(value)) throw new TemplateFault(`unhashable type: 'slice'`)
  const [low, high] = step > 0 ? [0, all.length] : [-1, all.length - 1]
  const bound = (given: unknown, otherwise: number) => {
    const at = count(given, otherwise)
    if (given === undefined || given === null) return otherwise
    return Math.min(Math.max(at < 0 ? at + all.length : at, low), high)
  }
  const made: unknown[] = []
  const [start, stop] =
    step > 0 ? [bound(from, low), bound(to, high)] : [bound(from, high), bound(to, low)]
  for (let at = start; step > 0 ? at < stop : at > stop; at += step) made.push(all[at])
  if (typeof value === 'string') return made.join('')
  return isTuple(value) ? tuple(made) : made
}
