/** A directory of the controller, as it is to be on a host. */
import { lstat, readdir, readlink } from 'node:fs/promises'
import { join } from 'node:path'
import { StepError } from '../../../errors.ts'
import { type FileSource, fileSource } from '../../../session/content-source.ts'
import type { Excludes } from './exclude.ts'

/** `name` is below the directory: `css/site.css`. */
export type Entry =
  | { kind: 'directory'; name: string; mode: number }
  | { kind: 'file'; name: string; mode: number; source: FileSource; sha256: string }
  | { kind: 'link'; name: string; target: string }

export interface Modes {
  fileMode: number
  /** Of files that their owner may execute. */
  programMode: number
  directoryMode: number
}

/**
 * All of it but what is excluded, those above before those below. Of a file's own mode only counts whether
 * its owner may execute it: the rest is what the controller's umask made of it.
 * @throws {StepError} what can't be copied; a system error: what can't be read
 */
export async function scanTree(
  root: string,
  { excludes, fileMode, programMode, directoryMode }: Modes & { excludes: Excludes },
): Promise<Entry[]> {
  const entries: Entry[] = []
  const visit = async (directory: string) => {
    const names = await readdir(join(root, directory))
    for (const each of names.sort()) {
      const name = directory === '' ? each : `${directory}/${each}`
      if (excludes.has(name)) continue
      if (/[\0-\x1f\x7f]/.test(each))
        throw new StepError(`the name ${JSON.stringify(name)} holds control characters`)
      const path = join(root, name)
      const found = await lstat(path)
      if (found.isSymbolicLink()) {
        entries.push({ kind: 'link', name, target: await readlink(path) })
      } else if (found.isDirectory()) {
        entries.push({ kind: 'directory', name, mode: directoryMode })
        await visit(name)
      } else if (found.isFile()) {
        const source = fileSource(path)
        const mode = found.mode & 0o100 ? programMode : fileMode
        entries.push({ kind: 'file', name, mode, source, sha256: await source.sha256() })
      } else throw new StepError(`${path} is not a file, a directory or a link`)
    }
  }
  await visit('')
  return entries
}
