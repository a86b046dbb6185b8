/** Parses our own script text (script.ts, shell/content.ts), so that a trace can show it readably. Pure. */

export type ScriptPiece =
  /** A command, with all its lines if an argument or a here-document has several. */
  | { kind: 'line'; text: string }
  /** A function that prints content: `hw_content_3`. */
  | { kind: 'content'; name: string; bytes: Buffer }

/** @param script as a session writes it, without the prelude */
export function readScript(script: Buffer): ScriptPiece[] {
  // latin1 is one character a byte, both ways.
  const text = script.toString('latin1')
  const pieces: ScriptPiece[] = []
  let content: { name: string; bytes: Buffer[] } | undefined
  for (let at = 0; at < text.length; ) {
    const end = endOfCommand(text, at)
    const command = text.slice(at, end)
    at = end + 1
    const name = /^(hw_(?:content|input)_\d+)\(\) \{$/.exec(command)?.[1]
    if (name) content = { name, bytes: [] }
    else if (!content)
      pieces.push({ kind: 'line', text: Buffer.from(command, 'latin1').toString() })
    else if (command === '}') {
      pieces.push({ kind: 'content', name: content.name, bytes: Buffer.concat(content.bytes) })
      content = undefined
    } else if (command !== ':') content.bytes.push(printed(command))
  }
  return pieces
}

/** The offset of the newline that ends the command at `from`. */
function endOfCommand(text: string, from: number): number {
  let at = from
  for (; at < text.length && text[at] !== '\n'; at++) {
    if (text[at] === '\\') at++
    else if (text[at] === "'") at = endAt(text, text.indexOf("'", at + 1))
  }
  const word = /<<'(\w+)'$/.exec(text.slice(from, at).slice(-200))?.[1]
  if (word === undefined) return Math.min(at, text.length)
  return endAt(text, text.indexOf(`\n${word}\n`, at) + word.length + 1, at)
}

/** The offset that was found, or the end of the text. */
const endAt = (text: string, found: number, from = 0) =>
  found < from || found < 0 ? text.length : found

/** What `hw_put 'text'` or `hw_bytes 'text'` prints. */
function printed(command: string): Buffer {
  const [, name, word = ''] = /^(\w+) (.*)$/s.exec(command) ?? []
  const text = word.startsWith("'") ? word.slice(1, -1).replaceAll("'\\''", "'") : word
  return Buffer.from(name === 'hw_bytes' ? unescaped(text) : text, 'latin1')
}

const unescaped = (text: string) =>
  text.replace(/\\(?:0([0-7]{3})|\\)/g, (_, octal?: string) =>
    octal ? String.fromCharCode(Number.parseInt(octal, 8)) : '\\',
  )
