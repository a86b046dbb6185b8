/**
 * Values in Ansible’s INI format. Ansible parses each value as a Python literal if possible. hostwright keeps
 * strings, so only two effects remain: a quoted string loses its quotes and escapes, and a literal may be
 * followed by a comment (an unquoted word may not: `a # b` is all value).
 */

const comment = /[ \t]*(?:#.*)?$/.source
const number = /[-+]?(?:0x[\da-f]+|0o[0-7]+|0b[01]+|(?:0|[1-9]\d*|\d+\.\d*|\.\d+)(?:e[-+]?\d+)?)/i
  .source
const plainLiteral = new RegExp(`^(${number}|True|False|None)${comment}`)
const quoted =
  /^([uU]|[rR])?(?:"""((?:[^\\]|\\.)*?)"""|'''((?:[^\\]|\\.)*?)'''|"(?!"")((?:[^"\\]|\\.)*)"|'(?!'')((?:[^'\\]|\\.)*)')[ \t]*/

/**
 * The string that `value` stands for.
 * @example readValue('"a b"  # note') // 'a b'
 * @example readValue('0644') // '0644'
 */
export function readValue(value: string): string {
  const text = value.replace(/^[ \t]+/, '')
  const plain = plainLiteral.exec(text)
  // Unchanged if there is no comment: ' 5' stays as it is.
  if (plain) return text.includes('#') ? plain[1]! : value
  return readStrings(text) ?? value
}

/** Adjacent quoted strings, joined; undefined for any other text. */
function readStrings(text: string): string | undefined {
  let joined: string | undefined
  let rest = text
  for (let match = quoted.exec(rest); match; match = quoted.exec(rest)) {
    const [whole, prefix, ...bodies] = match
    const body = bodies.find(candidate => candidate !== undefined)!
    const part = /r/i.test(prefix ?? '') ? body : readEscapes(body)
    if (part === undefined) return undefined
    joined = (joined ?? '') + part
    rest = rest.slice(whole.length)
  }
  return rest === '' || rest.startsWith('#') ? joined : undefined
}

const simple: Record<string, string> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
}

const escapes =
  /\\(?:(?<octal>[0-7]{1,3})|x(?<x>[\da-fA-F]{2})|u(?<u>[\da-fA-F]{4})|U(?<U>[\da-fA-F]{8})|(?<other>.))/gs

/** Python’s escapes (Language Reference, 2.4.1) without `\N{…}`; undefined if one is malformed. */
function readEscapes(body: string): string | undefined {
  let text = ''
  let end = 0
  for (const match of body.matchAll(escapes)) {
    const { octal, x, u, U, other } = match.groups!
    const hex = x ?? u ?? U
    const code = octal ? Number.parseInt(octal, 8) : hex ? Number.parseInt(hex, 16) : undefined
    // x, u and U without digits are malformed.
    if ((code ?? 0) > 0x10ffff || (other && 'xuUN'.includes(other))) return undefined
    // An unknown escape keeps its backslash.
    const char = code === undefined ? (simple[other!] ?? match[0]) : String.fromCodePoint(code)
    text += body.slice(end, match.index) + char
    end = match.index + match[0].length
  }
  return text + body.slice(end)
}
