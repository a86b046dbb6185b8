/** Sets of characters, as a POSIX bracket expression that every awk of a host reads alike. */

/** Stands for any character of UTF-8 beyond ASCII; lib/resources/editing/editor.awk puts its bytes there. */
const beyond = '\x01'
/** In brackets: any byte of such a character. */
const beyondBytes = '\x02'

/** A set of characters. */
export interface CharacterSet {
  ascii: Set<number>
  /** Those beyond ASCII. */
  others: Set<string>
  /** Whether it has all beyond ASCII. */
  all: boolean
}

const codes = (from: string, to: string) =>
  Array.from(
    { length: to.charCodeAt(0) - from.charCodeAt(0) + 1 },
    (_, i) => from.charCodeAt(0) + i,
  )
const digit = codes('0', '9')
const classes = {
  digit,
  word: [...digit, ...codes('A', 'Z'), ...codes('a', 'z'), 0x5f],
  space: [9, 10, 11, 12, 13, 32],
}

/** What can’t be put into a host’s expression. */
export const refuse = (what: string): never => {
  throw new SyntaxError(`${what} can’t be had on a host`)
}

export const emptySet = (): CharacterSet => ({ ascii: new Set(), others: new Set(), all: false })
export const anySet = (): CharacterSet => ({ ascii: allAscii(), others: new Set(), all: true })

/** `\d`, `\w`, `\s`, or the opposite. */
export function classSet(kind: keyof typeof classes, negate: boolean): CharacterSet {
  const set = { ...emptySet(), ascii: new Set(classes[kind]) }
  return negate ? complement(set) : set
}

/** Adds the characters of `more` to `set`. */
export function merge(set: CharacterSet, more: CharacterSet): void {
  for (const code of more.ascii) set.ascii.add(code)
  for (const char of more.others) set.others.add(char)
  set.all ||= more.all
}

/** Adds a character; with `fold`, in both letter cases. */
export function addTo(set: CharacterSet, char: string, fold: boolean): void {
  if (char > '\x7f') {
    if (fold && char.toLowerCase() !== char.toUpperCase()) refuse(`${char} in any letter case`)
    set.others.add(char)
    return
  }
  set.ascii.add(char.charCodeAt(0))
  if (!fold || !/[a-z]/i.test(char)) return
  set.ascii.add(char.toLowerCase().charCodeAt(0))
  set.ascii.add(char.toUpperCase().charCodeAt(0))
}

/** Adds the characters from `from` to `to`, both included. */
export function addRange(set: CharacterSet, from: string, to: string, fold: boolean): void {
  if (to > '\x7f') refuse(`the range ${from}-${to}`)
  for (const code of codes(from, to)) addTo(set, String.fromCharCode(code), fold)
}

/** All other characters. */
export function complement({ ascii, others, all }: CharacterSet): CharacterSet {
  if (others.size > 0) refuse(`anything but ${[...others][0]}`)
  return { ascii: without(ascii), others, all: !all }
}

/** One character of a set, as part of an expression. */
export interface SetText {
  text: string
  /** Whether a quantifier after the text applies to all of it. */
  whole: boolean
  /** The same where any number of it may follow: there, bytes do for characters. */
  many?: string
}

/**
 * A set as part of a POSIX extended expression.
 * @throws {SyntaxError} no line can contain a character of the set
 */
export function setText({ ascii, others, all }: CharacterSet): SetText {
  if (all) {
    const rest = without(ascii)
    const outside = members(rest)
    return {
      text: `([^${members(rest, beyondBytes)}]|${beyond})`,
      whole: true,
      many: outside === '' ? '.' : `[^${outside}]`,
    }
  }
  const inLines = [...ascii].filter(code => code !== 10 && code !== 0)
  const some = inLines.length === 0 ? [] : [inAscii(new Set(inLines))]
  const parts = [...some, ...others]
  if (parts.length === 0) refuse('a character that no line can hold')
  if (parts.length === 1) return { text: parts[0]!, whole: others.size === 0 }
  return { text: `(${parts.join('|')})`, whole: true }
}

/** A set of ASCII characters; a single one as itself. */
function inAscii(set: Set<number>): string {
  const text = members(set)
  if (set.size > 1) return `[${text}]`
  const char = String.fromCharCode([...set][0]!)
  if (char === '^') return '\\^'
  return /[$.*+?()[\]{}|\\/]/.test(char) ? `[${text}]` : char
}

function without(ascii: ReadonlySet<number>): Set<number> {
  const rest = allAscii()
  for (const code of ascii) rest.delete(code)
  return rest
}

const allAscii = () => new Set(Array.from({ length: 128 }, (_, code) => code))

/** What stands in brackets for these and `more`. In their order, but for those that mean something there. */
function members(set: ReadonlySet<number>, more = ''): string {
  const sorted = [...set].filter(code => code !== 10 && code !== 0).sort((a, b) => a - b)
  const chars = sorted.map(code => String.fromCharCode(code))
  const odd =
    chars.find(char => char < ' ' && !'\t\v\f\r'.includes(char)) ??
    chars.find(char => char === '\x7f')
  if (odd) throw new SyntaxError('control characters can’t be had on a host')
  const special = ']^-\\'
  let text = chars.includes(']') ? ']' : ''
  for (let index = 0; index < chars.length; index++) {
    const char = chars[index]!
    if (special.includes(char)) continue
    let last = index
    while (isNext(chars[last]!, chars[last + 1])) last++
    text += last - index > 2 ? `${char}-${chars[last]}` : chars.slice(index, last + 1).join('')
    index = last
  }
  if (chars.includes('\\')) text += '\\\\'
  text += more
  // A ^ in front would negate; a - that is not at an end would make a range.
  if (chars.includes('^')) text = text === '' && chars.includes('-') ? '-^' : `${text}^`
  return chars.includes('-') && !text.startsWith('-') ? `${text}-` : text
}

/** Whether two characters are neighbours of one kind: ranges are of those only. */
const isNext = (char: string, next: string | undefined) =>
  next !== undefined &&
  next.charCodeAt(0) === char.charCodeAt(0) + 1 &&
  [/[0-9]/, /[a-z]/, /[A-Z]/].some(kind => kind.test(char) && kind.test(next))
