/** A private directory of this process, for sockets and programs that another program must find. */
import { closeSync, constants, existsSync, mkdtempSync, openSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { UnreachableError } from '../../errors.ts'
import { atExit } from './exit.ts'

export interface PrivateDirectory {
  /**
   * A short path for a name in it, for processes of our user. On Linux it goes through this process’s entry
   * in /proc: once we are gone, however that happens, nobody can find or create anything there.
   */
  at(name: string): string
  /** Removes it. Idempotent; happens automatically when this process exits. */
  remove(): void
}

/** The maximum length of a socket path: 104 bytes with the final NUL on BSD and macOS, 108 on Linux. */
const socketBytes = 103

/** ssh’s temporary suffix for the name of its socket: a dot and 16 letters (mux.c). */
const suffixBytes = 17

/** @throws {UnreachableError} connect_failed: it can’t be created */
export function makePrivateDirectory(env: NodeJS.ProcessEnv = process.env): PrivateDirectory {
  const bases = [env.XDG_RUNTIME_DIR, tmpdir(), '/tmp'].filter(base => base && existsSync(base))
  let problem: unknown
  for (const base of bases) {
    try {
      return open(mkdtempSync(join(base!, 'hostwright-ssh-')))
    } catch (error) {
      problem = error
    }
  }
  const reason =
    problem instanceof Error ? problem.message : 'no directory is set for runtime files'
  throw new UnreachableError('connect_failed', `can’t create a directory for ssh: ${reason}`, {
    cause: problem,
    hint: 'Check $XDG_RUNTIME_DIR and $TMPDIR: they must exist, be writable, and not be too long.',
  })
}

function open(path: string): PrivateDirectory {
  let handle: number | undefined = openSync(path, constants.O_RDONLY | constants.O_DIRECTORY)
  const remove = () => {
    if (handle === undefined) return
    closeSync(handle)
    handle = undefined
    rmSync(path, { recursive: true, force: true })
    takeBack()
  }
  const takeBack = atExit(remove)
  const ours = `/proc/${process.pid}/fd/${handle}`
  const short = existsSync(`${ours}/.`) ? ours : path
  if (Buffer.byteLength(short) + 2 + suffixBytes > socketBytes) {
    remove()
    throw new Error(`${path} is too long for a socket path`)
  }
  return { at: name => `${short}/${name}`, remove }
}
