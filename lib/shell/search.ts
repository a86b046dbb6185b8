/**
 * Finds many texts in another in one pass, however many they are: only where four characters begin one of them is more
 * compared. They are found in upper and lower case, with entities of XML for their characters, and with line ends and
 * indentation in them, because programs fold long lines. Pure.
 */

/** What is searched for. */
export interface Form {
  text: string
  /** Only in this case of its letters: in base64 they differ. */
  exact?: boolean
  /** Also with blanks anywhere in it, as dumps have them between their digits. */
  spaced?: boolean
}

/** From `start` to before `end`. */
export type Span = readonly [start: number, end: number]

export interface Found {
  /** In the order of their starts. */
  spans: readonly Span[]
  /** Where something begins that the text ends in the middle of: what follows may be the rest. Else its length. */
  open: number
}

export type Search = (text: string) => Found

/** A form as it is compared: one blank for each run of blanks, entities decoded, in lower case unless it is exact. */
interface Wanted extends Form {
  /** Blanks of the form itself before and after `text`. */
  before: string
  after: string
  foldable: boolean
}

/** Characters that decide whether more is compared. */
const keyLength = 4

/** Shorter forms are not found over line ends: two lines may well end and begin like that by chance. */
const shortestFolded = 6

export function createSearch(forms: readonly Form[]): Search {
  const { byKey, rare } = indexOf(forms)
  if (byKey.size + rare.length === 0) return text => ({ spans: [], open: text.length })
  const { slots, shift } = slotsOf(byKey.keys())
  return text => {
    const spans: Span[] = rare.flatMap(form => occurrences(text, form))
    let open = text.length
    // Where the last four characters began.
    let [first, second, third, last] = [-1, -1, -1, -1]
    let key = 0
    for (let at = 0; at < text.length; at++) {
      let code = text.charCodeAt(at)
      const from = at
      if (code === ampersand) {
        const entity = entityAt(text, at)
        code = entity.code
        at = entity.end - 1
      }
      if (code <= blank && isBlank(code)) continue
      first = second
      second = third
      third = last
      last = from
      key = (key << 8) ^ folded(code)
      if (slots[Math.imul(key, spread) >>> shift] === 0 || first < 0) continue
      for (const wanted of candidates(byKey.get(key), text, first)) {
        const end = endOf(wanted, text, first)
        if (end === unfinished) open = Math.min(open, first)
        else if (end >= 0) spans.push(withBlanks(wanted, text, first, end))
      }
    }
    return { spans: spans.sort(([a], [b]) => a - b), open }
  }
}

/** Forms that begin with the same four characters: by more of them, or too short for that. */
interface Bucket {
  all: Wanted[]
  short: Wanted[]
  long: Map<string, Wanted[]>
}

/** How many characters that are no blanks decide in a bucket: the lines of a secret often begin alike. */
const prefixLength = 12

/** Those of a bucket that may begin at a character of a text. */
function candidates(bucket: Bucket | undefined, text: string, from: number): readonly Wanted[] {
  if (bucket === undefined) return []
  if (bucket.all.length < 4) return bucket.all
  const prefix = prefixAt(text, from)
  if (prefix === undefined) return bucket.all
  return [...bucket.short, ...(bucket.long.get(prefix) ?? [])]
}

/** The next characters of a text as they are compared, without blanks; undefined if there are fewer. */
function prefixAt(text: string, from: number): string | undefined {
  let prefix = ''
  for (let at = from; at < text.length; at++) {
    let code = text.charCodeAt(at)
    if (code === ampersand) {
      const entity = entityAt(text, at)
      code = entity.code
      at = entity.end - 1
    }
    if (isBlank(code)) continue
    prefix += String.fromCharCode(folded(code))
    if (prefix.length === prefixLength) return prefix
  }
  return undefined
}

/** Forms by their first four characters that are no blanks; and those that have fewer. */
function indexOf(forms: readonly Form[]) {
  const byKey = new Map<number, Bucket>()
  const rare: string[] = []
  const known = new Set<string>()
  for (const form of forms) {
    const wanted = wantedOf(form)
    const { text, exact = false } = wanted
    const begin = lowered(text.replaceAll(' ', '').slice(0, prefixLength))
    if (begin.length < keyLength) {
      rare.push(form.text)
      continue
    }
    const identity = `${exact} ${wanted.before}${text}${wanted.after}`
    if (known.has(identity)) continue
    known.add(identity)
    let key = 0
    for (let at = 0; at < keyLength; at++) key = (key << 8) ^ folded(begin.charCodeAt(at))
    const bucket = byKey.get(key) ?? { all: [], short: [], long: new Map<string, Wanted[]>() }
    byKey.set(key, bucket)
    bucket.all.push(wanted)
    if (begin.length < prefixLength) bucket.short.push(wanted)
    else bucket.long.set(begin, [...(bucket.long.get(begin) ?? []), wanted])
  }
  return { byKey, rare }
}

