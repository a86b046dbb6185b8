/**
 * How a run is rolled out: what its recipe declares and what the command line says, as one checked value. The recipe’s
 * values and those of options are the same texts, so there is one parser for each. Pure.
 */
import { type BootstrapError, isBootstrapError, UsageError } from '../errors.ts'
import { parseDuration } from '../inventory/parse-duration.ts'
import type { Gate, OnFailure, RolloutOptions } from '../recipe/rollout-options.ts'
import { suggestion, unknownName } from '../shell/nearest.ts'
import { type HostLimits, parseHostLimit, parseSizes } from './batches.ts'

/** Hosts that go first. */
export type Canary = { size: string } | { pattern: string }

/** Which hosts come first. */
export type Order =
  | { by: 'inventory' }
  | { by: 'shuffled'; seed: string }
  | { by: 'spread'; over: string }

/** After which batches the run pauses. */
export type Pauses = 'never' | 'after-canary' | 'every-wave' | readonly number[]

export interface Policy {
  /** Sizes of batches. */
  waves: readonly string[]
  canary?: Canary
  /** How many hosts may be at work or failed: of all, or of those with the same value of the variable `per`. */
  maxUnavailable?: { size: string; per?: string }
  order: Order
  bakeMs: number
  /** Undefined: by heartbeat where there is one, but only while a batch bakes. */
  gate?: 'heartbeat' | 'none' | Gate
  pause: Pauses
  /** Undefined: none was set, so any failure stops the next batch. */
  limits?: HostLimits
  /** How long a host may take. */
  deadlineMs?: number
  onFailure: OnFailure
}

/** Texts of options by the keys of a recipe’s `rollout`. */
export type PolicyTexts = Readonly<Partial<Record<keyof RolloutOptions, string>>>

/** The option for each key. */
export const policyFlags = {
  waves: '--serial',
  canary: '--canary',
  maxUnavailable: '--max-unavailable',
  order: '--order',
  bake: '--bake',
  gate: '--gate',
  pause: '--pause',
  maxFail: '--max-fail',
  maxUnreachable: '--max-unreachable',
  deadline: '--deadline',
  onFailure: '--on-failure',
} as const satisfies Record<keyof RolloutOptions, string>

/** What `--rollout` may name. */
export const presets: Readonly<Record<string, PolicyTexts>> = {
  careful: {
    canary: '1',
    waves: '10%,25%,100%',
    bake: '2m',
    pause: 'after-canary',
    onFailure: 'pause',
  },
}

/**
 * @param given what the command line says; it takes precedence over the preset, and that over the recipe
 * @param preset the name of one of `presets`
 * @param newSeed makes a seed where hosts are shuffled by none
 * @throws {UsageError} invalid_value, unknown_name: an option; recipe_invalid: the recipe’s own `rollout`
 */
export function readPolicy(
  declared: RolloutOptions | undefined,
  given: PolicyTexts,
  preset: string | undefined,
  newSeed: () => string,
): Policy {
  if (preset !== undefined && !Object.hasOwn(presets, preset))
    throw unknownName('rollout', preset, Object.keys(presets))
  checkDeclared(declared)
  const texts = { ...presets[preset ?? ''], ...withoutUndefined(given) }
  /** Reads the value that counts of a key. */
  const read = <T>(key: keyof RolloutOptions, parse: (name: string, text: string) => T) => {
    const text = texts[key]
    if (text !== undefined) return parse(policyFlags[key], text)
    const value = declared?.[key]
    if (value === undefined || typeof value === 'function') return undefined
    return asRecipes(() => parse(`rollout.${key}`, textOf(value)))
  }
  const limits = {
    fail: read('maxFail', parseHostLimit),
    unreachable: read('maxUnreachable', parseHostLimit),
  }
  const ownGate = texts.gate === undefined ? declared?.gate : undefined
  return {
    waves: read('waves', parseSizes) ?? ['100%'],
    canary: read('canary', orNone(parseCanary)),
    maxUnavailable: read('maxUnavailable', orNone(parseUnavailable)),
    order: read('order', (name, text) => parseOrder(name, text, newSeed)) ?? { by: 'inventory' },
    bakeMs: read('bake', parseTime) ?? 0,
    gate:
      typeof ownGate === 'function'
        ? ownGate
        : read('gate', oneWord('gate', ['heartbeat', 'none'])),
    pause: read('pause', parsePause) ?? 'never',
    limits: limits.fail === undefined && limits.unreachable === undefined ? undefined : limits,
    deadlineMs: read('deadline', orNone(parseDeadline)),
    onFailure:
      read('onFailure', oneWord('answer to a failure', ['stop', 'pause', 'rollback'])) ?? 'stop',
  }
}

/** @throws {UsageError} recipe_invalid */
function checkDeclared(declared: RolloutOptions | undefined): void {
  if (declared === undefined) return
  if (typeof declared !== 'object' || declared === null)
    throw new UsageError('recipe_invalid', 'the recipe’s rollout is not an object')
  const unknown = Object.keys(declared).find(key => !Object.hasOwn(policyFlags, key))
  if (unknown === undefined) return
  const near = suggestion(unknown, Object.keys(policyFlags))
  throw new UsageError('recipe_invalid', `the recipe’s rollout has no key ${unknown}${near}`)
}

