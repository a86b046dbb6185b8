/** Words of a line that bash is editing, and what bash puts back in their place. Pure. */

/**
 * Splits a line as a shell does, up to its end, which may be in the middle of a word or of quotes. Nothing in it is
 * expanded or run.
 * @returns the words; the last is the one at the end, perhaps empty
 */
export function splitLine(line: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!
    if (char === '\\' && quote !== "'" && at + 1 < line.length) {
      word = (word ?? '') + line[++at]
    } else if (quote !== '') {
      if (char === quote) quote = ''
      else word = (word ?? '') + char
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else word = (word ?? '') + char
  }
  return [...words, word ?? '']
}

/**
 * bash replaces only what stands behind the last of its word breaks (`:` and `=` are among them), but in quotes the
 * whole word: so a candidate must be given without what is before that.
 * @param begun the word at the cursor
 * @param replaced the part that bash replaces, with a quote where the word begins with one
 */
export function inPlaceOf(replaced: string, begun: string, candidate: string): string {
  const part = replaced.replace(/^['"]/, '')
  return begun.endsWith(part) ? candidate.slice(begun.length - part.length) : candidate
}
