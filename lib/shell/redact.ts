/**
 * Removes secrets from texts, in each form that a program may print: unchanged, quoted for a shell, escaped as in JSON
 * or XML, URL-encoded, in base64, base32 or hexadecimal, in changed case and over several lines. Pure.
 */
import { createSearch, type Form, type Found, type Search, type Span } from './search.ts'
import { stars } from './secret.ts'
import { encodedForms, shortest, wholeForms } from './secret-forms.ts'

export interface Redactor {
  /** From now on, redacted texts contain neither these values nor any line of a value with several lines. */
  hide(values: Iterable<string>): void
  redact(text: string): string
  /** Where something hidden is in a text. Another function if there is more to hide. */
  readonly find: Search
  /** Everything that is searched for; another array if there is more to hide. */
  readonly forms: readonly Form[]
  /** The forms of a value, computed once for all redactors based on this one. */
  formsOf(value: string): readonly Form[]
}

/**
 * Values shorter than four characters stay visible: hiding them would hide ordinary text.
 * @param base a shared redactor; what it hides is hidden here too
 */
export function createRedactor(base?: Redactor): Redactor {
  const known = new Set<string>()
  let forms = base?.forms ?? []
  let find: Search = base?.find ?? createSearch([])
  const worked = new Map<string, readonly Form[]>()
  const work = (value: string) => {
    const found = worked.get(value) ?? formsOf(value)
    worked.set(value, found)
    return found
  }
  const redactor: Redactor = {
    // Steps pass the same values again and again.
    hide: values => {
      const fresh = [...values].filter(value => !known.has(value))
      if (fresh.length === 0) return
      for (const value of fresh) known.add(value)
      const all = new Map(
        [...forms, ...fresh.flatMap(redactor.formsOf)].map(form => [idOf(form), form]),
      )
      if (all.size === forms.length) return
      forms = [...all.values()]
      find = createSearch(forms)
    },
    redact: text => (forms.length === 0 ? text : withStars(text, find(text))),
    get find() {
      return find
    },
    get forms() {
      return forms
    },
    formsOf: base?.formsOf ?? work,
  }
  return redactor
}

const idOf = ({ text, exact = false }: Form) => `${exact} ${text}`

/** The lines of a longer value are searched for unchanged only: their forms would be tens of thousands. */
const longest = 65_536

/**
 * A value and each of its lines, because output is redacted line by line; and the value without blanks around it,
 * because the last lines of an output are trimmed. In all forms.
 */
function formsOf(value: string): Form[] {
  const lines = value.split(/\r\n|[\r\n\u2028\u2029]/)
  // A line with only a bracket is not worth hiding.
  const pieces = [...lines, value.trim()].filter(
    piece => piece !== value && piece.trim().length >= shortest,
  )
  const plain = (text: string): Form => ({ text })
  if (value.length > longest) return [plain(value), ...wholeForms(value), ...pieces.map(plain)]
  return [value, ...pieces]
    .filter(piece => piece.length >= shortest)
    .flatMap(piece => [plain(piece), ...encodedForms(piece)])
}

/**
 * A part of a text with stars in place of what was found in it. Where spans overlap, both are hidden.
 * @param from what is before belongs to what was shown already
 * @param to what is behind is not shown yet
 */
export function withStars(
  text: string,
  { spans }: Pick<Found, 'spans'>,
  from = 0,
  to = text.length,
): string {
  let result = ''
  let shown = from
  for (const [start, end] of joined(spans)) {
    if (end <= shown || start >= to) continue
    result += text.slice(shown, Math.max(shown, start)) + stars
    shown = end
  }
  return result + text.slice(shown, to)
}

/** Spans that overlap as one. */
function joined(spans: readonly Span[]): Span[] {
  const all: [number, number][] = []
  for (const [start, end] of spans) {
    const last = all.at(-1)
    if (last && start < last[1]) last[1] = Math.max(last[1], end)
    else all.push([start, end])
  }
  return all
}
