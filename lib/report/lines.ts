/** The output of a step in whole lines. Pure. */

export interface Lines {
  /** Takes the next bytes; returns those that can be shown. */
  push(chunk: Buffer, secrets: readonly string[]): Buffer
  /** Returns what is left. */
  rest(): Buffer
}

/** A line longer than this is passed on in parts. */
const longestLine = 65_536

/** How much of a line is held back at most, for a secret that may begin in it. */
const longestSecret = 1_048_576

/**
 * Whole lines of a stream, so that no secret or character is cut in two by a packet. A long line is passed
 * on in parts, which cut neither.
 */
export function createLines(): Lines {
  let held: Buffer = Buffer.alloc(0)
  const take = (length: number) => {
    const bytes = held.subarray(0, length)
    held = held.subarray(length)
    return bytes
  }
  return {
    push: (chunk: Buffer, secrets: readonly string[]) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const end = held.lastIndexOf(10) + 1
      return take(held.length - end > longestLine ? safeCut(held, secrets) : end)
    },
    rest: () => take(held.length),
  }
}

/** Where to cut a long line: before anything that may be part of a character or of a secret. */
function safeCut(bytes: Buffer, secrets: readonly string[]): number {
  const longest = Buffer.byteLength(secrets[0] ?? '')
  // A character has up to four bytes.
  let cut = bytes.length - Math.min(Math.max(longest, 4), longestSecret)
  if (cut <= 0) return 0
  for (const secret of secrets) {
    const length = Buffer.byteLength(secret)
    const from = Math.max(0, cut - length + 1)
    const at = length === 0 ? -1 : bytes.indexOf(secret, from)
    if (at >= 0 && at < cut) cut = at
  }
  // Bytes within a character are 10xxxxxx.
  while (cut > 0 && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut--
  return cut
}