function wantedOf(form: Form): Wanted {
  const trimmed = form.text.replace(/^[\t-\r ]+|[\t-\r ]+$/g, '')
  const from = form.text.indexOf(trimmed)
  const plain = decoded(trimmed).replace(/[\t-\r ]+/g, ' ')
  return {
    before: form.text.slice(0, from),
    // The end of a line stays.
    after: /^[\t ]*/.exec(form.text.slice(from + trimmed.length))![0],
    ...{ exact: form.exact, spaced: form.spaced },
    text: form.exact ? plain : lowered(plain),
    foldable: plain.replaceAll(' ', '').length >= shortestFolded,
  }
}

/** A golden ratio of 32 bits: the upper bits of a product with it differ where keys do. */
const spread = 0x9e3779b1

/** A table that says of most other keys that they are not among these; small, so that it stays in the cache. */
function slotsOf(keys: Iterable<number>) {
  const all = [...keys]
  const bits = Math.min(20, Math.max(12, Math.ceil(Math.log2(all.length * 64))))
  const slots = new Uint8Array(1 << bits)
  for (const key of all) slots[Math.imul(key, spread) >>> (32 - bits)] = 1
  return { slots, shift: 32 - bits }
}

function occurrences(text: string, form: string): Span[] {
  const spans: Span[] = []
  if (form === '') return spans
  for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1))
    spans.push([at, at + form.length])
  return spans
}

const different = -1
const unfinished = -2

/** Where a form that begins at a character of a text ends; `different` if it is not there, or `unfinished`. */
function endOf(wanted: Wanted, text: string, from: number): number {
  const { text: form, exact, spaced, foldable } = wanted
  let at = from
  for (let index = 0; index < form.length; index++) {
    const expected = form.charCodeAt(index)
    const gap = at
    let newline = false
    let code = 0
    let next = at
    for (; at < text.length; at = next) {
      code = text.charCodeAt(at)
      next = at + 1
      if (code === ampersand) {
        const entity = entityAt(text, at)
        code = entity.code
        next = entity.end
      }
      if (!isBlank(code)) break
      newline ||= code === 10 || code === 13
    }
    if (expected === blank) {
      if (at === gap && at < text.length) return different
      if (at === text.length) return unfinished
      continue
    }
    if (at > gap && !(foldable && (newline || spaced))) return different
    if (at === text.length) return unfinished
    if ((exact ? code : folded(code)) !== expected)
      return code === ampersand && isCut(text, at) ? unfinished : different
    at = next
  }
  return at
}

/** A form that begins or ends with blanks hides them too. */
function withBlanks({ before, after }: Wanted, text: string, start: number, end: number): Span {
  return [
    text.startsWith(before, start - before.length) ? start - before.length : start,
    text.startsWith(after, end) ? end + after.length : end,
  ]
}

const blank = 32
const ampersand = 38

/** Blanks, tabs and line ends; not other control characters. */
const isBlank = (code: number) => code === blank || (code >= 9 && code <= 13)

const latin = Uint8Array.from({ length: 256 }, (_, code) =>
  String.fromCharCode(code).toLowerCase().charCodeAt(0),
)

/** A character in lower case, if that is one character too. */
function folded(code: number): number {
  if (code < 256) return latin[code]!
  const lower = String.fromCharCode(code).toLowerCase()
  return lower.length === 1 ? lower.charCodeAt(0) : code
}

function lowered(text: string): string {
  // Characters by themselves: at the end of a word, some have another lower case.
  return text
    .replace(/[A-Z]+/g, letters => letters.toLowerCase())
    .replace(/[^\0-\x7f]/g, char => {
      return String.fromCharCode(folded(char.charCodeAt(0)))
    })
}

/** `&lt;`, `&#60;`, `&#x3c;`; with its `&` written as an entity too, where a text was put into another. */
const entities = /&(?:amp;)*(?:#0*(\d{1,5})|#[xX]0*([\da-fA-F]{1,4})|(amp|lt|gt|quot|apos));/y

const named: Readonly<Record<string, string>> = {
  amp: '&',
  lt: '<',
  gt: '>',
  quot: '"',
  apos: "'",
}

/** The character at an ampersand, and where it ends. */
function entityAt(text: string, at: number): { code: number; end: number } {
  entities.lastIndex = at
  const match = entities.exec(text)
  if (match === null) return { code: ampersand, end: at + 1 }
  const [all, decimal, hex, name] = match
  const end = at + all.length
  if (name !== undefined) return { code: named[name]!.charCodeAt(0), end }
  return { code: hex === undefined ? Number(decimal) : Number.parseInt(hex, 16), end }
}

/** Whether a text ends within an entity. */
const isCut = (text: string, at: number) =>
  text.length - at < 24 && /^&[#\w;]*$/.test(text.slice(at)) && !text.slice(at).endsWith(';')

const decoded = (text: string) =>
  text.replace(new RegExp(entities.source, 'g'), entity =>
    String.fromCharCode(entityAt(entity, 0).code),
  )
