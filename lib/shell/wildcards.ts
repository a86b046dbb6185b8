/** Globs as regular expressions that never backtrack over more than one `*`. Pure. */

/**
 * An expression for whole texts. With `.*` for each star, `*a*a*a*a*b` would try every way to divide a text among them:
 * hours for a host’s name. The shortest text for a star is always good enough, and a lookahead is not entered again
 * once it has matched. (As fnmatch of Python’s standard library.)
 * @param pieces what is between the stars: each an expression that matches texts of one length, without groups
 * @param flags besides `s`: a star stands for line breaks too
 * @example
 * wildcards(['web', '', 'eu'], '').test('web12.eu') // true: web**eu
 */
export function wildcards(pieces: readonly string[], flags: string): RegExp {
  const [first = '', ...others] = pieces
  if (others.length === 0) return new RegExp(`^${first}$`, `s${flags}`)
  const last = others.pop()!
  const between = others
    .filter(piece => piece !== '')
    .map((piece, index) => `(?=(?<p${index}>.*?${piece}))\\k<p${index}>`)
  return new RegExp(`^${first}${between.join('')}.*${last}$`, `s${flags}`)
}
