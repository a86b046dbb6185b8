/** Tests behind `is`, as Jinja and Ansible have them. */
import { compare } from './arithmetic.ts'
import type { State, Work } from './evaluate.ts'
import { TemplateFault } from './fault.ts'
import { type Take, taker } from './methods.ts'
import { regex } from './regex.ts'
import {
  asNumber,
  defined,
  equal,
  isCallable,
  isDict,
  isInt,
  isList,
  isMissing,
  isNumber,
  isReal,
  items,
  str,
  truth,
  typeName,
} from './values.ts'

const test =
  (work: (value: unknown, take: Take, state: State) => boolean): Work =>
  (value, given, state) => {
    const { take, check } = taker(given, 'the test')
    const made = work(value, take, state)
    check()
    return made
  }
const type = (is: (value: unknown) => boolean) => test(value => !isMissing(value) && is(value))
const compared = (sign: string) =>
  test((value, take) => {
    const other = take(0, 'other')
    if (other === undefined) throw new TemplateFault('the test needs something to compare with')
    return compare(sign, value, other)
  })

function rest(value: unknown, by: unknown): number {
  if (!isNumber(defined(value)) || !isNumber(by))
    throw new TemplateFault(`not a number: ${typeName(value)}`)
  return asNumber(value as never) % asNumber(by)
}

const matched = (way: 'match' | 'search') =>
  test((value, take) => {
    const pattern = regex(str(take(0, 'pattern') ?? ''), {
      ignorecase: truth(take(1, 'ignorecase') ?? false),
      multiline: truth(take(2, 'multiline') ?? false),
    })
    const given = str(value)
    return way === 'match' ? pattern.startsWith(given) : pattern.all(given, 1).length > 0
  })

/** As LooseVersion: numbers and words, in order. */
const loose = (text: string) =>
  text
    .split(/(\d+|[a-z]+|\.)/)
    .filter(part => part !== '' && part !== '.')
    .map(part => (/^\d+$/.test(part) ? Number(part) : part))

const signs: Readonly<Record<string, string>> = {
  '==': '==',
  '=': '==',
  eq: '==',
  '<': '<',
  lt: '<',
  '<=': '<=',
  le: '<=',
  '>': '>',
  gt: '>',
  '>=': '>=',
  ge: '>=',
  '!=': '!=',
  '<>': '!=',
  ne: '!=',
}

const version = test((value, take) => {
  const [given, other] = [str(value), str(take(0, 'version'))]
  if (given === '' || other === '') throw new TemplateFault('a version to compare is empty')
  const sign = signs[str(take(1, 'operator') ?? 'eq')]
  if (sign === undefined) throw new TemplateFault(`invalid operator ${str(take(1, 'operator'))}`)
  for (const [at, name] of [
    [2, 'strict'],
    [3, 'version_type'],
  ] as const)
    if (truth(take(at, name) ?? false))
      throw new TemplateFault(`version: ${name} is not known here`)
  return compare(sign, loose(given), loose(other))
})

const isEqual = compared('==')

export const tests: Readonly<Record<string, Work>> = {
  defined: test(value => !isMissing(value)),
  undefined: test(isMissing),
  none: type(value => value === null),
  boolean: type(value => typeof value === 'boolean'),
  true: type(value => value === true),
  false: type(value => value === false),
  string: type(value => typeof value === 'string'),
  number: type(isNumber),
  integer: type(isInt),
  float: type(isReal),
  mapping: type(isDict),
  sequence: type(value => isList(value) || isDict(value) || typeof value === 'string'),
  iterable: type(value => isList(value) || isDict(value) || typeof value === 'string'),
  callable: type(isCallable),
  sameas: test((value, take) => value === take(0, 'other')),
  lower: test(
    value => str(value) === str(value).toLowerCase() && str(value) !== str(value).toUpperCase(),
  ),
  upper: test(
    value => str(value) === str(value).toUpperCase() && str(value) !== str(value).toLowerCase(),
  ),
  odd: test(value => Math.abs(rest(value, 2)) === 1),
  even: test(value => rest(value, 2) === 0),
  divisibleby: test((value, take) => rest(value, take(0, 'num')) === 0),
  in: test((value, take) => compare('in', value, take(0, 'seq'))),
  contains: test((value, take) => compare('in', take(0, 'item'), value)),
  equalto: isEqual,
  eq: isEqual,
  '==': isEqual,
  ne: compared('!='),
  '!=': compared('!='),
  lt: compared('<'),
  lessthan: compared('<'),
  '<': compared('<'),
  le: compared('<='),
  '<=': compared('<='),
  gt: compared('>'),
  greaterthan: compared('>'),
  '>': compared('>'),
  ge: compared('>='),
  '>=': compared('>='),
  match: matched('match'),
  search: matched('search'),
  regex: matched('search'),
  version,
  version_compare: version,
  any: test(value => items(value).some(truth)),
  all: test(value => items(value).every(truth)),
  truthy: test(value => truth(value)),
  falsy: test(value => !truth(value)),
  subset: test((value, take) =>
    items(value).every(item => items(take(0, 'b')).some(other => equal(item, other))),
  ),
  superset: test((value, take) =>
    items(take(0, 'b')).every(item => items(value).some(other => equal(item, other))),
  ),
}
