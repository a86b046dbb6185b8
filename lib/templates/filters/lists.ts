/** Filters of lists and mappings, as Jinja and Ansible have them. */
import { operate } from '../arithmetic.ts'
import { apply, index, type State, step } from '../evaluate.ts'
import { TemplateFault } from '../fault.ts'
import { count } from '../methods.ts'
import {
  type Dict,
  defined,
  dictEntries,
  dictGet,
  dictKeys,
  equal,
  type Given,
  isDict,
  isInt,
  isList,
  isMissing,
  items,
  keyOf,
  missing,
  mostItems,
  order,
  str,
  truth,
  tuple,
  typeName,
  within,
} from '../values.ts'
import { type Filters, filter } from './filter.ts'

/** What an item has at `address.city` or `1`. */
function attributeOf(path: unknown, state: State, otherwise?: unknown) {
  if (path === undefined || path === null) return (item: unknown) => item
  const parts = isInt(path)
    ? [Number(path)]
    : str(path)
        .split('.')
        .map(part => (/^\d+$/.test(part) ? Number(part) : part))
  return (item: unknown) =>
    parts.reduce((of: unknown, part) => {
      const found = index(of, part, state)
      return isMissing(found) && otherwise !== undefined && otherwise !== null ? otherwise : found
    }, item)
}

const folded = (value: unknown) => (typeof value === 'string' ? value.toLowerCase() : value)
const flag = (value: unknown, otherwise = false) =>
  value === undefined || value === null ? otherwise : truth(value)

function sorted(
  all: readonly unknown[],
  keys: (item: unknown) => unknown,
  reverse: boolean,
): unknown[] {
  const known = all.map(item => ({ item, key: keys(item) }))
  const made = reverse ? known.reverse() : known
  made.sort((a, b) => order(a.key, b.key))
  return (reverse ? made.reverse() : made).map(({ item }) => item)
}

function unique(all: readonly unknown[], key: (item: unknown) => unknown): unknown[] {
  const seen = new Set<unknown>()
  const complex: unknown[] = []
  return all.filter(item => {
    const found = defined(key(item))
    if (isList(found) || isDict(found)) {
      if (complex.some(other => equal(other, found))) return false
      complex.push(found)
      within(complex.length, 20_000)
      return true
    }
    const simple = keyOf(found)
    if (seen.has(simple)) return false
    seen.add(simple)
    return true
  })
}
/** Whether a list has an item: quick where items are texts and numbers. */
function has(all: readonly unknown[]) {
  const simple = new Set(all.filter(item => !isList(item) && !isDict(item)).map(keyOf))
  const complex = all.filter(item => isList(item) || isDict(item))
  return (item: unknown) =>
    isList(item) || isDict(item)
      ? complex.some(other => equal(other, item))
      : simple.has(keyOf(item))
}

const listOf = (value: unknown): readonly unknown[] => {
  if (typeof value === 'string') throw new TemplateFault('expected a list, not str')
  return items(value)
}
const same = (item: unknown) => item

/** `map('upper')`, `map(attribute='name')`. */
function map(value: unknown, { args, named }: Given, state: State): unknown {
  const all = items(value)
  if (args.length === 0 && named.has('attribute'))
    return all.map(attributeOf(named.get('attribute'), state, named.get('default')))
  if (args.length === 0) throw new TemplateFault('map requires a filter argument')
  const work = state.filter(str(args[0]))
  return all.map(item => {
    step(state, state.at.line)
    return apply(work, item, { args: args.slice(1), named }, state)
  })
}

const select =
  (wanted: boolean, byAttribute: boolean) =>
  (value: unknown, { args, named }: Given, state: State): unknown => {
    if (byAttribute && args.length === 0)
      throw new TemplateFault('missing parameter for attribute name')
    const of = byAttribute ? attributeOf(args[0], state) : same
    const rest = byAttribute ? args.slice(1) : args
    const test = rest.length === 0 ? truth : state.test(str(rest[0]))
    return items(value).filter(item => {
      step(state, state.at.line)
      return truth(test(of(item), { args: rest.slice(1), named }, state)) === wanted
    })
  }

