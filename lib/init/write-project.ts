/** Writes a new project: all of it, or nothing. */
import { existsSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { UsageError } from '../errors.ts'
import { makeDirectory } from '../make-directory.ts'
import type { NewFile } from './project-files.ts'

/**
 * Refuses a directory in which a file of the project is there already.
 * @param paths relative to the directory
 * @throws {UsageError} usage
 */
export function refuseOthers(directory: string, paths: readonly string[]): void {
  const there = paths.filter(path => existsSync(join(directory, path)))
  if (there.length === 0) return
  throw new UsageError('usage', `${directory} already has ${there.join(', ')}`, {
    at: directory,
    hint: 'Nothing was written. Name a new directory, or move these away.',
  })
}

/** Never replaces a file, also not one that appears meanwhile. */
export function writeFiles(directory: string, files: readonly NewFile[]): void {
  for (const { path, text } of files) {
    const file = join(directory, path)
    makeDirectory(dirname(file))
    writeFileSync(file, text, { flag: 'wx' })
  }
}
