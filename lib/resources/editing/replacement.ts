/** What comes in the place of a match: a text with groups, as JavaScript's `replace` takes it. */
import { groupNumbers, matcherProgram } from '../host-matcher.ts'
import { invalidOption } from '../resource.ts'
import { checkLine, patternRequest } from './edited-file.ts'

/**
 * Requests for a match, and what comes in its place: `$1`, `$<name>`, `$&` for all of it, `$$` for a dollar.
 * @throws {UsageError} recipe_invalid
 */
export function replacementRequests(
  title: string,
  { match, text, what }: { match: RegExp; text: string; what: string },
): string[] {
  if (/[\r\n]/.test(text)) throw invalidOption(title, `${what} contains a line break`)
  checkLine(title, what, text)
  const pattern = patternRequest(title, 'match', match)
  try {
    return [
      `M ${pattern}`,
      ...matcherProgram(match).map(each => `P ${each}`),
      ...partsOf(text, match).map(part => (typeof part === 'number' ? `G ${part}` : `L ${part}`)),
    ]
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw invalidOption(title, `${what}: ${error.message}`)
  }
}

/** Texts, and the numbers of groups. */
function partsOf(text: string, match: RegExp): (string | number)[] {
  const { count, named } = groupNumbers(match)
  const parts: (string | number)[] = []
  let from = 0
  for (const found of text.matchAll(/\$(?:([$&`'])|(\d{1,2})|<([^>]*)>)/g)) {
    const [all, sign, digits, name] = found
    parts.push(text.slice(from, found.index))
    from = found.index + all.length
    if (sign === '$') parts.push('$')
    else if (sign === '&') parts.push(0)
    else if (sign) throw new SyntaxError(`there is no ${all}`)
    else if (digits) {
      // Of two digits the second is text where there is no such group.
      const group = digits.length === 2 && Number(digits) > count ? digits[0]! : digits
      if (Number(group) < 1 || Number(group) > count)
        throw new SyntaxError(`there is no group ${all}; for a dollar write $$`)
      parts.push(Number(group), digits.slice(group.length))
    } else {
      const group = named.get(name!)
      if (group === undefined) throw new SyntaxError(`there is no group of the name ${name}`)
      parts.push(group)
    }
  }
  parts.push(text.slice(from))
  return parts.filter(part => part !== '')
}
