/**
 * Reads the frames of one stream of a session. The host's shell writes markers between the outputs
 * of steps: nonce, words, newline. Everything else is output, byte for byte, even if its last line has
 * no newline before a marker. Pure: bytes in, frames out.
 */

export type Frame = { kind: 'output'; chunk: Buffer } | { kind: 'mark'; words: string[] }

export interface FrameReader {
  /** Takes the next bytes of the stream, in chunks of any size; returns the complete frames. */
  push(chunk: Buffer): Frame[]
}

/** A marker line is short. A longer one is not ours, and must not fill the memory. */
const longestMarker = 65_536

/**
 * @param nonce the session's word, of letters and digits
 * @throws {RangeError} from push: a marker without an end
 */
export function createFrameReader(nonce: string): FrameReader {
  const opening = Buffer.from(`${nonce} `)
  let held: Buffer = Buffer.alloc(0)

  return {
    push(chunk) {
      const frames: Frame[] = []
      let bytes = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      for (;;) {
        const start = bytes.indexOf(opening)
        if (start < 0) break
        const end = bytes.indexOf(10, start + opening.length)
        if (start > 0) frames.push({ kind: 'output', chunk: bytes.subarray(0, start) })
        if ((end < 0 ? bytes.length : end) - start > longestMarker) {
          throw new RangeError('a marker line without an end')
        }
        if (end < 0) {
          held = bytes.subarray(start)
          return frames
        }
        const words = bytes.toString('utf8', start + opening.length, end).split(' ')
        frames.push({ kind: 'mark', words })
        bytes = bytes.subarray(end + 1)
      }
      const keep = overlap(bytes, opening)
      if (bytes.length > keep) {
        frames.push({ kind: 'output', chunk: bytes.subarray(0, bytes.length - keep) })
      }
      held = bytes.subarray(bytes.length - keep)
      return frames
    },
  }
}

/** How many of the last bytes could be the start of `opening`. */
function overlap(bytes: Buffer, opening: Buffer): number {
  const longest = Math.min(bytes.length, opening.length - 1)
  for (let length = longest; length > 0; length--) {
    if (bytes.subarray(bytes.length - length).equals(opening.subarray(0, length))) return length
  }
  return 0
}
