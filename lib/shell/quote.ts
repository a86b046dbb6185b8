/**
 * Quoting. In every POSIX shell, single quotes keep every byte but NUL as it is; a single quote itself is
 * written outside of them. (POSIX.1-2017, Shell Command Language, 2.2.2.)
 */

const safe = /^[A-Za-z0-9_@%+:,./-]+$/

/**
 * One argument, quoted for any POSIX shell.
 * @throws {RangeError} a NUL character: no argument can hold one
 * @example quote("it's") // 'it'\''s'
 */
export function quote(value: string): string {
  if (safe.test(value)) return value
  if (value.includes('\0')) throw new RangeError('a shell argument can’t hold a NUL character')
  return `'${value.replaceAll("'", "'\\''")}'`
}

/** A command line of quoted arguments. */
export function quoteAll(values: readonly string[]): string {
  return values.map(quote).join(' ')
}

/** Characters that no login shell interprets outside of quotes; some interpret `%`, `@` and `~`. */
const safeAnywhere = /^[A-Za-z0-9_./,-]+$/

/**
 * A command line for any login shell, because sshd passes our command to it. Within single quotes
 * csh and tcsh replace `!` and fish interprets `\`; outside of them `\` before `!`, `\` and `'` means
 * the same to these and to every POSIX shell. (fish-doc(1), Quotes; tcsh(1), Lexical structure.)
 * @throws {RangeError} a NUL character or a line end, which csh refuses within quotes
 * @example quoteForLogin(['echo', "it's"]) // echo 'it'\''s'
 */
export function quoteForLogin(words: readonly string[]): string {
  return words.map(quoteWord).join(' ')
}

function quoteWord(word: string): string {
  if (safeAnywhere.test(word)) return word
  if (/[\0\n]/.test(word)) {
    throw new RangeError('a word for a login shell can’t hold a NUL character or a line end')
  }
  const pieces = word.split(/([!\\']+)/).map((piece, index) => {
    if (index % 2 === 1) return piece.replace(/./g, '\\$&')
    return piece === '' ? '' : `'${piece}'`
  })
  return pieces.join('') || "''"
}
