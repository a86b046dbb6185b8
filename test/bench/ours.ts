/** hostwright as it is installed: the built command, a process of its own. */
import { fileURLToPath } from 'node:url'
import { type Cost, measure } from './measure.ts'
import type { Hosts } from './place.ts'

export const cli = fileURLToPath(new URL('../../dist/lib/cli/main.js', import.meta.url))
const project = fileURLToPath(new URL('.', import.meta.url))

export interface Run extends Cost {
  /** Steps that changed something, on all hosts. */
  changed: number
  steps: number
  /** Of the host that had most. */
  roundTrips: number
}

interface HostEnd {
  type: string
  roundTrips: number
  counts: { ok: number; changed: number; failed: number; skipped: number }
}

/** Runs a recipe of this folder on all of the hosts at once. */
export async function run(
  { inventory, hosts }: Hosts,
  recipe: string,
  ...args: (string | number)[]
): Promise<Run> {
  const where = ['--on', 'all', '-i', inventory, '--forks', String(hosts.length)]
  const words = [cli, recipe, ...args.map(String), ...where, '--output', 'json']
  const { stdout, ...cost } = await measure(process.execPath, words, { cwd: project })
  const ends = stdout
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as HostEnd)
    .filter(({ type }) => type === 'host.end')
  const sum = (of: (end: HostEnd) => number) => ends.reduce((total, end) => total + of(end), 0)
  return {
    ...cost,
    changed: sum(({ counts }) => counts.changed),
    steps: sum(({ counts }) => counts.ok + counts.changed),
    roundTrips: Math.max(...ends.map(end => end.roundTrips)),
  }
}

/** The same, and it must change nothing. */
export async function unchanged(...words: Parameters<typeof run>): Promise<Run> {
  const result = await run(...words)
  if (result.changed > 0) throw new Error(`${result.changed} steps changed in an unchanged run`)
  return result
}

/** The same, and it must change everything. */
export async function allChanged(...words: Parameters<typeof run>): Promise<Run> {
  const result = await run(...words)
  if (result.changed < result.steps)
    throw new Error(`only ${result.changed} of ${result.steps} steps changed`)
  return result
}
