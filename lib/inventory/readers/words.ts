import type { Fail } from '../fault.ts'

/**
 * Splits a host line into words as a POSIX shell does, with the rules of Python’s `shlex.split(line,
 * comments=True)`, which Ansible uses: single quotes keep everything, double quotes keep everything but `\"`
 * and `\\`, a backslash outside quotes keeps the next character, and an unquoted `#` starts a comment even
 * inside a word.
 *
 * @example splitWords(`web1 motd="it's up" # old`, fail) // ['web1', "motd=it's up"]
 */
export function splitWords(line: string, fail: Fail): string[] {
  const words: string[] = []
  let word: string | undefined
  let quote = ''
  for (let at = 0; at < line.length; at++) {
    const char = line[at]!
    if (quote !== '') {
      if (char === quote) {
        quote = ''
        continue
      }
      const next = line[at + 1]
      if (char === '\\' && quote === '"' && (next === '"' || next === '\\')) at++
      word += line[at]!
    } else if (/[ \t\r\n]/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
    } else if (char === '#') {
      break
    } else if (char === '"' || char === "'") {
      quote = char
      word ??= ''
    } else if (char === '\\') {
      at++
      if (at === line.length) fail('the line ends in a backslash', 'Write \\\\ for a backslash.')
      word = (word ?? '') + line[at]!
    } else {
      word = (word ?? '') + char
    }
  }
  if (quote !== '') {
    fail(`unclosed ${quote}`, 'Put a value that contains a quote in the other kind of quotes.')
  }
  if (word !== undefined) words.push(word)
  return words
}
