/** Statements: what a template writes. */
import { isSecret, type Secret } from '../shell/secret.ts'
import { apply, argumentsOf, evaluate, find, type Names, type State, step } from './evaluate.ts'
import { TemplateFault } from './fault.ts'
import type { Assignee, FilterUse, Macro, Statement } from './syntax.ts'
import {
  type Callable,
  callable,
  defined,
  equal,
  type Given,
  guarded,
  invoke,
  isCallable,
  isMissing,
  items,
  joined,
  missing,
  plain,
  str,
  truth,
  tuple,
} from './values.ts'

/** A template that another includes or imports. */
export interface Loaded {
  name: string
  body: readonly Statement[]
}

export interface Running extends State {
  /** @returns undefined if there is no such template */
  load(name: string, from: string): Loaded | undefined
  /** What a macro or a captured block makes of what was written in it: a text, in files. */
  concat(output: readonly unknown[]): unknown
}

/** What is written, before it becomes a text. */
type Output = unknown[]

/** Macros and includes in one another; Python gives up there too. */
const deepest = 100

export function run(body: readonly Statement[], names: Names, state: Running): unknown[] {
  const output: Output = []
  write(body, names, state, output)
  return output
}

/** @returns the text of what was written; a secret if there is one in it */
export const textOf = (output: readonly unknown[]): string | Secret =>
  joined(output.map(piece => (isSecret(piece) ? piece : piecesOf(piece))))

/** A list that holds secrets is shown with them. */
const piecesOf = (value: unknown): string | Secret =>
  typeof value === 'string' ? value : (guardedText(value) as string | Secret)
const guardedText = (value: unknown) => guarded([value] as const, ([shown]) => str(shown))

function write(body: readonly Statement[], names: Names, state: Running, output: Output): void {
  for (const statement of body) {
    step(state, statement.line)
    writeOne(statement, names, state, output)
  }
}

const block = (names: Names): Names => ({ own: new Map(), around: names })

function writeOne(statement: Statement, names: Names, state: Running, output: Output): void {
  switch (statement.is) {
    case 'data':
      output.push(statement.text)
      return
    case 'print': {
      const value = evaluate(statement.value, names, state)
      state.at.line = statement.line
      // As in Ansible: None is nothing.
      output.push(isMissing(value) ? str(value) : (value ?? ''))
      return
    }
    case 'if': {
      const branch = statement.branches.find(
        ({ when }) => when === undefined || truth(evaluate(when, names, state)),
      )
      if (branch) write(branch.body, names, state, output)
      return
    }
    case 'for':
      writeLoop(statement, names, state, output)
      return
    case 'set':
      assign(statement.to, evaluate(statement.value, names, state), names, state)
      return
    case 'capture': {
      const text = state.concat(run(statement.body, block(names), state))
      assign(statement.to, filtered(text, statement.filters, names, state), names, state)
      return
    }
    case 'macro':
      names.own.set(statement.macro.name, macroOf(statement.macro, names, state))
      return
    case 'callBlock': {
      if (statement.call.is !== 'call') return
      const of = evaluate(statement.call.of, names, state)
      const { args, named } = argumentsOf(statement.call.given, names, state)
      if (!isCallable(of)) throw new TemplateFault('only a macro can be called by a call block')
      const caller = macroOf(statement.macro, names, state)
      output.push(invoke(of, { args, named: new Map([...named, ['caller', caller]]) }))
      return
    }
    case 'filterBlock': {
      const text = state.concat(run(statement.body, block(names), state))
      output.push(filtered(text, statement.filters, names, state) ?? '')
      return
    }
    case 'with': {
      const inner = block(names)
      for (const { to, value } of statement.sets)
        assign(to, evaluate(value, names, state), inner, state)
      write(statement.body, inner, state, output)
      return
    }
    case 'include':
      include(statement, names, state, output)
      return
    case 'import':
      importNames(statement, names, state)
  }
}

const filtered = (text: unknown, filters: readonly FilterUse[], names: Names, state: State) =>
  filters.reduce((value, { name, given, line }) => {
    state.at.line = line
    return apply(state.filter(name), value, argumentsOf(given, names, state), state)
  }, text)

function assign(to: Assignee, value: unknown, names: Names, state: State): void {
  if (to.is === 'name') {
    names.own.set(to.name, value)
    return
  }
  if (to.is === 'member') {
    const space = find(to.of, names, state)
    if (!(space instanceof Map) || !state.spaces.has(space) || !state.own.has(space))
      throw new TemplateFault(`'${to.of}' is no namespace: only namespaces can be assigned to`)
    space.set(to.name, value)
    return
  }
  const all = items(value)
  if (all.length !== to.parts.length)
    throw new TemplateFault(`expected ${to.parts.length} values to unpack, got ${all.length}`)
  for (const [at, part] of to.parts.entries()) assign(part, all[at], names, state)
}

type Loop = Extract<Statement, { is: 'for' }>

