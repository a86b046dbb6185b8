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
