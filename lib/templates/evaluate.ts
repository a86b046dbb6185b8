/** Values of expressions. */
import { isSecret, type Secret } from '../shell/secret.ts'
import { compare, operate } from './arithmetic.ts'
import { TemplateFault } from './fault.ts'
import { methodOf, slice } from './methods.ts'
import type { Arguments, Expression } from './syntax.ts'
import {
  callable,
  defined,
  dictEntries,
  dictGet,
  type Given,
  guarded,
  invoke,
  isCallable,
  isDict,
  isInt,
  isList,
  isMissing,
  isNumber,
  items,
  keyOf,
  missing,
  mostSteps,
  plain,
  truth,
  tuple,
  typeName,
} from './values.ts'

/** Names and their values: a block’s own, then those around it. */
export interface Names {
  own: Map<string, unknown>
  around?: Names
  /** There are no variables around it. */
  alone?: boolean
}

/** A filter or a test: the value, its arguments, and what else it may need. */
export type Work = (value: unknown, given: Given, state: State) => unknown

/** What one evaluation goes by. */
export interface State {
  /** The value of a variable; undefined if there is none. */
  lookup(name: string): unknown
  globals: ReadonlyMap<string, unknown>
  filter(name: string): Work
  test(name: string): Work
  /** Where it is, for errors. */
  at: { template: string; line: number }
  steps: number
  /** How many macros and includes are in one another. */
  depth: number
  /** What the template made, and may change. */
  own: WeakSet<object>
  /** Texts that stay texts, as Ansible has it for what some filters make, though they look like lists. */
  texts: Set<string>
  /** Mappings whose keys are attributes first: namespaces and imported templates. */
  spaces: WeakSet<object>
}

/** Counts a step of the template at this line. @throws {TemplateFault} it has taken too many */
export function step(state: State, line: number): void {
  state.at.line = line
  state.steps++
  if (state.steps > mostSteps) throw new TemplateFault(`takes more than ${mostSteps} steps`)
}

export function find(name: string, names: Names, state: State): unknown {
  for (let at: Names | undefined = names; at; at = at.around)
    if (at.own.has(name)) return at.own.get(name)
    else if (at.alone) return missing(`'${name}' is undefined`)
  const found = state.lookup(name)
  if (found !== undefined) return found
  return state.globals.get(name) ?? missing(`'${name}' is undefined`)
}

/** @throws {TemplateFault} it has no value */
export function evaluate(expression: Expression, names: Names, state: State): unknown {
  step(state, expression.line)
  const value = (of: Expression) => evaluate(of, names, state)
  switch (expression.is) {
    case 'constant':
      return expression.value
    case 'name':
      return find(expression.name, names, state)
    case 'list':
      return made(expression.items.map(value), state)
    case 'tuple':
      return tuple(expression.items.map(value))
    case 'dict': {
      const pairs = expression.pairs.map(([key, of]) => [keyOf(value(key)), value(of)] as const)
      return made(new Map(pairs), state)
    }
    case 'not':
      return !truth(value(expression.of))
    case 'and': {
      const left = value(expression.left)
      return truth(left) ? value(expression.right) : left
    }
    case 'or': {
      const left = value(expression.left)
      return truth(left) ? left : value(expression.right)
    }
    case 'if':
      if (truth(value(expression.when))) return value(expression.yes)
      return expression.otherwise
        ? value(expression.otherwise)
        : missing("the inline if-expression was false, and has no 'else'", true)
    case 'sign':
    case 'operator':
    case 'compare':
      return evaluateOperator(expression, value, state)
    default:
      return evaluatePart(expression, names, state)
  }
}

type Of<Kind extends Expression['is']> = Extract<Expression, { is: Kind }>

function evaluateOperator(
  expression: Of<'sign' | 'operator' | 'compare'>,
  value: (of: Expression) => unknown,
  state: State,
): unknown {
  if (expression.is === 'compare') {
    let left = value(expression.first)
    for (const { sign, with: next } of expression.rest) {
      const right = value(next)
      state.at.line = expression.line
      if (guarded([left, right] as const, ([a, b]) => compare(sign, a, b)) !== true) return false
      left = right
    }
    return true
  }
  if (expression.is === 'operator') {
    const both = [value(expression.left), value(expression.right)] as const
    state.at.line = expression.line
    const made = guarded(both, ([left, right]) => operate(expression.sign, left, right))
    if (typeof made === 'string') state.texts.delete(made)
    return made
  }
  const of = defined(value(expression.of))
  if (isNumber(of)) return operate('*', of, expression.sign === '-' ? -1 : 1)
  throw new TemplateFault(`bad operand type for unary ${expression.sign}: '${typeName(of)}'`)
}

