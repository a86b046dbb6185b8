/**
 * Templates with Jinja’s syntax, by an interpreter that reaches nothing but the values it is given. Values and
 * results are Ansible’s: None is nothing, a name without a value is an error, `{{ list }}` alone is the list.
 */
import { UsageError } from '../errors.ts'
import { isSecret, type Secret, secret } from '../shell/secret.ts'
import type { State, Work } from './evaluate.ts'
import { TemplateFault } from './fault.ts'
import { data } from './filters/data.ts'
import { lists } from './filters/lists.ts'
import { texts } from './filters/texts.ts'
import { globalsFor, type TemplateFunction } from './globals.ts'
import { type LexOptions, SyntaxFault } from './lexer.ts'
import { literal, toPlain } from './literal.ts'
import { parse } from './parse.ts'
import { type Loaded, type Running, run, textOf } from './run.ts'
import type { Statement } from './syntax.ts'
import { tests } from './tests.ts'
import { isDict, isNumber, isPlainList } from './values.ts'

/** What a template can see. */
export interface Scope {
  /** The value of a variable, found when it is asked for: undefined if there is none. */
  lookup(name: string): unknown
  /** The value as it is written, not evaluated: `{{ port }}` of a number stays one. Default: what `lookup` says. */
  written?(name: string): unknown
  /** Functions that it can call, such as `lookup`: what they get are arguments by position, then those by name. */
  functions?: Readonly<Record<string, TemplateFunction>>
}

/** Where a template is from, for errors. */
export interface Origin {
  /** `group_vars/all.yml`, `templates/haproxy.cfg.j2`. */
  file: string
  /** The line of the file that the template begins in. Default: 1. */
  line?: number
  /** What it is the value of: a variable. */
  name?: string
}

