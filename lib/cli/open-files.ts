/** How many hosts at a time the files suffice for that this process may open. */
import { readdirSync, readFileSync } from 'node:fs'
import { BootstrapError, errorCodes } from '../errors.ts'

/** Files of this process. */
export interface OpenFiles {
  /** How many it may have open. */
  limit: number
  /** How many it has open. */
  open: number
}

/** Connections, streams of programs, agents: what the work on one host opens at most, but for recipes with many users. */
const perHost = 10

/** What is opened once: modules, the log, known_hosts, name services. */
const once = 20

/** What the work on a single host needs: with less, it is not begun. */
const fewest = 8

/** Undefined where the system does not say. */
export function readOpenFiles(): OpenFiles | undefined {
  try {
    // Not through lib/read-file.ts: files of /proc have no size.
    const [, limit] = /^Max open files +(\d+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))!
    return { limit: Number(limit), open: readdirSync('/proc/self/fd').length }
  } catch {
    return undefined
  }
}

/**
 * @param wanted hosts at a time, as far as options go
 * @returns how many at a time it can be, and a line about it if that is fewer
 * @throws {BootstrapError} out_of_files: not even one
 */
export function fitOpenFiles(
  wanted: number,
  files: OpenFiles | undefined = readOpenFiles(),
): { forks: number; warning?: string } {
  if (!files) return { forks: wanted }
  const room = files.limit - files.open
  if (room < once + fewest)
    throw new BootstrapError(
      'out_of_files',
      `this process may open only ${files.limit} files, too few to connect to a host`,
      { hint: errorCodes.out_of_files.next },
    )
  const forks = Math.max(1, Math.floor((room - once) / perHost))
  if (forks >= wanted) return { forks: wanted }
  const hosts = forks === 1 ? '1 host' : `${forks} hosts`
  return {
    forks,
    warning: `${hosts} at a time instead of ${wanted}: this process may open only ${files.limit} files (raise it: ulimit -n 4096)`,
  }
}
