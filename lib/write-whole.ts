/** Files on the controller that are there whole or not at all. */
import { closeSync, fsyncSync, renameSync, rmSync, writeFileSync } from 'node:fs'

/**
 * Writes a file beside its place, and gives it its name when all of it is on the disk: readers find the old one or the
 * new one.
 * @param temporary where it is until then, in the same file system
 * @param create makes that file, and opens it
 * @throws {Error} it can't be written; then nothing is left of it
 */
export function writeWhole(
  path: string,
  temporary: string,
  create: (temporary: string) => number,
  text: string,
): void {
  const handle = create(temporary)
  try {
    try {
      writeFileSync(handle, text)
      fsyncSync(handle)
    } finally {
      closeSync(handle)
    }
    renameSync(temporary, path)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}
