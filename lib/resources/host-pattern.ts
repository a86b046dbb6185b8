/**
 * Patterns for lines, as the awk of a host takes them. A regular expression is given in JavaScript's
 * syntax and sent as a POSIX extended one, of those parts only that every awk reads alike; what can't
 * be said so is refused before any host is touched.
 */

/** A pattern for a line: the whole line as it is, or a regular expression that matches in it. */
export type LinePattern = string | RegExp

/** Stands for any character of UTF-8 beyond ASCII; lib/resources/editing/editor.awk puts its bytes there. */
const beyond = '\x01'
/** In brackets: any byte of such a character. */
const beyondBytes = '\x02'

const longest = 4000

/** What a part of an expression is in POSIX's words. */
interface Atom {
  text: string
  /** Whether a quantifier behind the text is about all of it. */
  whole: boolean
  /** The same where any number of it may follow: then bytes will do for characters. */
  many?: string
  /** Holds ^ or $. */
  anchored?: boolean
}

/** A set of characters. */
interface Characters {
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
const digits = codes('0', '9')
const shorthands: Record<string, readonly number[]> = {
  d: digits,
  w: [...digits, ...codes('A', 'Z'), ...codes('a', 'z'), 0x5f],
  s: [9, 10, 11, 12, 13, 32],
}
const controls: Record<string, string> = { t: '\t', r: '\r', v: '\v', f: '\f', n: '\n' }

/**
 * A regular expression as a POSIX extended one.
 * @throws {SyntaxError} what can't be said in one
 */
export function posixPattern({ source, flags }: RegExp): string {
  const odd = [...flags].find(flag => !'iu'.includes(flag))
  if (odd) throw new SyntaxError(`the flag ${odd} means nothing for a line`)
  if (flags === 'iu') throw new SyntaxError('the flags i and u don’t go together on a host')
  const fold = flags.includes('i')
  const chars = [...source]
  let at = 0

  const take = (text: string) => {
    const found = chars.slice(at, at + text.length).join('') === text
    if (found) at += text.length
    return found
  }
  const refuse = (what: string): never => {
    throw new SyntaxError(`${what} can’t be had on a host`)
  }

  function alternatives(): { text: string; anchored: boolean; single: boolean } {
    const found = [sequence()]
    while (take('|')) found.push(sequence())
    const anchored = found.some(each => each.anchored)
    const some = found.map(({ text }) => text).filter(text => text !== '')
    // POSIX has no empty alternative.
    if (some.length < found.length && some.length > 0)
      return { text: `(${some.join('|')})?`, anchored, single: true }
    return { text: some.join('|'), anchored, single: some.length < 2 }
  }

  function sequence(): { text: string; anchored: boolean } {
    let text = ''
    let anchored = false
    for (
      let first = true;
      at < chars.length && chars[at] !== '|' && chars[at] !== ')';
      first = false
    ) {
      if (take('^')) {
        if (!first) refuse('^ behind something')
        text += '^'
        anchored = true
      } else if (take('$')) {
        if (at < chars.length && chars[at] !== '|' && chars[at] !== ')')
          refuse('$ before something')
        text += '$'
        anchored = true
      } else {
        const one = atom()
        text += quantified(one)
        anchored ||= one.anchored ?? false
      }
    }
    return { text, anchored }
  }

  function atom(): Atom {
    if (take('(')) return group()
    if (take('[')) return ofCharacters(bracket())
    if (take('.')) return ofCharacters({ ascii: allAscii(), others: new Set(), all: true })
    if (take('\\')) {
      const set = shorthand()
      return set ? ofCharacters(set) : literal(escaped())
    }
    return literal(chars[at++]!)
  }

  function group(): Atom {
    if (take('?')) {
      if (take('<') && chars[at] !== '=' && chars[at] !== '!') at = chars.indexOf('>', at) + 1
      else if (!take(':')) refuse(`(?${chars[at - 1] === '<' ? `<${chars[at]}` : chars[at]}`)
    }
    const { text, anchored } = alternatives()
    at++
    return { text: text === '' ? '' : `(${text})`, whole: true, anchored }
  }

  function quantified({ text, whole, many, anchored }: Atom): string {
    const range = quantifier()
    if (!range) return text
    if (anchored) refuse('a repeated ^ or $')
    const [least, most] = range
    if (text === '' || most === 0) return ''
    const one = whole ? text : `(${text})`
    const any = many ?? one
    if (most === Number.POSITIVE_INFINITY)
      return least === 0 ? `${any}*` : `${one.repeat(least - 1)}${any}+`
    let optional = ''
    for (let more = least; more < most; more++) {
      optional = optional === '' ? `${one}?` : `(${one}${optional})?`
      if (optional.length > longest) refuse('so long an expression')
    }
    return one.repeat(least) + optional
  }

  function quantifier(): [number, number] | undefined {
    let found: [number, number] | undefined
    const counted = /^\{(\d+)(,(\d*))?\}/.exec(chars.slice(at, at + 20).join(''))
    if (take('*')) found = [0, Number.POSITIVE_INFINITY]
    else if (take('+')) found = [1, Number.POSITIVE_INFINITY]
    else if (take('?')) found = [0, 1]
    else if (counted) {
      at += counted[0].length
      const least = Number(counted[1])
      found = [least, counted[2] ? Number(counted[3] || Number.POSITIVE_INFINITY) : least]
      if (least > longest) refuse('so long an expression')
    }
    // Whether something matches is the same for the shortest and the longest match.
    if (found) take('?')
    return found
  }

  function bracket(): Characters {
    const negated = take('^')
    const set: Characters = { ascii: new Set(), others: new Set(), all: false }
    while (!take(']')) {
      const from = member(set)
      if (from === undefined || chars[at] !== '-' || chars[at + 1] === ']') {
        if (from !== undefined) addTo(set, from)
        continue
      }
      at++
      const to = member(set)
      if (to === undefined) {
        addTo(set, from)
        addTo(set, '-')
      } else if (to > '\x7f') refuse(`the range ${from}-${to}`)
      else for (const code of codes(from, to)) addTo(set, String.fromCharCode(code))
    }
    return negated ? complement(set) : set
  }

  /** A character of a set; or, of a shorthand, nothing: it is in the set then. */
  function member(set: Characters): string | undefined {
    if (!take('\\')) return chars[at++]!
    const more = shorthand()
    if (!more) return escaped()
    for (const code of more.ascii) set.ascii.add(code)
    set.all ||= more.all
    return undefined
  }

  function addTo(set: Characters, char: string) {
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

  function complement({ ascii, others, all }: Characters): Characters {
    if (others.size > 0) refuse(`anything but ${[...others][0]}`)
    const rest = allAscii()
    for (const code of ascii) rest.delete(code)
    return { ascii: rest, others, all: !all }
  }

  function shorthand(): Characters | undefined {
    const name = chars[at]!
    const plain = shorthands[name.toLowerCase()]
    if (!plain) return undefined
    at++
    const set = { ascii: new Set(plain), others: new Set<string>(), all: false }
    return name === name.toLowerCase() ? set : complement(set)
  }

  /** The character that an escape stands for. */
  function escaped(): string {
    const rest = chars.slice(at, at + 12).join('')
    const numbered =
      /^x([0-9a-f]{2})/i.exec(rest) ??
      /^u([0-9a-f]{4})/i.exec(rest) ??
      (flags === 'u' ? /^u\{([0-9a-f]+)\}/i.exec(rest) : null)
    if (numbered) {
      at += numbered[0].length
      return String.fromCodePoint(Number.parseInt(numbered[1]!, 16))
    }
    const char = chars[at++]!
    if (char in controls) return controls[char]!
    return /[A-Za-z0-9]/.test(char) ? refuse(`\\${char}`) : char
  }

  function literal(char: string): Atom {
    const set: Characters = { ascii: new Set(), others: new Set(), all: false }
    addTo(set, char)
    return ofCharacters(set)
  }

  function ofCharacters({ ascii, others, all }: Characters): Atom {
    if (all) {
      const rest = allAscii()
      for (const code of ascii) rest.delete(code)
      const without = members(rest)
      return {
        text: `([^${members(rest, beyondBytes)}]|${beyond})`,
        whole: true,
        many: without === '' ? '.' : `[^${without}]`,
      }
    }
    const codes = [...ascii].filter(code => code !== 10 && code !== 0)
    const some = codes.length === 0 ? [] : [inAscii(new Set(codes))]
    const parts = [...some, ...others]
    if (parts.length === 0) refuse('a character that no line can hold')
    if (parts.length === 1) return { text: parts[0]!, whole: others.size === 0 }
    return { text: `(${parts.join('|')})`, whole: true }
  }

  /** A set of ASCII characters: as itself, if it is just one. */
  function inAscii(set: Set<number>): string {
    const text = members(set)
    if (set.size > 1) return `[${text}]`
    const char = String.fromCharCode([...set][0]!)
    if (char === '^') return '\\^'
    return /[$.*+?()[\]{}|\\/]/.test(char) ? `[${text}]` : char
  }

  const result = alternatives().text
  if (result.length > longest) refuse('so long an expression')
  return result === '' ? '^' : result
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
