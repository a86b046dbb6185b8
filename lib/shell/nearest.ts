/** "Did you mean": names close to a mistyped one, and the error that says so. */
import { distance } from 'fastest-levenshtein'
import { UsageError } from '../errors.ts'

/** Most names in a suggestion: more than three is a list. */
const offered = 3

/** Most names that are listed in full when none is close. */
const listed = 12

/**
 * Up to three of `candidates` that the user may have meant by `name`, closest first: those with the
 * fewest edits, at most a third of the name's length (two for short names), and those where one name
 * begins with the other. Case is ignored; two swapped letters are one edit.
 *
 * @example nearest('wbe1', ['web1', 'web2', 'db1']) // ['web1']
 */
export function nearest(name: string, candidates: Iterable<string>): string[] {
  const wanted = name.toLowerCase()
  const limit = Math.max(2, Math.floor(wanted.length / 3))
  const measured = [...new Set(candidates)].map(candidate => {
    const other = candidate.toLowerCase()
    const edits = editsBetween(wanted, other)
    // Two edits turn any short name into any other: half of the name must remain.
    const similar = edits <= limit && edits * 2 <= Math.max(wanted.length, other.length)
    const abbreviated = wanted !== '' && (other.startsWith(wanted) || wanted.startsWith(other))
    return { candidate, edits, similar, abbreviated }
  })
  const least = Math.min(...measured.filter(found => found.similar).map(found => found.edits))
  return measured
    .filter(found => found.abbreviated || (found.similar && found.edits === least))
    .sort((a, b) => a.edits - b.edits)
    .slice(0, offered)
    .map(found => found.candidate)
}

/** Levenshtein distance, but one swap of neighbours, the most common typo, counts as one edit. */
function editsBetween(a: string, b: string): number {
  let edits = distance(a, b)
  for (let at = 0; at + 1 < a.length && edits > 1; at++) {
    const swapped = a.slice(0, at) + a[at + 1] + a[at] + a.slice(at + 2)
    edits = Math.min(edits, distance(swapped, b) + 1)
  }
  return edits
}

/**
 * The error for a name that does not exist: one line with the nearest names, or with all names
 * if none is near; the hint lists the names if the line does not.
 *
 * @param kind what it should have been, in the singular: `recipe`, `host or group`
 * @returns a UsageError with code `unknown_name`, to be thrown by the caller
 * @example throw unknownName('role', 'wbe', ['web', 'db'])
 * // unknown role 'wbe': did you mean web?
 */
export function unknownName(kind: string, name: string, candidates: Iterable<string>): UsageError {
  const names = [...new Set(candidates)]
  const near = nearest(name, names)
  const all = `known: ${enumerate(names)}`
  const rest = near.length > 0 ? `did you mean ${alternatives(near)}?` : all
  return new UsageError('unknown_name', `unknown ${kind} '${printable(name)}': ${rest}`, {
    hint: near.length > 0 ? capitalised(`${all}.`) : undefined,
  })
}

/** What stands behind a name that does not exist: the nearest names, or all; nothing if there are none. */
export function suggestion(name: string, candidates: Iterable<string>): string {
  const names = [...new Set(candidates)]
  const near = nearest(name, names)
  if (near.length > 0) return `: did you mean ${alternatives(near.map(printable))}?`
  return names.length === 0 ? '' : ` (known: ${printable(enumerate(names))})`
}

const capitalised = (text: string) => text.charAt(0).toUpperCase() + text.slice(1)

function alternatives(names: readonly string[]): string {
  return names.length === 1 ? names[0]! : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`
}

function enumerate(names: readonly string[]): string {
  if (names.length === 0) return 'none'
  const more = names.length - listed
  return more > 0 ? `${names.slice(0, listed).join(', ')} and ${more} more` : names.join(', ')
}

/** Text that is safe to show in one line: what a terminal would act on becomes `\u{…}`. */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, c => `\\u{${c.codePointAt(0)!.toString(16)}}`)
}
