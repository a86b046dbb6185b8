/** Files on the controller that only their user may read: logs, journals, callbacks that wait. */
import { closeSync, constants, fchmodSync, fstatSync, lstatSync, openSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join } from 'node:path'
import { makeDirectory } from './make-directory.ts'

/** Where hostwright keeps what outlives a run. XDG Base Directory Specification: a relative path is ignored. */
export function stateDirectory(env: Readonly<Record<string, string | undefined>>): string {
  const state = env.XDG_STATE_HOME ?? ''
  const base = isAbsolute(state) ? state : join(env.HOME || homedir(), '.local', 'state')
  return join(base, 'hostwright')
}

/** The directory of logs and journals. */
export const runsDirectory = (env: Readonly<Record<string, string | undefined>>): string =>
  join(stateDirectory(env), 'runs')

/** The directory of callbacks that wait. */
export const callbacksDirectory = (env: Readonly<Record<string, string | undefined>>): string =>
  join(stateDirectory(env), 'callbacks')

/**
 * Creates a private directory; neither it nor its parent may be a link, which somebody else may have created.
 * @throws {Error} one of them is not a directory, or another user's
 */
export function makePrivateDirectory(path: string): void {
  makeDirectory(path, 0o700)
  for (const each of [dirname(path), path]) {
    const found = lstatSync(each)
    if (!found.isDirectory()) throw new Error(`${each} is not a directory`)
    if (!isOurs(found)) throw new Error(`${each} belongs to another user`)
    if ((found.mode & 0o077) === 0) continue
    const handle = openSync(each, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    try {
      fchmodSync(handle, 0o700)
    } finally {
      closeSync(handle)
    }
  }
}

/** How a private file is opened: to append to it, to write at places of one's own, or only to read. */
export type PrivateFlags = { write: 'append' | 'anywhere' | 'never'; fresh?: boolean }

/**
 * Opens a private file; never through a link, and never one that is another user's.
 * @returns its descriptor
 */
export function openPrivateFile(path: string, { write, fresh = false }: PrivateFlags): number {
  const { O_RDONLY, O_WRONLY, O_CREAT, O_APPEND, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants
  const how = {
    append: O_WRONLY | O_CREAT | O_APPEND,
    anywhere: O_WRONLY | O_CREAT,
    never: O_RDONLY,
  }[write]
  // Opening a pipe without a reader would block.
  const handle = openSync(path, how | O_NOFOLLOW | O_NONBLOCK | (fresh ? O_EXCL : 0), 0o600)
  try {
    const found = fstatSync(handle)
    if (!found.isFile()) throw new Error(`${path} is not a file`)
    if (!isOurs(found)) throw new Error(`${path} belongs to another user`)
    // With --log, the file may already exist.
    if (write !== 'never' && (found.mode & 0o077) !== 0) fchmodSync(handle, 0o600)
  } catch (error) {
    closeSync(handle)
    throw error
  }
  return handle
}

const isOurs = ({ uid }: { uid: number }) => uid === (process.geteuid?.() ?? uid)
