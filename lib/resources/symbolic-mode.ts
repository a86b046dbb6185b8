/**
 * Modes as chmod takes them in letters: `u=rwX,go=rX`. What they make of a file depends on the mode that it has, which its
 * host knows: they are sent as rules for each bit. Pure.
 */

/** What a mode is taken for: `X` is `x` for a directory, and for a file that somebody may execute. */
export type ModeOf = 'directory' | 'plain' | 'executable'

/** Bits from 0o4000 to 0o1: each 0, 1, or the letter of the one it is copied from, `a` for the first. */
type Bits = readonly string[]

const letters = 'abcdefghijkl'
/** Of the owner, the group, others: the set-id bit or sticky bit, and rwx. */
const classes = { u: [0, 3, 4, 5], g: [1, 6, 7, 8], o: [2, 9, 10, 11] } as const
const execute = [5, 8, 11]
/** Bits that the umask 022 takes away from what is given to nobody by name. */
const masked = [7, 10]

/** Whether it is such a mode; then it may still be one that can’t be had. */
export const isSymbolic = (mode: string) =>
  /^[ugoa]*([-+=]([rwxXst]*|[ugo]))+(,[ugoa]*([-+=]([rwxXst]*|[ugo]))+)*$/.test(mode)

/**
 * What it makes of each bit, as twelve characters.
 * @param mode as isSymbolic takes it
 * @throws {SyntaxError} what it makes of a bit depends on more than one
 */
export function modeRule(mode: string, of: ModeOf): string {
  let bits: Bits = [...letters].map((letter, index) =>
    of === 'plain' && execute.includes(index) ? '0' : letter,
  )
  // Without being named, these bits of a directory stay.
  const kept = of === 'directory' && !mode.includes('s') ? [0, 1] : []
  for (const clause of mode.split(',')) {
    const [who] = /^[ugoa]*/.exec(clause)!
    for (const [, operator, what] of clause
      .slice(who.length)
      .matchAll(/([-+=])([rwxXst]+|[ugo]|)/g))
      bits = changed(bits, { who, operator: operator!, what: what!, kept, of })
  }
  return bits.join('')
}

interface Change {
  who: string
  operator: string
  what: string
  kept: readonly number[]
  of: ModeOf
}

function changed(bits: Bits, change: Change): Bits {
  const { who, operator, kept } = change
  const named = who === '' || who.includes('a') ? 'ugo' : who
  const affected = [...named]
    .flatMap((each): readonly number[] => classes[each as 'u'])
    .filter(bit => !kept.includes(bit))
  const value = given(bits, change)
  return bits.map((old, bit) => {
    if (!affected.includes(bit)) return old
    const to = who === '' && masked.includes(bit) ? '0' : value[bit]!
    if (operator === '=') return to
    if (to === '0') return old
    const [none, all] = operator === '+' ? ['0', '1'] : ['1', '0']
    if (to === '1') return all!
    if (old === all) return old
    if (operator === '+' && old === none) return to
    throw new SyntaxError('what is added or taken away must be named by letters of rwxXst')
  })
}

/** What stands behind the operator, for all classes. */
function given(bits: Bits, { what, of }: Change): Bits {
  const value = Array.from(letters, () => '0')
  if (/^[ugo]$/.test(what)) {
    const [, ...from] = classes[what as 'u']
    for (const [, ...to] of Object.values(classes))
      for (const [index, bit] of to.entries()) value[bit] = bits[from[index]!]!
    return value
  }
  for (const letter of what) {
    for (const [special, ...rwx] of Object.values(classes)) {
      if (letter === 's' && special !== 2) value[special] = '1'
      else if (letter === 't' && special === 2) value[special] = '1'
      else if (letter === 'X') value[rwx[2]] = someExecute(bits, of) ? '1' : value[rwx[2]]!
      else if ('rwx'.includes(letter)) value[rwx['rwx'.indexOf(letter)]!] = '1'
    }
  }
  return value
}

function someExecute(bits: Bits, of: ModeOf): boolean {
  if (of === 'directory') return true
  const found = execute.map(bit => bits[bit]!)
  if (found.includes('1')) return true
  if (found.every(bit => bit === '0')) return false
  // Somebody may execute it, and nothing of that was changed.
  if (execute.every(bit => bits[bit] === letters[bit])) return true
  throw new SyntaxError('X behind a part that changes some of the x can’t be had')
}

/** The mode that it makes of this one. */
export function modeMade(mode: string, of: ModeOf, bits: number): number {
  const at = (bit: number) => (bits >> (11 - bit)) & 1
  return [...modeRule(mode, of)].reduce((made, each) => {
    const index = letters.indexOf(each)
    return made * 2 + (index < 0 ? Number(each) : at(index))
  }, 0)
}

/** Whether a rule makes a bit what another one is. */
export const copiesBits = (rule: string) =>
  [...rule].some((each, index) => letters.includes(each) && each !== letters[index])
