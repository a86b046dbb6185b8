/** Processes that a process has started, and those that they have (Linux). */
import { readdir, readFile } from 'node:fs/promises'

/** @returns their pids, parents before their children */
export async function descendantsOf(pid: number): Promise<number[]> {
  const parents: [pid: number, parent: number][] = []
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const stat = await readFile(`/proc/${name}/stat`, 'utf8').catch(() => '')
    parents.push([Number(name), Number(/^\d+ \(.*\) \S (\d+)/s.exec(stat)?.[1])])
  }
  const below = (of: number): number[] =>
    parents.flatMap(([each, parent]) => (parent === of ? [each, ...below(each)] : []))
  return below(pid)
}