function edge(most: boolean) {
  return filter((value, take, state) => {
    const all = items(value)
    if (all.length === 0) return missing('No aggregated item, sequence was empty.')
    const sensitive = flag(take(0, 'case_sensitive'))
    const key = attributeOf(take(1, 'attribute'), state)
    const of = (item: unknown) => (sensitive ? key(item) : folded(key(item)))
    return all.reduce((best, item) => {
      const found = order(of(item), of(best))
      return (most ? found > 0 : found < 0) ? item : best
    })
  })
}

function flatten(all: readonly unknown[], levels: number, skipNulls: boolean): unknown[] {
  return all.flatMap(item => {
    if (skipNulls && (item === null || item === 'None' || item === 'null')) return []
    if (!isList(item)) return [item]
    return levels > 0 ? flatten(item, levels - 1, skipNulls) : [item]
  })
}

type ListMerge = (x: readonly unknown[], y: readonly unknown[]) => readonly unknown[]
const merges: Readonly<Record<string, ListMerge>> = {
  replace: (_x, y) => y,
  keep: x => x,
  append: (x, y) => [...x, ...y],
  prepend: (x, y) => [...y, ...x],
  append_rp: (x, y) => [...x.filter(item => !has(y)(item)), ...y],
  prepend_rp: (x, y) => [...y, ...x.filter(item => !has(y)(item))],
}

/** Ansible’s merge_hash. */
function merge(x: Dict, y: Dict, recursive: boolean, merged: ListMerge): Map<unknown, unknown> {
  const made = new Map(dictEntries(x))
  if (made.size === 0 || equal(x, y)) return new Map(dictEntries(y))
  for (const [key, value] of dictEntries(y)) {
    const old = made.get(key)
    if (isDict(old) && isDict(value))
      made.set(key, recursive ? merge(old, value, recursive, merged) : value)
    else made.set(key, isList(old) && isList(value) ? merged(old, value) : value)
  }
  return made
}

function combine(value: unknown, { args, named }: Given): unknown {
  for (const name of named.keys())
    if (name !== 'recursive' && name !== 'list_merge')
      throw new TemplateFault("'recursive' and 'list_merge' are the only valid keyword arguments")
  const way = str(named.get('list_merge') ?? 'replace')
  const merged = Object.hasOwn(merges, way) ? merges[way] : undefined
  if (!merged) throw new TemplateFault(`there is no list_merge '${way}'`)
  const all = flatten([value, ...args], 1, true).map(each => {
    if (isDict(defined(each))) return each as Dict
    throw new TemplateFault(
      `failed to combine variables, expected dicts but got a '${typeName(each)}'`,
    )
  })
  if (all.length === 0) return new Map()
  return all.reduceRight((high, low) => merge(low, high, flag(named.get('recursive')), merged))
}

function dict2items(value: unknown, key: string, name: string): unknown {
  if (!isDict(defined(value)))
    throw new TemplateFault(`dict2items requires a dictionary, got ${typeName(value)} instead`)
  return dictEntries(value as Dict).map(
    ([its, of]) =>
      new Map([
        [key, its],
        [name, of],
      ]),
  )
}

function items2dict(value: unknown, key: string, name: string): unknown {
  return new Map(
    listOf(value).map(item => {
      const [its, of] = isDict(item) ? [dictGet(item, key), dictGet(item, name)] : []
      if (!its || !of)
        throw new TemplateFault(
          `items2dict requires each dictionary in the list to contain the keys '${key}' and '${name}'`,
        )
      return [keyOf(its.value), of.value]
    }),
  )
}

