/** The cost of a command beyond its own processor time: that of the whole machine, and memory (Linux). */
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { parseStat } from '../../lib/lab/processes.ts'

const readOr = (file: string) => {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    // It has ended, or this is not Linux.
    return ''
  }
}

/** proc(5): times are in hundredths of a second on all machines that Linux runs on today. */
const msPerTick = 10

/**
 * How long the processors of this machine have worked, in milliseconds.
 * @returns undefined: not available
 */
export function busyMs(): number | undefined {
  const words = readOr('/proc/stat').split('\n')[0]!.trim().split(/\s+/)
  if (words[0] !== 'cpu') return undefined
  const [user, nice, system, , , interrupts, softInterrupts] = words.slice(1).map(Number)
  return (user! + nice! + system! + interrupts! + softInterrupts!) * msPerTick
}

/** How often memory is looked at. */
const intervalMs = 50

/**
 * Runs a command, and looks at the memory of it and of all that it starts: what each has for itself, and
 * once what the largest of them shares with others, which is mostly programs and libraries.
 * @returns mebibytes of all together, the most there were; undefined: nobody says
 * @throws if it fails
 */
export async function peakMemory(
  [program, ...args]: readonly [string, ...string[]],
  { cwd }: { cwd: string },
): Promise<number | undefined> {
  const child = spawn(program, args, { cwd, stdio: 'ignore' })
  let status: number | null | undefined
  child.on('close', code => {
    status = code ?? 1
  })
  // Also those whose parent has ended.
  const ours = new Set([child.pid!])
  let peak = 0
  while (status === undefined) {
    peak = Math.max(peak, look(ours))
    await delay(intervalMs)
  }
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: exit status ${status}`)
  return peak > 0 ? peak / 1024 : undefined
}

/** Adds children to the processes. @returns kibibytes that all of them use together */
function look(ours: Set<number>): number {
  const pids = readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .map(Number)
    .sort((a, b) => a - b)
  let own = 0
  let shared = 0
  for (const pid of pids) {
    const stat = readOr(`/proc/${pid}/stat`)
    if (stat === '') continue
    if (!ours.has(pid) && !ours.has(parseStat(stat).parent)) continue
    ours.add(pid)
    const text = readOr(`/proc/${pid}/smaps_rollup`)
    const kib = (name: string) =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0)
    const alone = kib('Private_Clean') + kib('Private_Dirty')
    own += alone
    shared = Math.max(shared, kib('Rss') - alone)
  }
  return own + shared
}
