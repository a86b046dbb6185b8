/** Functions that every template has, and those that its caller gives it. */
import { TemplateFault } from './fault.ts'
import { count } from './methods.ts'
import {
  type Callable,
  callable,
  dictEntries,
  type Given,
  isDict,
  isMissing,
  items,
  keyOf,
  mostItems,
  plain,
  within,
} from './values.ts'

/** A function for templates. It throws what is wrong, which becomes an error at the line. */
export type TemplateFunction = (
  args: readonly unknown[],
  named: Readonly<Record<string, unknown>>,
) => unknown

/** A range is a list here, so it has a limit. */
function range({ args }: Given): unknown[] {
  const [first, second, third] = args.map(arg => count(plain(arg), 0))
  if (args.length < 1 || args.length > 3) throw new TemplateFault('range expects 1 to 3 arguments')
  const [from, to] = args.length === 1 ? [0, first!] : [first!, second!]
  const by = third ?? 1
  if (by === 0) throw new TemplateFault('range() arg 3 must not be zero')
  const size = within(Math.max(0, Math.ceil((to - from) / by)), mostItems)
  return Array.from({ length: size }, (_, at) => from + at * by)
}

function dict({ args, named }: Given): Map<unknown, unknown> {
  const made = new Map<unknown, unknown>()
  const [first] = args
  if (isDict(first)) for (const [key, value] of dictEntries(first)) made.set(key, value)
  else if (first !== undefined)
    for (const pair of items(first)) {
      const [key, value] = items(pair)
      made.set(keyOf(key), value)
    }
  for (const [key, value] of named) made.set(key, value)
  return made
}

/**
 * @param made called with what a template has made, and so may change
 * @param space called with a namespace
 */
export function globalsFor(
  functions: Readonly<Record<string, TemplateFunction>>,
  made: <T extends object>(value: T) => T,
  space: <T extends object>(value: T) => T,
): ReadonlyMap<string, Callable> {
  const given = Object.entries(functions).map(
    ([name, work]) =>
      [
        name,
        callable(({ args, named }) => {
          for (const arg of [...args, ...named.values()])
            if (isMissing(arg))
              throw new TemplateFault(`an argument of ${name}() is undefined`, 'undefined')
          return work(args, Object.fromEntries(named))
        }),
      ] as const,
  )
  return new Map([
    ['range', callable(range)],
    ['dict', callable(all => made(dict(all)))],
    ['namespace', callable(all => space(made(dict(all))))],
    ...given,
  ])
}
