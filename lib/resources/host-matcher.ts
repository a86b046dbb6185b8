/**
 * Regular expressions whose groups are wanted. No POSIX expression says what a group has matched, and awk has none that
 * does: so they are sent as the program of a small machine that tries one way after the other, as JavaScript does. See
 * lib/resources/editing/replace.awk, which runs it; the design is Russ Cox’s, "Regular Expression Matching: the Virtual Machine
 * Approach".
 */
import type { AST } from '@eslint-community/regexpp'
import type { CharacterSet } from './host-characters.ts'
import { parsePattern, setOf } from './host-pattern.ts'

/** An instruction: its word, and what follows it. */
type Code = string[]

const longest = 4000

/**
 * The program of an expression that posixPattern takes; the instructions count from 1.
 * @throws {SyntaxError} it would be too long
 */
export function matcherProgram({ source, flags }: RegExp): readonly string[] {
  const pattern = parsePattern(source, flags.includes('u'))
  const made: Making = { code: [], fold: flags.includes('i'), groups: groupsOf(pattern), loops: 0 }
  alternatives(made, pattern.alternatives)
  emit(made, 'm')
  return made.code
}

/** How many groups an expression has, and the numbers of those with names. */
export function groupNumbers({ source, flags }: RegExp) {
  const groups = [...groupsOf(parsePattern(source, flags.includes('u'))).keys()]
  const named = groups.flatMap(({ name }, index) => (name === null ? [] : [[name, index + 1]]))
  return { count: groups.length, named: new Map(named as [string, number][]) }
}

interface Making {
  code: Code
  fold: boolean
  groups: ReadonlyMap<AST.CapturingGroup, number>
  loops: number
}

/** The groups in their order. */
function groupsOf(pattern: AST.Pattern): Map<AST.CapturingGroup, number> {
  const found = new Map<AST.CapturingGroup, number>()
  const look = (node: AST.Alternative | AST.Element) => {
    if (node.type === 'CapturingGroup') found.set(node, found.size + 1)
    if (node.type === 'Alternative') for (const each of node.elements) look(each)
    if (node.type === 'CapturingGroup' || node.type === 'Group')
      for (const each of node.alternatives) look(each)
    if (node.type === 'Quantifier') look(node.element)
  }
  for (const each of pattern.alternatives) look(each)
  return found
}

/** @returns the place of the instruction, for what is known only later */
function emit({ code }: Making, text: string): number {
  if (code.length >= longest) throw new SyntaxError('so long an expression can’t be had on a host')
  return code.push(text) - 1
}

const next = ({ code }: Making) => code.length + 1

function alternatives(made: Making, list: readonly AST.Alternative[]): void {
  const jumps: number[] = []
  for (const [index, each] of list.entries()) {
    const isLast = index === list.length - 1
    const split = isLast ? -1 : emit(made, '')
    const first = next(made)
    for (const element of each.elements) compile(made, element)
    if (isLast) continue
    jumps.push(emit(made, ''))
    made.code[split] = `s ${first} ${next(made)}`
  }
  for (const jump of jumps) made.code[jump] = `j ${next(made)}`
}

function compile(made: Making, element: AST.Element): void {
  switch (element.type) {
    case 'Character':
    case 'CharacterSet':
    case 'CharacterClass':
      emit(made, characters(setOf(element, made.fold), false))
      return
    case 'Group':
      alternatives(made, element.alternatives)
      return
    case 'CapturingGroup': {
      const group = made.groups.get(element)!
      emit(made, `v ${2 * group}`)
      alternatives(made, element.alternatives)
      emit(made, `v ${2 * group + 1}`)
      return
    }
    case 'Assertion':
      emit(made, element.kind === 'start' ? '^' : '$')
      return
    case 'Quantifier':
      quantified(made, element)
  }
}

function quantified(made: Making, { element, min, max, greedy }: AST.Quantifier): void {
  const inside = [...made.groups].filter(
    ([group]) => group.start >= element.start && group.end <= element.end,
  )
  const once = () => {
    // In each round what a group had in the one before is forgotten.
    for (const [, group] of inside) emit(made, `x ${2 * group}`)
    compile(made, element)
  }
  const single = ['Character', 'CharacterSet', 'CharacterClass'].includes(element.type)
  /** One more, which must not be empty. */
  const more = () => {
    if (single) return once()
    const loop = ++made.loops
    emit(made, `e ${loop}`)
    once()
    emit(made, `n ${loop}`)
  }
  const choice = (at: number, body: number, end: number) => {
    made.code[at] = greedy ? `s ${body} ${end}` : `s ${end} ${body}`
  }
  for (let n = 0; n < min; n++) once()
  if (max === Number.POSITIVE_INFINITY) {
    const split = emit(made, '')
    if (single) emit(made, characters(setOf(element as AST.Character, made.fold), true))
    else more()
    emit(made, `j ${split + 1}`)
    choice(split, split + 2, next(made))
    return
  }
  const splits: number[] = []
  for (let n = min; n < max; n++) {
    splits.push(emit(made, ''))
    more()
  }
  for (const split of splits) choice(split, split + 2, next(made))
}

/**
 * One character of a set: `c HOW CODES OTHERS`. HOW is 0, or 1 where the set has all beyond ASCII; 2 where any number may
 * follow each other: there, bytes do for characters.
 */
function characters({ ascii, others, all }: CharacterSet, many: boolean): string {
  const sorted = [...ascii].filter(code => code !== 0 && code !== 10).sort((a, b) => a - b)
  const ranges: [number, number][] = []
  for (const code of sorted) {
    const last = ranges.at(-1)
    if (last && last[1] === code - 1) last[1] = code
    else ranges.push([code, code])
  }
  const codes = ranges.map(([from, to]) => `${from}-${to}`).join(',') || '-'
  return `c ${all ? (many ? 2 : 1) : 0} ${codes} ${[...others].join('')}`
}
