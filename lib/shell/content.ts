/**
 * Bytes as shell text. Single quotes carry every byte but NUL; those are printed by printf's octal
 * escape. Smaller than base64 for all but mostly-NUL data, and the host needs no decoder.
 */

/** Arguments of one call stay well below what any shell holds. */
const pieceLength = 65_536

/**
 * A shell function that prints exactly `bytes`, with the prelude's hw_put.
 * @param name of the function, letters, digits and underscores
 */
export function contentFunction(name: string, bytes: Buffer): Buffer {
  const lines: string[] = []
  let start = 0
  while (start < bytes.length) {
    let end = start
    if (bytes[start] === 0) {
      while (end < bytes.length && bytes[end] === 0) end++
      lines.push(`printf '${'\\0'.repeat(end - start)}'`)
    } else {
      const nul = bytes.indexOf(0, start)
      end = Math.min(nul < 0 ? bytes.length : nul, start + pieceLength)
      // latin1 is one character a byte, both ways.
      const text = bytes.toString('latin1', start, end).replaceAll("'", "'\\''")
      lines.push(`hw_put '${text}'`)
    }
    start = end
  }
  return Buffer.from(`${name}() {\n${lines.join('\n') || ':'}\n}\n`, 'latin1')
}
