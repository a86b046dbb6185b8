/** Directories on the controller. */
import { mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'

/**
 * Creates a directory and the parents it lacks, one by one. Node's `recursive` never returns where a parent can't
 * be found even after it was asked for, as below /proc: the process then loops and no signal ends it.
 * @param mode of each directory that is created
 * @returns false if it exists
 * @throws a system error: it can't be created
 * @throws {Error} something in its path is not a directory
 */
export function makeDirectory(path: string, mode = 0o777): boolean {
  if (isDirectory(path)) return false
  const parent = dirname(path)
  if (parent !== path) makeDirectory(parent, mode)
  try {
    mkdirSync(path, { mode })
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    // Another process was faster.
    if (isDirectory(path)) return false
    throw new Error(`${path} is not a directory`, { cause: error })
  }
}

/** What can't be looked at, mkdir itself says more about. */
function isDirectory(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}
