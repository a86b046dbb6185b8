import { readFileSync } from '../read-file.ts'

/** The text of a file; empty if it does not exist or we can’t read it, as what is not a file or has more bytes than `limit`. */
export function readIfThere(file: string, limit?: number): string {
  try {
    return readFileSync(file, { limit }).toString('utf8')
  } catch {
    return ''
  }
}
