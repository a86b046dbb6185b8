/** The small files of a directory as one content: sent at once, taken apart on the host. */
import { StepError } from '../../../errors.ts'
import { type FileSource, hashPieces, type Source } from '../../../session/content-source.ts'

/** @param name for messages */
export function packOf(name: string, files: readonly FileSource[]): Source {
  const size = files.reduce((sum, file) => sum + file.size, 0)
  async function* read(from = 0) {
    let skip = from
    for (const file of files) {
      if (skip >= file.size) {
        skip -= file.size
        continue
      }
      const bytes = file.bytes()
      // The host takes it apart by these sizes.
      if (bytes.length !== file.size)
        throw new StepError(`${file.name} changed while it was being sent`)
      yield bytes.subarray(skip)
      skip = 0
    }
  }
  return { name, size, read, sha256: () => hashPieces(read()) }
}
