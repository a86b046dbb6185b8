/** The last bytes of a stream, however long it is. */
export interface Tail {
  push(chunk: Buffer): void
  /** The last `limit` bytes of all that was pushed. */
  bytes(): Buffer
}

/** @param limit bytes; `Infinity` keeps all */
export function createTail(limit: number): Tail {
  let chunks: Buffer[] = []
  let length = 0
  const bytes = () => {
    const all = Buffer.concat(chunks)
    return all.length > limit ? all.subarray(-limit) : all
  }
  return {
    push: chunk => {
      chunks.push(chunk)
      length += chunk.length
      // Not at each chunk, so that each byte is copied about once.
      if (length < 2 * limit) return
      // A copy, because a slice would keep the whole buffer in memory.
      chunks = [Buffer.from(bytes())]
      length = limit
    },
    bytes,
  }
}
