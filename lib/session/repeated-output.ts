/** Output of a call that is sent again, because its connection was lost: what has been passed on is left out. Pure. */
import { createHash, type Hash } from 'node:crypto'

type Stream = 'stdout' | 'stderr'

export interface RepeatedOutput {
  /** Takes what comes, and passes on what is new. */
  output(stream: Stream, chunk: Buffer): void
  /** From now on all of it comes once more. */
  again(): void
  /** Whether what came once more was the same, as far as it had been passed on. */
  readonly same: boolean
}

/**
 * @param pass gets each byte once
 * @param compare whether it may be another when it comes once more: then nothing is passed on
 */
export function createRepeatedOutput(
  pass: (stream: Stream, chunk: Buffer) => void,
  compare = false,
): RepeatedOutput {
  const passed = { stdout: 0, stderr: 0 }
  let left = { stdout: 0, stderr: 0 }
  const known = compare ? hashes() : undefined
  let anew: Record<Stream, Hash> | undefined
  let differs = false
  const digest = (hash: Hash) => hash.copy().digest('hex')
  return {
    output: (stream, chunk) => {
      const before = Math.min(left[stream], chunk.length)
      left[stream] -= before
      anew?.[stream].update(chunk.subarray(0, before))
      if (before > 0 && left[stream] === 0 && known && anew)
        differs ||= digest(known[stream]) !== digest(anew[stream])
      const rest = chunk.subarray(before)
      if (rest.length === 0 || differs) return
      passed[stream] += rest.length
      known?.[stream].update(rest)
      pass(stream, rest)
    },
    again: () => {
      left = { ...passed }
      anew = known && hashes()
    },
    get same() {
      return !differs && left.stdout === 0 && left.stderr === 0
    },
  }
}

const hashes = (): Record<Stream, Hash> => ({
  stdout: createHash('sha256'),
  stderr: createHash('sha256'),
})
