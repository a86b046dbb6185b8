/** The ways that programs encode a value. Pure. */

/** Hiding shorter forms would hide ordinary text. */
export const shortest = 4

/** The value as shells, JSON, base64 and URLs write it, without the unchanged value. */
export const encodedForms = (value: string): string[] =>
  others(value, [...wholeForms(value), ...base64Lines(value)])

/** The same, except for base64 in lines. */
export const wholeForms = (value: string): string[] =>
  others(value, [
    ...shellForms(value),
    ...jsonForms(value),
    ...base64Forms(value),
    ...urlForms(value),
    ...nestedForms(value),
    ...dataForms(value),
  ])

const others = (value: string, forms: readonly string[]) =>
  [...new Set(forms)].filter(form => form !== value && form.length >= shortest)

/** The text within quotes, and words quoted with backslashes. */
function shellForms(value: string): string[] {
  const escapes: Record<string, string> = {
    '\\': '\\\\',
    "'": "\\'",
    '\n': '\\n',
    '\r': '\\r',
    '\t': '\\t',
  }
  const escaped = (pattern: RegExp) => value.replace(pattern, char => escapes[char] ?? char)
  const octal = (text: string) =>
    text.replace(/[\u0080-\uffff]+/g, chars =>
      [...Buffer.from(chars)].map(byte => `\\${byte.toString(8)}`).join(''),
    )
  return [
    // 'it'\''s', 'it'"'"'s', and "it's"
    value.replaceAll("'", "'\\''"),
    value.replaceAll("'", `'"'"'`),
    value.replace(/[\\"$`]/g, '\\$&'),
    // it\'s, as bash's %q writes it, then as others do
    value.replace(/[ \t'"\\|&;()<>!{}*[\]?^$`,]/g, '\\$&'),
    value.replace(/[^\w@%+=:,./\-\u0080-\uffff]/g, '\\$&'),
    // $'it\'s', 'a'$'\n''b', and the literals of many languages
    escaped(/[\\'\n\r\t]/g),
    octal(escaped(/[\\'\n\r\t]/g)),
    escaped(/[\\\n\r\t]/g),
    value.replaceAll("'", "'\\''").replaceAll('\n', "'$'\\n''"),
  ]
}

/** The text within the quotes: JSON may escape more than it must. */
function jsonForms(value: string): string[] {
  const text = JSON.stringify(value).slice(1, -1)
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  const ascii = text.replace(/[\u0080-\uffff]/g, escaped)
  const upper = ascii.replace(/\\u[0-9a-f]{4}/g, code => `\\u${code.slice(2).toUpperCase()}`)
  const all = [text, ascii, upper]
  return [
    ...all,
    // As PHP writes it, then as Go does.
    ...all.map(each => each.replaceAll('/', '\\/')),
    ...all.map(each => each.replace(/[<>&]/g, escaped)),
  ]
}

/** JSON within JSON; quotes doubled, as in SQL, YAML and CSV; and the entities of XML and HTML. */
function nestedForms(value: string): string[] {
  const inner = JSON.stringify(value).slice(1, -1)
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' }
  const marked = value.replace(/[&<>]/g, char => entities[char]!)
  const quoted = marked.replaceAll('"', '&quot;')
  return [
    JSON.stringify(inner).slice(1, -1),
    value.replaceAll("'", "''"),
    value.replaceAll('"', '""'),
    marked,
    quoted,
    ...['&apos;', '&#39;', '&#x27;', '&#039;'].map(each => quoted.replaceAll("'", each)),
  ]
}

const base32Digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Hexadecimal in both cases, and base32 (RFC 4648) of the value by itself or with a newline, without padding. */
function dataForms(value: string): string[] {
  const hex = Buffer.from(value).toString('hex')
  return [hex, hex.toUpperCase(), base32(value), base32(`${value}\n`)]
}

function base32(text: string): string {
  let [held, bits, result] = [0, 0, '']
  for (const byte of Buffer.from(text)) {
    held = ((held << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) result += base32Digits[(held >> (bits - 5)) & 31]
  }
  return bits > 0 ? result + base32Digits[(held << (5 - bits)) & 31] : result
}

/**
 * The base64 characters that depend on the value alone, wherever it begins in a longer text: base64 turns
 * three bytes into four characters, so there are three alignments. With and without padding, in case the
 * text ends with the value.
 */
function base64Forms(value: string): string[] {
  const bytes = Buffer.from(value)
  const forms = [0, 1, 2].flatMap(before => {
    const text = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64')
    // A character is six bits: leave out those that share bits with the text before or after the value.
    const from = before === 0 ? 0 : before + 1
    const to = Math.floor(((before + bytes.length) * 8) / 6)
    return [text.slice(from), text.slice(from).replace(/=+$/, ''), text.slice(from, to)]
  })
  return [...forms, ...forms.map(each => each.replaceAll('+', '-').replaceAll('/', '_'))]
}

/** The lines of base64 as openssl (64) and others (76) wrap it, if there are several. */
function base64Lines(value: string): string[] {
  return ['', '\n'].flatMap(end => {
    const text = Buffer.from(value + end).toString('base64')
    return [64, 76].flatMap(width => linesOf(text, width))
  })
}

/** Empty if all fits one line. A last line of a few characters is left out: it would hide ordinary text. */
const linesOf = (text: string, width: number): string[] =>
  text.length <= width
    ? []
    : (text.match(new RegExp(`.{1,${width}}`, 'g')) ?? []).filter(line => line.length >= 8)

/** Programs differ in which characters they encode, in the case of digits, and in spaces. */
function urlForms(value: string): string[] {
  const encode = (others: RegExp) =>
    value.replace(others, char =>
      [...Buffer.from(char)]
        .map(byte => `%${byte.toString(16).padStart(2, '0').toUpperCase()}`)
        .join(''),
    )
  const all = [
    // curl, jq; Python's quote; encodeURIComponent; forms as in browsers, and in PHP; encodeURI
    encode(/[^\w.~-]/gu),
    encode(/[^\w.~/-]/gu),
    encode(/[^\w.~!'()*-]/gu),
    encode(/[^\w.*-]/gu),
    encode(/[^\w.-]/gu),
    encode(/[^\w.~!'()*;/?:@&=+$,#-]/gu),
  ]
  const spaces = [...all, ...all.map(each => each.replaceAll('%20', '+'))]
  return [...spaces, ...spaces.map(each => each.replace(/%[0-9A-F]{2}/g, hex => hex.toLowerCase()))]
}