/** Ansible’s STRING_TYPE_FILTERS. */
const textFilters = /^(?:ansible\.builtin\.)?(?:string|to_json|to_nice_json|to_yaml|to_nice_yaml)$/

/** What is behind a value: its attributes, items, calls, filters and tests. */
function evaluatePart(
  expression: Of<'attribute' | 'index' | 'slice' | 'call' | 'filter' | 'test'>,
  names: Names,
  state: State,
): unknown {
  const value = (of: Expression) => evaluate(of, names, state)
  const of = value(expression.of)
  switch (expression.is) {
    case 'attribute':
      return attribute(of, expression.name, state)
    case 'index':
      return index(of, value(expression.key), state)
    case 'slice': {
      const ends = [expression.from, expression.to, expression.step].map(
        part => part && value(part),
      )
      return guarded([of] as const, ([self]) => slice(self, ends[0], ends[1], ends[2]))
    }
  }
  const given = argumentsOf(expression.given, names, state)
  // The arguments may have been on later lines.
  state.at.line = expression.line
  if (expression.is === 'call') return callValue(of, given)
  if (expression.is === 'test') return apply(state.test(expression.name), of, given, state)
  const made = apply(state.filter(expression.name), of, given, state)
  if (typeof made === 'string')
    if (textFilters.test(expression.name)) state.texts.add(made)
    else state.texts.delete(made)
  return made
}

/** A value that the template may change, as it has made it. */
export function made<T extends object>(value: T, state: State): T {
  state.own.add(value)
  return value
}

export function argumentsOf(given: Arguments, names: Names, state: State): Given {
  const args = given.args.map(each => evaluate(each, names, state))
  if (given.rest) args.push(...items(evaluate(given.rest, names, state)))
  const named = new Map(given.named.map(({ name, value }) => [name, evaluate(value, names, state)]))
  const rest = given.restNamed && evaluate(given.restNamed, names, state)
  if (isDict(rest)) for (const [key, value] of dictEntries(rest)) named.set(String(key), value)
  return { args, named }
}

/** Calls a filter or a test; what it makes of secrets is secret. */
export function apply(work: Work, value: unknown, given: Given, state: State): unknown {
  const names = [...given.named.keys()]
  const result = guarded([value, ...given.args, ...given.named.values()], ([of, ...rest]) => {
    const args = rest.slice(0, given.args.length)
    const named = new Map(names.map((name, at) => [name, rest[args.length + at]]))
    return work(of, { args, named }, state)
  })
  return typeof result === 'object' && result !== null && result !== value
    ? made(result, state)
    : result
}

function callValue(of: unknown, given: Given): unknown {
  defined(of)
  if (isCallable(of)) return invoke(of, given)
  throw new TemplateFault(`'${typeName(of)}' object is not callable`)
}

/** `of.name`: a method, else what a mapping has. */
export function attribute(of: unknown, name: string, state: State): unknown {
  if (isMissing(of)) return of
  const space = typeof of === 'object' && of !== null && state.spaces.has(of)
  const method = space ? undefined : methodOf(plain(of), name, state.own)
  if (method) return isSecret(of) ? methodOfSecret(of, name, state) : method
  const found = isDict(of) ? dictGet(of, name) : undefined
  return found
    ? (found.value ?? null)
    : missing(`'${typeName(of)} object' has no attribute '${name}'`)
}

/** What a method makes of a secret is secret. */
const methodOfSecret = (of: Secret, name: string, state: State) =>
  callable(({ args, named }) =>
    guarded([of, ...args], ([self, ...rest]) =>
      invoke(methodOf(self, name, state.own)!, { args: rest, named }),
    ),
  )

/** `of[key]`: what a list or a mapping has, else a method. */
export function index(of: unknown, key: unknown, state: State): unknown {
  if (isMissing(of)) return of
  const at = plain(key)
  if (isDict(of)) {
    const found = dictGet(of, at)
    if (found) return found.value ?? null
  }
  if ((isList(of) || typeof plain(of) === 'string') && (isInt(at) || typeof at === 'boolean'))
    return guarded([of] as const, ([self]) => {
      const all = items(self)
      const place = Number(at) < 0 ? Number(at) + all.length : Number(at)
      if (place < 0 || place >= all.length)
        return missing(`${typeName(self)} object has no element ${at}`)
      return all[place] ?? null
    })
  return typeof at === 'string'
    ? attribute(of, at, state)
    : missing(`${typeName(of)} object has no element ${String(at)}`)
}