const grouped = filter((value, take, state) => {
  const key = attributeOf(take(0, 'attribute'), state, take(1, 'default'))
  const of = flag(take(2, 'case_sensitive')) ? key : (item: unknown) => folded(key(item))
  const groups: { key: unknown; items: unknown[] }[] = []
  for (const item of sorted(items(value), of, false)) {
    const last = groups.at(-1)
    if (last && equal(last.key, of(item))) last.items.push(item)
    else groups.push({ key: of(item), items: [item] })
  }
  return groups.map(group => tuple([key(group.items[0]), group.items]))
})

const zip = (longest: boolean) =>
  ((value, { args, named }) => {
    const all = [value, ...args].map(items)
    const sizes = all.map(each => each.length)
    const size = longest ? Math.max(...sizes) : Math.min(...sizes)
    const fill = named.get('fillvalue') ?? null
    return Array.from({ length: size }, (_, at) =>
      tuple(all.map(each => (at < each.length ? each[at] : fill))),
    )
  }) satisfies Filters[string]

function subelements(value: unknown, path: unknown, skip: boolean): unknown {
  const parts = isList(path) ? path.map(str) : str(path).split('.')
  const elements = isDict(value) ? dictEntries(value).map(([, of]) => of) : listOf(value)
  return elements.flatMap(element => {
    let of: unknown = element
    for (const part of parts) {
      const found = isDict(of) ? dictGet(of, part) : undefined
      if (!found && !skip) throw new TemplateFault(`could not find '${part}' key in iterated item`)
      of = found ? found.value : []
      if (!found) break
    }
    if (!isList(of)) throw new TemplateFault(`the key ${parts.at(-1)} should point to a list`)
    return of.map(each => tuple([element, each]))
  })
}

function chunks(all: readonly unknown[], size: number, fill: unknown): unknown {
  if (size < 1) throw new TemplateFault('batches need a size')
  const made: unknown[][] = []
  for (let at = 0; at < all.length; at += size) made.push(all.slice(at, at + size))
  const last = made.at(-1)
  if (last && fill !== undefined && fill !== null)
    while (last.length < within(size, mostItems)) last.push(fill)
  return made
}

const defaulted = filter((value, take) => {
  const otherwise = take(0, 'default_value') ?? (take(0, 'default_value') === null ? null : '')
  const empty = take(1, 'boolean')
  return isMissing(value) || (flag(empty) && !truth(value)) ? otherwise : value
})
const length = filter(value => {
  if (isDict(defined(value))) return dictKeys(value as Dict).length
  if (isList(value) || typeof value === 'string') return items(value).length
  throw new TemplateFault(`object of type '${typeName(value)}' has no len()`)
})