const textOf = (value: unknown): string =>
  Array.isArray(value) ? value.map(String).join(',') : String(value)

const withoutUndefined = (texts: PolicyTexts): PolicyTexts =>
  Object.fromEntries(Object.entries(texts).filter(([, text]) => text !== undefined))

/** What is wrong is in the recipe, not in the command line. */
function asRecipes<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    if (!isBootstrapError(error)) throw error
    throw new UsageError('recipe_invalid', error.message, { hint: error.details.hint })
  }
}

const invalid = (name: string, text: string, why: string, hint: string): BootstrapError =>
  new UsageError('invalid_value', `${name} ${text}: ${why}`, { hint })

type Parse<T> = (name: string, text: string) => T

const orNone =
  <T>(parse: Parse<T>): Parse<T | undefined> =>
  (name, text) =>
    text === 'none' ? undefined : parse(name, text)

/** A word of several, or the nearest of them in the error. */
const oneWord =
  <const T extends string>(kind: string, words: readonly T[]): Parse<T> =>
  (name, text) => {
    const found = words.find(word => word === text)
    if (found !== undefined) return found
    throw unknownWord(name, kind, text, words)
  }

function unknownWord(name: string, kind: string, word: string, words: readonly string[]) {
  const { code, message, details } = unknownName(kind, word, words)
  return new UsageError(code, `${name}: ${message}`, { hint: details.hint })
}

/** Looks like a number of hosts or a share, right or wrong; an address does not. */
const isNumeric = (text: string) =>
  /^[+-]?\d+(?:[.,]\d*)*%?$/.test(text) && !/^\d+\.\d+\./.test(text)

function parseCanary(name: string, text: string): Canary {
  if (text.trim() === '') throw invalid(name, '""', 'names no host', `For example ${name} 1.`)
  if (!isNumeric(text)) return { pattern: text }
  const [size, ...more] = parseSizes(name, text)
  if (more.length === 0) return { size: size! }
  throw invalid(name, text, 'is more than one batch', `Give the others by ${policyFlags.waves}.`)
}

function parseUnavailable(name: string, text: string) {
  const [, size, per] = /^([^/]*)(?:\/(.*))?$/s.exec(text) ?? []
  const hint = `For example ${name} 2, ${name} 10%, or ${name} 1/zone: one for each value of the variable zone.`
  if (
    !/^\d{1,6}%?$/.test(size!) ||
    Number.parseInt(size!, 10) < 1 ||
    Number.parseInt(size!, 10) > (size!.endsWith('%') ? 100 : 999_999)
  )
    throw invalid(name, text, 'is not a number of hosts or a percentage, at least 1', hint)
  if (per !== undefined && !isVariable(per))
    throw invalid(name, text, `${JSON.stringify(per)} is not the name of a variable`, hint)
  return { size: size!, per }
}

const isVariable = (text: string) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(text)

function parseOrder(name: string, text: string, newSeed: () => string): Order {
  const [, word = '', , value] = /^([^:]*)(:(.*))?$/s.exec(text) ?? []
  const by = oneWord('order', ['inventory', 'shuffled', 'spread'])(name, word)
  const wrong = (why: string, hint: string) =>
    invalid(name, text, why, `For example ${name} ${hint}.`)
  if (by === 'inventory') {
    if (value === undefined) return { by }
    throw wrong('takes nothing after it', 'inventory')
  }
  if (by === 'shuffled') {
    if (value === '') throw wrong('has no seed', 'shuffled:42')
    return { by, seed: value ?? newSeed() }
  }
  if (value === undefined || !isVariable(value))
    throw wrong('names no variable to spread over', 'spread:zone')
  return { by, over: value }
}

function parseTime(name: string, text: string): number {
  try {
    return parseDuration(text)
  } catch (error) {
    if (!isBootstrapError(error)) throw error
    throw new UsageError(error.code, `${name}: ${error.message}`)
  }
}

function parseDeadline(name: string, text: string): number {
  const ms = parseTime(name, text)
  if (ms > 0) return ms
  throw invalid(name, text, 'must be more than 0', `For example ${name} 10m.`)
}

function parsePause(name: string, text: string): Pauses {
  const words = ['never', 'after-canary', 'every-wave'] as const
  const word = words.find(each => each === text)
  if (word !== undefined) return word
  if (!/^[\d, .+-]+$/.test(text)) throw unknownWord(name, 'pause', text, words)
  return text.split(',').map(each => {
    const number = each.trim()
    if (/^[1-9]\d{0,5}$/.test(number)) return Number(number)
    throw invalid(
      name,
      text,
      `${JSON.stringify(number)} is not the number of a batch`,
      `For example ${name} 1,3: after the first and the third batch.`,
    )
  })
}
