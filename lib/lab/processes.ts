/** Processes of a lab: recognises them, finds their descendants, ends them. */
import { execFile } from 'node:child_process'
import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

/**
 * Every process started by a lab host has this in its environment: `<lab directory>/<host>`. It finds
 * processes that a session left running, whose parent is gone.
 */
export const marker = 'HOSTWRIGHT_LAB_HOST'

/** Identifies a process even if its pid is reused. */
export interface ProcessId {
  pid: number
  /** When it started: clock ticks since boot, and the boot, on Linux; a date elsewhere. */
  started: string
}

/** One line of the process table. */
interface Entry extends ProcessId {
  parent: number
  /** Whether its environment or its arguments mark it as belonging to the lab. */
  marked: boolean
}

/** Parses a line of /proc/PID/stat. Its second field, the name, may contain spaces and parentheses. */
export function parseStat(text: string): { state: string; parent: number; ticks: string } {
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
  return { state: fields[0]!, parent: Number(fields[1]), ticks: fields[19]! }
}

/** A zombie has ended, but its parent has not reaped it. */
const ended = 'Z'

async function readOrNothing(path: string): Promise<string> {
  return readFile(path, 'latin1').catch(() => '')
}

async function bootId(): Promise<string> {
  return (await readOrNothing('/proc/sys/kernel/random/boot_id')).trim()
}

async function linuxEntry(
  pid: number,
  boot: string,
  belongs: (text: string) => boolean,
): Promise<Entry | undefined> {
  const stat = await readOrNothing(`/proc/${pid}/stat`)
  if (stat === '') return undefined
  const { state, parent, ticks } = parseStat(stat)
  if (state === ended) return undefined
  const environment = await readOrNothing(`/proc/${pid}/environ`)
  const marked = belongs(environment) || belongs(await readOrNothing(`/proc/${pid}/cmdline`))
  return { pid, parent, started: `${ticks} ${boot}`, marked }
}

/** Parses `ps` with the environment after the arguments; the start is five words, as printed by `lstart`. */
export function parsePs(text: string, belongs: (text: string) => boolean): Entry[] {
  return text.split('\n').flatMap(line => {
    const match = /^\s*(\d+)\s+(\d+)\s+(\S+)\s+(\S+ +\S+ +\S+ +\S+ +\S+)\s(.*)$/.exec(line)
    if (match === null || match[3]!.startsWith(ended)) return []
    const [, pid, parent, , started, rest] = match
    return [{ pid: Number(pid), parent: Number(parent), started: started!, marked: belongs(rest!) }]
  })
}

/**
 * Tests whether a process’s environment or arguments belong to the lab in `directory`. sshd writes its title
 * over its environment, so it is recognised by its config file.
 */
export function belongsTo(directory: string): (text: string) => boolean {
  const mark = `${marker}=${directory}/`
  const isConfig = (text: string) => {
    const [, after] = text.replaceAll('\0', ' ').split(` -f ${directory}/`)
    return after !== undefined && /^[^/ ]+\/config( |$)/.test(after)
  }
  return text => text.includes(mark) || isConfig(text)
}

/** All processes that have not ended. `directory` is that of the lab whose processes are marked. */
async function processTable(directory?: string): Promise<Entry[]> {
  if (process.platform !== 'linux') {
    const columns = 'pid=,ppid=,state=,lstart=,command='
    const { stdout } = await run('ps', ['axeww', '-o', columns], {
      env: { ...process.env, LC_ALL: 'C' },
      maxBuffer: 64 * 1024 * 1024,
    })
    return parsePs(stdout, directory === undefined ? () => false : belongsTo(directory))
  }
  // /proc contains bytes, and a directory’s name may be any UTF-8: both are compared as latin1.
  const bytes = directory && Buffer.from(directory).toString('latin1')
  const belongs = bytes === undefined ? () => false : belongsTo(bytes)
  const boot = await bootId()
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name)).map(Number)
  const entries = await Promise.all(pids.map(pid => linuxEntry(pid, boot, belongs)))
  return entries.filter(entry => entry !== undefined)
}

/** The process with this pid, if it is running now. */
export async function identify(pid: number): Promise<ProcessId | undefined> {
  if (process.platform === 'linux') {
    const entry = await linuxEntry(pid, await bootId(), () => false)
    return entry && { pid, started: entry.started }
  }
  const entry = (await processTable()).find(each => each.pid === pid)
  return entry && { pid, started: entry.started }
}

/** Whether this same process is still running. */
export async function isRunning(id: ProcessId): Promise<boolean> {
  return (await identify(id.pid))?.started === id.started
}

/** The children of a process. */
export async function childrenOf(pid: number): Promise<ProcessId[]> {
  // Most kernels list them; reading all processes for each of 200 hosts would be too slow.
  const file = `/proc/${pid}/task/${pid}/children`
  const listed = await readFile(file, 'utf8').catch(() => undefined)
  if (listed !== undefined) {
    const children = await Promise.all(listed.split(' ').filter(Boolean).map(Number).map(identify))
    return children.filter(child => child !== undefined)
  }
  const table = await processTable()
  return table.filter(entry => entry.parent === pid).map(({ pid, started }) => ({ pid, started }))
}

/**
 * The processes of a lab: those known, those marked, and their descendants; never this process or its
 * ancestors, which may merely have the directory among their arguments.
 */
export function labProcesses(table: Entry[], known: ProcessId[], self: number): ProcessId[] {
  const byPid = new Map(table.map(entry => [entry.pid, entry]))
  const spared = new Set<number>()
  for (let pid = self; pid > 0 && !spared.has(pid); pid = byPid.get(pid)?.parent ?? 0) {
    spared.add(pid)
  }
  const isKnown = (entry: Entry) =>
    known.some(id => id.pid === entry.pid && id.started === entry.started)
  const found = new Set<number>()
  const add = (entry: Entry) => {
    if (spared.has(entry.pid) || found.has(entry.pid)) return
    found.add(entry.pid)
    for (const child of table) if (child.parent === entry.pid) add(child)
  }
  for (const entry of table) if (entry.marked || isKnown(entry)) add(entry)
  return table.filter(entry => found.has(entry.pid))
}

/**
 * Kills every process of the lab in `directory` and waits until they are gone: the hosts are disposable.
 * @returns the processes still there after 5 s; none, unless something is badly wrong
 */
export async function endLabProcesses(directory: string, known: ProcessId[]): Promise<ProcessId[]> {
  const deadline = Date.now() + 5000
  for (;;) {
    const left = labProcesses(await processTable(directory), known, process.pid)
    if (left.length === 0 || Date.now() > deadline) return left
    for (const { pid } of left) {
      try {
        process.kill(pid, 'SIGKILL')
      } catch {
        // Gone in the meantime.
      }
    }
    await delay(10)
  }
}
