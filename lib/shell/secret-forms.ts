/** The ways that programs encode a value. Pure. */
import type { Form } from './search.ts'

/** Hiding shorter forms would hide ordinary text. */
export const shortest = 4

/** The value as shells, JSON, base64 and URLs write it, without the unchanged value. */
export const encodedForms = (value: string): Form[] => [
  ...wholeForms(value),
  ...others(value, base64Lines(value)).map(text => ({ text, exact: true })),
]

/** The same, except for base64 in lines. */
export const wholeForms = (value: string): Form[] => [
  ...others(value, [
    ...shellForms(value),
    ...jsonForms(value),
    ...urlForms(value),
    ...nestedForms(value),
    ...base32Forms(value),
  ]).map(text => ({ text })),
  ...others(value, base64Forms(value)).map(text => ({ text, exact: true })),
  ...others(value, hexForms(value)).map(text => ({ text, spaced: true })),
]

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
    // By a function, as $' in a replacement would be the rest of the text.
    value.replaceAll("'", "'\\''").replaceAll('\n', () => "'$'\\n''"),
  ]
}

/** The text within the quotes: JSON may escape more than it must. */
function jsonForms(value: string): string[] {
  const text = JSON.stringify(value).slice(1, -1)
  const escaped = (char: string) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  const all = [text, text.replace(/[\u0080-\uffff]/g, escaped)]
  return [
    ...all,
    // As PHP writes it, then as Go does.
    ...all.map(each => each.replaceAll('/', '\\/')),
    ...all.map(each => each.replace(/[<>&]/g, escaped)),
  ]
}

/** JSON within JSON; quotes doubled, as in SQL, YAML and CSV. Entities of XML are decoded as they are found. */
function nestedForms(value: string): string[] {
  return [
    ...jsonForms(value).flatMap(jsonForms),
    value.replaceAll("'", "''"),
    value.replaceAll('"', '""'),
  ]
}

/** As it is; as certificates show it; and as literals of languages have it. Dumps put blanks between the bytes. */
function hexForms(value: string): string[] {
  const bytes = [...Buffer.from(value)].map(byte => byte.toString(16).padStart(2, '0'))
  return [bytes.join(''), bytes.join(':'), bytes.map(byte => `\\x${byte}`).join('')]
}

const base32Digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** Base32 (RFC 4648) without padding. */
function base32(bytes: Buffer): string {
  let [held, bits, result] = [0, 0, '']
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xfff
    for (bits += 8; bits >= 5; bits -= 5) result += base32Digits[(held >> (bits - 5)) & 31]
  }
  return bits > 0 ? result + base32Digits[(held << (5 - bits)) & 31] : result
}

/** At each of its five alignments, and with the newline behind it that `echo` adds. */
const base32Forms = (value: string): string[] => [
  ...alignedForms(value, 5, 5, base32),
  ...alignedForms(`${value}\n`, 5, 1, base32),
]

/** Base64, standard and for URLs, at each of its three alignments. */
const base64Forms = (value: string): string[] => [
  ...alignedForms(value, 6, 3, bytes => bytes.toString('base64')),
  ...alignedForms(value, 6, 3, bytes => bytes.toString('base64url')),
]

/**
 * The characters that depend on the value alone, wherever it begins in a longer text: base64 turns three bytes into
 * four characters, so there are three alignments; base32 five into eight. With and without what follows, in case the
 * text ends with the value.
 */
function alignedForms(
  value: string,
  bits: number,
  alignments: number,
  encode: (bytes: Buffer) => string,
): string[] {
  const bytes = Buffer.from(value)
  return Array.from({ length: alignments }, (_, before) => {
    const text = encode(Buffer.concat([Buffer.alloc(before), bytes]))
    // Leave out the characters that share bits with the text before or after the value.
    const from = Math.ceil((before * 8) / bits)
    const to = Math.floor(((before + bytes.length) * 8) / bits)
    return [text.slice(from), text.slice(from).replace(/=+$/, ''), text.slice(from, to)]
  }).flat()
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

/** Programs differ in which characters they encode, and in spaces. */
function urlForms(value: string): string[] {
  const encode = (others: RegExp) =>
    value.replace(others, char =>
      [...Buffer.from(char)].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join(''),
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
  return [...all, ...all.map(each => each.replaceAll('%20', '+'))]
}