export const lists: Filters = {
  default: defaulted,
  d: defaulted,
  mandatory: filter((value, take) => {
    const why = take(0, 'msg')
    if (isMissing(value) && why !== undefined) throw new TemplateFault(str(why))
    return defined(value)
  }),
  length,
  count: length,
  list: filter(value => [...items(value)]),
  first: filter(value =>
    items(value).length > 0 ? items(value)[0] : missing('No first item, sequence was empty.'),
  ),
  last: filter(value =>
    items(value).length > 0 ? items(value).at(-1) : missing('No last item, sequence was empty.'),
  ),
  reverse: filter(value => {
    const made = [...items(value)].reverse()
    return typeof value === 'string' ? made.join('') : made
  }),
  join: filter((value, take, state) => {
    const by = str(take(0, 'd') ?? '')
    const all = items(value)
      .map(attributeOf(take(1, 'attribute'), state))
      .map(str)
    within(all.reduce((size, item) => size + item.length + by.length, 0))
    return all.join(by)
  }),
  sort: filter((value, take, state) => {
    const [reverse, sensitive] = [flag(take(0, 'reverse')), flag(take(1, 'case_sensitive'))]
    const path = take(2, 'attribute')
    const keys = (typeof path === 'string' ? path.split(',') : [path]).map(each =>
      attributeOf(each, state),
    )
    return sorted(
      items(value),
      item => keys.map(key => (sensitive ? key(item) : folded(key(item)))),
      reverse,
    )
  }),
  unique: filter((value, take, state) => {
    const sensitive = flag(take(0, 'case_sensitive'))
    const key = attributeOf(take(1, 'attribute'), state)
    return unique(items(value), item => (sensitive ? key(item) : folded(key(item))))
  }),
  min: edge(false),
  max: edge(true),
  sum: filter((value, take, state) => {
    const of = attributeOf(take(0, 'attribute'), state)
    return items(value)
      .map(of)
      .reduce((sum, item) => operate('+', sum, item), take(1, 'start') ?? 0)
  }),
  map,
  select: select(true, false),
  reject: select(false, false),
  selectattr: select(true, true),
  rejectattr: select(false, true),
  groupby: grouped,
  batch: filter((value, take) =>
    chunks(items(value), count(take(0, 'linecount'), 0), take(1, 'fill_with')),
  ),
  ternary: filter((value, take) => {
    const [yes, no, none] = [take(0, 'true_val'), take(1, 'false_val'), take(2, 'none_val')]
    if (value === null && none !== undefined && none !== null) return none
    return truth(value) ? yes : no
  }),
  dictsort: filter((value, take) => {
    const sensitive = flag(take(0, 'case_sensitive'))
    const by = str(take(1, 'by') ?? 'key')
    if (!isDict(defined(value))) throw new TemplateFault('dictsort requires a dictionary')
    if (by !== 'key' && by !== 'value')
      throw new TemplateFault('You can only sort by either "key" or "value"')
    const place = by === 'key' ? 0 : 1
    const key = (pair: unknown) => (sensitive ? same : folded)((pair as unknown[])[place])
    return sorted(dictEntries(value as Dict).map(tuple), key, flag(take(2, 'reverse')))
  }),
  items: filter(value => {
    if (isMissing(value)) return []
    if (!isDict(value)) throw new TemplateFault('Can only get item pairs from a mapping.')
    return dictEntries(value).map(tuple)
  }),
  dict2items: filter((value, take) =>
    dict2items(value, str(take(0, 'key_name') ?? 'key'), str(take(1, 'value_name') ?? 'value')),
  ),
  items2dict: filter((value, take) =>
    items2dict(value, str(take(0, 'key_name') ?? 'key'), str(take(1, 'value_name') ?? 'value')),
  ),
  combine,
  flatten: filter((value, take) => {
    const levels = take(0, 'levels')
    return flatten(
      items(value),
      levels === undefined || levels === null ? Number.POSITIVE_INFINITY : count(levels, 0),
      flag(take(1, 'skip_nulls'), true),
    )
  }),
  union: filter((value, take) => unique([...listOf(value), ...listOf(take(0, 'b'))], same)),
  intersect: filter((value, take) => unique(listOf(value).filter(has(listOf(take(0, 'b')))), same)),
  difference: filter((value, take) => {
    const other = has(listOf(take(0, 'b')))
    return unique(
      listOf(value).filter(item => !other(item)),
      same,
    )
  }),
  symmetric_difference: filter((value, take) => {
    const [a, b] = [listOf(value), listOf(take(0, 'b'))]
    const [inA, inB] = [has(a), has(b)]
    return unique([...a, ...b], same).filter(item => !(inA(item) && inB(item)))
  }),
  zip: zip(false),
  zip_longest: zip(true),
  extract: filter((value, take, state) => {
    const more = take(1, 'morekeys')
    const keys =
      more === undefined || more === null
        ? [value]
        : isList(more)
          ? [value, ...more]
          : [value, more]
    return keys.reduce((of: unknown, key) => index(of, key, state), take(0, 'container'))
  }),
  subelements: filter((value, take) =>
    subelements(value, take(0, 'subelements'), flag(take(1, 'skip_missing'))),
  ),
}
