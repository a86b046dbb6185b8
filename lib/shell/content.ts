/**
 * Bytes as shell text. Single quotes carry every byte but NUL; a piece that contains NUL is written with
 * printf's octal escapes, and its backslashes are doubled. This is smaller than base64 unless most bytes
 * are NUL, and the host needs no decoder.
 */
import { quote } from './quote.ts'

/**
 * Bytes of one call: well below the longest argument of any shell, and enough that a large file
 * needs few calls. (bash recurses into a function's list of commands: thousands crash it.)
 */
const pieceLength = 65_536

/**
 * A shell function that prints exactly `bytes`, with the prelude's hw_put and hw_bytes.
 * @param name of the function: letters, digits and underscores
 */
export function contentFunction(name: string, bytes: Buffer): Buffer {
  const lines: string[] = []
  for (let start = 0; start < bytes.length; start += pieceLength) {
    // latin1 is one character a byte, both ways.
    const text = bytes.toString('latin1', start, start + pieceLength)
    lines.push(text.includes('\0') ? `hw_bytes ${quote(escaped(text))}` : `hw_put ${quote(text)}`)
  }
  return Buffer.from(`${name}() {\n${lines.join('\n') || ':'}\n}\n`, 'latin1')
}

const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('\0', '\\0000')
