import { readFileSync } from 'node:fs'

/** The text of a file; empty where it is not there, or not for us to read. */
export function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
