/** Processes that a process has started, and those that they have (Linux). */
import { readdirSync, readFileSync } from 'node:fs'

/** What a file of /proc holds; nothing if its process has ended. */
export const readProc = (path: string): string => {
  try {
    return readFileSync(`/proc/${path}`, 'latin1')
  } catch {
    return ''
  }
}

/**
 * Sends a signal.
 * @param pid anything but the id of a process, as of an empty file, is none: 0 would be our own group
 * @returns whether there was such a process: one that was seen a moment ago may have ended since
 */
export function kill(pid: number, signal: NodeJS.Signals = 'SIGKILL'): boolean {
  try {
    return pid > 0 && process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
    return false
  }
}

/** @returns their pids, parents before their children */
export function descendantsOf(pid: number): number[] {
  const parents: [pid: number, parent: number][] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = readProc(`${name}/stat`)
    parents.push([Number(name), Number(/^\d+ \(.*\) \S (\d+)/s.exec(stat)?.[1])])
  }
  const below = (of: number): number[] =>
    parents.flatMap(([each, parent]) => (parent === of ? [each, ...below(each)] : []))
  return below(pid)
}
