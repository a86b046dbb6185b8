/**
 * Patterns for lines, as the awk of a host takes them. A regular expression is written in JavaScript’s syntax
 * and sent as a POSIX extended one, using only what every awk reads alike; anything else is refused before a
 * host is touched.
 */
import { createRequire } from 'node:module'
import type { AST } from '@eslint-community/regexpp'
import {
  addRange,
  addTo,
  anySet,
  type CharacterSet,
  classSet,
  complement,
  emptySet,
  merge,
  refuse,
  type SetText,
  setText,
} from './host-characters.ts'

/** A pattern for a line: the whole line as it is, or a regular expression that matches in it. */
export type LinePattern = string | RegExp

/** Part of a POSIX expression. */
interface Part extends SetText {
  /** Contains ^ or $. */
  anchored?: boolean
}

const longest = 4000

/**
 * A regular expression as a POSIX extended one.
 * @throws {SyntaxError} it contains something that POSIX expressions can’t express
 * @example
 * posixPattern(/^\d+ (?:a|b)?/) // '^[0-9]+ (a|b)?'
 */
export function posixPattern({ source, flags }: RegExp): string {
  const odd = [...flags].find(flag => !'iu'.includes(flag))
  if (odd) throw new SyntaxError(`the flag ${odd} means nothing for a line`)
  if (flags === 'iu') throw new SyntaxError('the flags i and u don’t go together on a host')
  // Without the flag u, JavaScript sees two characters here.
  const pair = flags === 'u' ? null : /[\u{10000}-\u{10ffff}]/u.exec(source)
  if (pair) refuse(`${pair[0]} without the flag u`)
  const { alternatives } = parsePattern(source, flags === 'u')
  const { text } = ofAlternatives(alternatives, flags.includes('i'))
  if (text.length > longest) refuse('so long an expression')
  return text === '' ? '^' : text
}

/** The parts of an expression. */
export function parsePattern(source: string, unicode: boolean): AST.Pattern {
  // Loaded only when there is an expression: it costs a run 5 ms.
  const require = createRequire(import.meta.url)
  const { RegExpParser } = require('@eslint-community/regexpp')
  return new RegExpParser().parsePattern(source, 0, source.length, { unicode })
}

function ofAlternatives(
  alternatives: readonly AST.Alternative[],
  fold: boolean,
): { text: string; anchored: boolean } {
  const found = alternatives.map(each => ofSequence(each.elements, fold))
  const anchored = found.some(each => each.anchored)
  const some = found.map(({ text }) => text).filter(text => text !== '')
  const text = some.join('|')
  // POSIX has no empty alternative.
  return { text: some.length > 0 && some.length < found.length ? `(${text})?` : text, anchored }
}

function ofSequence(
  elements: readonly AST.Element[],
  fold: boolean,
): { text: string; anchored: boolean } {
  const parts = elements.map((element, index) => {
    if (element.type === 'Assertion') {
      if (element.kind === 'start' && index > 0) refuse('^ behind something')
      if (element.kind === 'end' && index < elements.length - 1) refuse('$ before something')
    }
    return ofElement(element, fold)
  })
  return {
    text: parts.map(({ text }) => text).join(''),
    anchored: parts.some(each => each.anchored),
  }
}

/** What one character of an expression stands for. */
export function setOf(
  element: AST.Character | AST.CharacterSet | AST.CharacterClass,
  fold: boolean,
): CharacterSet {
  if (element.type === 'Character') return ofMembers([element], fold)
  if (element.type === 'CharacterSet') return element.kind === 'any' ? anySet() : shorthand(element)
  const set = ofMembers(element.elements, fold)
  return element.negate ? complement(set) : set
}

function ofElement(element: AST.Element, fold: boolean): Part {
  switch (element.type) {
    case 'Character':
    case 'CharacterSet':
    case 'CharacterClass':
      return setText(setOf(element, fold))
    case 'CapturingGroup':
    case 'Group': {
      if (element.type === 'Group' && element.modifiers) refuse(`(?${element.modifiers.raw}`)
      const { text, anchored } = ofAlternatives(element.alternatives, fold)
      return { text: text === '' ? '' : `(${text})`, whole: true, anchored }
    }
    case 'Quantifier':
      return { text: quantified(element, ofElement(element.element, fold)), whole: false }
    case 'Assertion':
      if (element.kind === 'start') return { text: '^', whole: true, anchored: true }
      if (element.kind === 'end') return { text: '$', whole: true, anchored: true }
      return refuse(/^(\(\?<?[=!]|\\.)/.exec(element.raw)![0])
    default:
      return refuse(element.raw)
  }
}

/** Whether something matches is the same for the shortest and the longest match: `greedy` does not matter. */
function quantified({ min, max }: AST.Quantifier, { text, whole, many, anchored }: Part): string {
  if (anchored) refuse('a repeated ^ or $')
  if (min > longest) refuse('so long an expression')
  if (text === '' || max === 0) return ''
  const one = whole ? text : `(${text})`
  const any = many ?? one
  if (max === Number.POSITIVE_INFINITY)
    return min === 0 ? `${any}*` : `${one.repeat(min - 1)}${any}+`
  let optional = ''
  for (let more = min; more < max; more++) {
    optional = optional === '' ? `${one}?` : `(${one}${optional})?`
    if (optional.length > longest) refuse('so long an expression')
  }
  return one.repeat(min) + optional
}

function ofMembers(
  elements: readonly (AST.CharacterClassElement | AST.Character)[],
  fold: boolean,
): CharacterSet {
  const set = emptySet()
  for (const element of elements) {
    if (element.type === 'Character') addTo(set, String.fromCodePoint(element.value), fold)
    else if (element.type === 'CharacterClassRange') {
      const [from, to] = [element.min, element.max].map(({ value }) => String.fromCodePoint(value))
      addRange(set, from!, to!, fold)
    } else if (element.type === 'CharacterSet') merge(set, shorthand(element))
    else refuse(element.raw)
  }
  return set
}

function shorthand(
  element: AST.EscapeCharacterSet | AST.UnicodePropertyCharacterSet,
): CharacterSet {
  if (element.kind === 'property') return refuse(element.raw.slice(0, 2))
  return classSet(element.kind, element.negate)
}