function writeLoop(
  loop: Loop,
  names: Names,
  state: Running,
  output: Output,
  depth = 0,
  of?: unknown,
): void {
  const given = items(of === undefined ? evaluate(loop.of, names, state) : of)
  const chosen = given.filter(item => {
    if (!loop.when) return true
    step(state, loop.line)
    const inner = block(names)
    assign(loop.each, item, inner, state)
    return truth(evaluate(loop.when, inner, state))
  })
  if (chosen.length === 0) {
    write(loop.otherwise, block(names), state, output)
    return
  }
  let last: readonly unknown[] | undefined
  const changed = callable(({ args }) => {
    const same = last !== undefined && equal(last, args)
    last = args
    return !same
  })
  const again = callable(({ args }) => {
    if (!loop.recursive) throw new TemplateFault('the loop is not recursive')
    return nested(state, () => {
      const inner: Output = []
      writeLoop(loop, names, state, inner, depth + 1, args[0])
      return state.concat(inner)
    })
  })
  for (const [at, item] of chosen.entries()) {
    step(state, loop.line)
    const inner = block(names)
    const it = loopOf(chosen, at, depth, changed)
    state.spaces.add(it)
    inner.own.set('loop', loop.recursive ? Object.assign(it, again) : it)
    assign(loop.each, item, inner, state)
    write(loop.body, inner, state, output)
  }
}

/** What `loop` is in each round. */
function loopOf(all: readonly unknown[], at: number, depth: number, changed: Callable) {
  const edge = (place: number, which: string) =>
    place in all ? all[place] : missing(`there is no ${which} item`)
  return new Map<unknown, unknown>([
    ['index', at + 1],
    ['index0', at],
    ['revindex', all.length - at],
    ['revindex0', all.length - at - 1],
    ['first', at === 0],
    ['last', at === all.length - 1],
    ['length', all.length],
    ['depth', depth + 1],
    ['depth0', depth],
    ['previtem', edge(at - 1, 'previous')],
    ['nextitem', edge(at + 1, 'next')],
    ['cycle', callable(({ args }) => args[at % Math.max(args.length, 1)])],
    ['changed', changed],
  ])
}

/** @throws {TemplateFault} too many in one another */
function nested<T>(state: State, work: () => T): T {
  const { template, line } = state.at
  state.depth++
  if (state.depth > deepest)
    throw new TemplateFault(`more than ${deepest} levels deep: does it call itself?`)
  const found = work()
  state.depth--
  state.at = { template, line }
  return found
}

function macroOf({ name, parameters, body, uses }: Macro, names: Names, state: Running): Callable {
  const { template } = state.at
  return callable(({ args, named }: Given) =>
    nested(state, () => {
      state.at = { template, line: state.at.line }
      const inner = block(names)
      const rest = new Map(named)
      inner.own.set(
        'caller',
        rest.get('caller') ?? missing("'caller' is undefined: there is no call block"),
      )
      rest.delete('caller')
      for (const [at, { name: parameter, otherwise }] of parameters.entries()) {
        const known = at < args.length ? args[at] : rest.get(parameter)
        const value = known === undefined && otherwise ? evaluate(otherwise, inner, state) : known
        rest.delete(parameter)
        inner.own.set(
          parameter,
          value ??
            (known === undefined && !otherwise
              ? missing(`parameter '${parameter}' was not provided`)
              : null),
        )
      }
      inner.own.set('varargs', tuple(args.slice(parameters.length)))
      inner.own.set('kwargs', rest)
      if (args.length > parameters.length && !uses.has('varargs'))
        throw new TemplateFault(
          `macro '${name}' takes not more than ${parameters.length} argument(s)`,
        )
      if (rest.size > 0 && !uses.has('kwargs'))
        throw new TemplateFault(
          `macro '${name}' takes no keyword argument '${[...rest.keys()][0]}'`,
        )
      return state.concat(run(body, inner, state))
    }),
  )
}

function load(name: unknown, state: Running): Loaded | undefined {
  const wanted = plain(defined(name))
  const all = typeof wanted === 'string' ? [wanted] : items(wanted)
  for (const each of all) {
    const found = state.load(str(each), state.at.template)
    if (found) return found
  }
  return undefined
}

const notFound = (name: unknown) => new TemplateFault(`there is no template ${str(name)}`)

type Include = Extract<Statement, { is: 'include' }>

function include(statement: Include, names: Names, state: Running, output: Output): void {
  const name = evaluate(statement.name, names, state)
  const found = load(name, state)
  if (!found) {
    if (statement.ignoreMissing) return
    throw notFound(name)
  }
  nested(state, () => {
    state.at = { template: found.name, line: 1 }
    write(found.body, statement.context ? block(names) : root(state), state, output)
  })
}

/** Without the variables. */
const root = (state: State): Names => ({
  own: new Map(),
  around: { own: new Map(state.globals), alone: true },
})

type Import = Extract<Statement, { is: 'import' }>

function importNames(statement: Import, names: Names, state: Running): void {
  const name = evaluate(statement.name, names, state)
  const found = load(name, state)
  if (!found) throw notFound(name)
  const inner = statement.context ? block(names) : root(state)
  nested(state, () => {
    state.at = { template: found.name, line: 1 }
    run(found.body, inner, state)
  })
  const exported = new Map([...inner.own].filter(([key]) => !key.startsWith('_')))
  state.spaces.add(exported)
  if (statement.as) names.own.set(statement.as, exported)
  for (const { name: taken, as } of statement.names ?? []) {
    const value = inner.own.get(taken)
    names.own.set(as, value ?? missing(`the template ${found.name} does not export '${taken}'`))
  }
}