/** Whether a text has anything for the engine. */
export const isTemplate = (text: string): boolean => /\{[{%#]/.test(text)

/**
 * The value of a variable’s text, as `ansible -m debug -a var=NAME` shows it: numbers, lists and mappings that stand
 * alone stay what they are, and what looks like a list, a mapping or a boolean of Python becomes one.
 * @returns plain values; texts that hold a secret are secrets
 * @throws {UsageError} template_invalid: with the file, the line and the variable
 */
export function evaluate(text: string, scope: Scope, origin: Origin): unknown {
  if (!isTemplate(text)) return text
  const alone = /^\{\{\s*(\w*)\s*\}\}$/.exec(text)?.[1]
  if (alone) {
    const written = (scope.written ?? scope.lookup)(alone)
    if (typeof written === 'boolean' || isNumber(written) || written === null) return written
  }
  const from = { text, scope, origin, options: { plainBackslashes: true }, concat: valueOfBlock }
  return rendering(from, (output, texts) => valueOfOutput(output, text, texts))
}

/** In a variable a block that looks like a list becomes one too. */
function valueOfBlock(output: readonly unknown[]): unknown {
  const made = textOf(output)
  return isSecret(made) ? made : (literal(made)?.value ?? made)
}

function valueOfOutput(
  output: readonly unknown[],
  text: string,
  texts: ReadonlySet<string>,
): unknown {
  const [only] = output
  if (output.length === 1 && isDict(only)) return toPlain(only)
  if (output.length === 1 && isPlainList(only)) return toPlain(only)
  const made = textOf(output)
  const isText = output.length === 1 && texts.has(only as string)
  const found = isText || isSecret(made) ? undefined : literal(made)
  return found ? toPlain(found.value) : withNewlines(made, text)
}

/** The templates that one may include, by name. */
export type Load = (name: string, from: string) => { name: string; text: string } | undefined

/**
 * What a template writes.
 * @returns a text; a secret if there is one in it
 * @throws {UsageError} template_invalid: with the template and the line
 */
export function render(
  text: string,
  scope: Scope,
  origin: Origin,
  load: Load = () => undefined,
): string | Secret {
  const { body, options } = headOf(text)
  const from = { text: body, scope, origin, options, load, concat: textOf }
  return rendering(from, output => withNewlines(textOf(output), body))
}

/** `#jinja2: trim_blocks: False` in the first line. */
function headOf(text: string): { body: string; options: LexOptions } {
  const [first, ...rest] = text.split('\n')
  if (!first!.startsWith('#jinja2:')) return { body: text, options: {} }
  const option = (name: string) => {
    const found = new RegExp(`\\b${name}\\s*:\\s*(True|False)`).exec(first!)?.[1]
    return found === undefined ? undefined : found === 'True'
  }
  return {
    // The line stays, empty, so that lines of errors are right.
    body: rest.join('\n'),
    options: { trimBlocks: option('trim_blocks'), lstripBlocks: option('lstrip_blocks') },
  }
}

/** As Ansible does: newlines at the end of the template that blocks have taken come back. */
function withNewlines(made: string | Secret, template: string): string | Secret {
  const text = isSecret(made) ? made.reveal() : made
  const ends = (of: string) => /\n*$/.exec(of)![0].length
  const whole = text + '\n'.repeat(Math.max(0, ends(template) - ends(text)))
  return isSecret(made) ? secret(whole) : whole
}

interface Rendering {
  text: string
  scope: Scope
  origin: Origin
  options: LexOptions
  load?: Load
  concat: Running['concat']
}

/** @param finish makes of what was written what is wanted, which may fail too */
function rendering<T>(
  { text, scope, origin, options, load = () => undefined, concat }: Rendering,
  finish: (output: readonly unknown[], texts: ReadonlySet<string>) => T,
): T {
  const own = new WeakSet<object>()
  const spaces = new WeakSet<object>()
  const keep =
    (all: WeakSet<object>) =>
    <T extends object>(value: T) => {
      all.add(value)
      return value
    }
  const state: Running = {
    lookup: name => scope.lookup(name),
    globals: globalsFor(scope.functions ?? {}, keep(own), keep(spaces)),
    filter: name => workOf('filter', name),
    test: name => workOf('test', name),
    at: { template: origin.file, line: 1 },
    steps: 0,
    depth: 0,
    own,
    spaces,
    texts: new Set(),
    load: loader(load, options),
    concat,
  }
  return located(state, origin, () =>
    finish(run(parse(text, isKnown, options), { own: new Map() }, state), state.texts),
  )
}

const filters: Readonly<Record<string, Work>> = { ...texts, ...lists, ...data }

const works = { filter: filters, test: tests }
const bare = (name: string) => name.replace(/^ansible\.builtin\./, '')
const isKnown = (kind: 'filter' | 'test', name: string) => Object.hasOwn(works[kind], bare(name))

function workOf(kind: 'filter' | 'test', name: string): Work {
  if (isKnown(kind, name)) return works[kind][bare(name)]!
  throw new TemplateFault(`the ${kind} '${name}' is not known here`)
}

/** Each included template is read and parsed once. */
function loader(load: Load, options: LexOptions): Running['load'] {
  const known = new Map<string, Loaded>()
  return (name, from) => {
    const found = load(name, from)
    if (!found) return undefined
    const body: readonly Statement[] =
      known.get(found.name)?.body ??
      inTemplate(found.name, () => parse(found.text, isKnown, options))
    const loaded = { name: found.name, body }
    known.set(found.name, loaded)
    return loaded
  }
}

/** An error of the syntax of an included template. */
class IncludedFault extends TemplateFault {
  readonly at: State['at']

  constructor(message: string, at: State['at']) {
    super(message, 'syntax')
    this.at = at
  }
}

function inTemplate<T>(template: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error
    throw new IncludedFault(error.message, { template, line: error.line })
  }
}

/** Adds to what is wrong where it is. */
function located<T>(state: State, origin: Origin, work: () => T): T {
  try {
    return work()
  } catch (error) {
    const deep = error instanceof RangeError
    if (!deep && !(error instanceof TemplateFault)) throw error
    const at =
      error instanceof IncludedFault
        ? error.at
        : error instanceof SyntaxFault
          ? { template: origin.file, line: error.line }
          : state.at
    const first = at.template === origin.file ? (origin.line ?? 1) - 1 : 0
    const place = `${at.template}:${at.line + first}`
    const what = deep ? 'more levels deep than there is memory for' : (error as Error).message
    const of = origin.name === undefined ? '' : `${origin.name}: `
    throw new UsageError('template_invalid', `${place}: ${of}${what}`, { at: place, cause: error })
  }
}
