import { readFileSync } from 'node:fs'

/** The text of a file; empty if it does not exist or we can’t read it. */
export function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
