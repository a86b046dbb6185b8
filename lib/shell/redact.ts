/**
 * Removes secrets from texts, in each form that a program may print: unchanged, quoted for a
 * shell, escaped as in JSON, in base64, or URL-encoded. Pure.
 */
import { stars } from './secret.ts'
import { encodedForms, shortest, wholeForms } from './secret-forms.ts'

export interface Redactor {
  /** From now on, redacted texts contain neither these values nor any line of a value with several lines. */
  hide(values: Iterable<string>): void
  redact(text: string): string
  /** Everything that is searched for, longest first. */
  readonly forms: readonly string[]
  /** The forms of a value, computed once for all redactors based on this one. */
  formsOf(value: string): readonly string[]
}

/**
 * Values shorter than four characters stay visible: hiding them would hide ordinary text.
 * @param base a shared redactor; what it hides is hidden here too
 */
export function createRedactor(base?: Redactor): Redactor {
  const known = new Set<string>()
  let forms = base?.forms ?? []
  const worked = new Map<string, readonly string[]>()
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
      const before = new Set(forms)
      const more = fresh.flatMap(redactor.formsOf).filter(form => !before.has(form))
      if (more.length === 0) return
      forms = [...new Set([...forms, ...more])].sort((a, b) => b.length - a.length)
    },
    redact: text => withoutForms(text, forms),
    get forms() {
      return forms
    },
    formsOf: base?.formsOf ?? work,
  }
  return redactor
}

/** The lines of a longer value are searched for unchanged only: their forms would be tens of thousands. */
const longest = 65_536

/**
 * A value and each of its lines, because output is redacted line by line; and the value without blanks around it,
 * because the last lines of an output are trimmed. In all forms.
 */
function formsOf(value: string): string[] {
  const lines = value.split(/\r\n|[\r\n\u2028\u2029]/)
  // A line with only a bracket is not worth hiding.
  const pieces = [...lines, value.trim()].filter(
    piece => piece !== value && piece.trim().length >= shortest,
  )
  if (value.length > longest) return [value, ...wholeForms(value), ...pieces]
  return [value, ...pieces]
    .filter(piece => piece.length >= shortest)
    .flatMap(piece => [piece, ...encodedForms(piece)])
}

/**
 * A text with stars in place of each form. All forms are searched for in the original text, so that none is
 * missed because another overlaps it.
 */
export function withoutForms(text: string, forms: readonly string[]): string {
  const found: (readonly [start: number, end: number])[] = []
  for (const form of forms) {
    for (let at = text.indexOf(form); at >= 0; at = text.indexOf(form, at + 1))
      found.push([at, at + form.length])
  }
  if (found.length === 0) return text
  found.sort(([a], [b]) => a - b)
  let result = ''
  let from = 0
  let [start, end] = found[0]!
  for (const [nextStart, nextEnd] of found) {
    if (nextStart >= end) {
      result += text.slice(from, start) + stars
      from = end
      start = nextStart
    }
    end = Math.max(end, nextEnd)
  }
  return result + text.slice(from, start) + stars + text.slice(end)
}
