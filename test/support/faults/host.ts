/** A lab host from outside: its files and processes, without a process of our own on it. */
import { readdirSync, readFileSync } from 'node:fs'
import { appendFile, chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import type { Lab } from '../lab.ts'
import {
  bootFile,
  gatedPrograms,
  gates,
  logs,
  oldFile,
  programs,
  restartFlag,
  serverFile,
} from './recipe.ts'

export interface FaultHost {
  name: string
  /** Where a path of the host is on this machine. */
  at(path: string): string
  /** What a file of the host has; nothing if there is none. */
  text(path: string): string
  /** Lines of it. */
  lines(path: string): string[]
  names(path: string): string[]
  /** All processes but the server and what started it, parents first. */
  processes(): Process[]
  /** The process of that id on the host. */
  process(id: number): Process | undefined
  /** The session's shell: it holds the lock. */
  shell(): Process | undefined
  /** The process of sshd that has the connection. */
  connection(): Process | undefined
  /** What runs an effect and writes down how it ends. */
  runner(): Process | undefined
  /** What is known of the effects of a run. */
  records(run: string): EffectRecord[]
  /** Everything but the server ends at once, and the next thing that is asked is another boot. */
  loseItsPower(): Promise<void>
  /** The shell that holds the lock was last heard two minutes ago. */
  growSilent(): Promise<void>
  /** As it was before the first run. */
  reset(): Promise<void>
  /** Waits until nothing runs on it. @returns what still does */
  quiet(withinMs: number): Promise<Process[]>
}

export interface Process {
  /** On this machine. */
  pid: number
  /** On the host. */
  own: number
  parent: number
  state: string
  command: string
}

export interface EffectRecord {
  title: string
  files: string[]
  started: boolean
  exit?: string
  /** Its runner is a living process. */
  alive: boolean
}

export const stateDirectory = '/var/bootstrap'
const userDirectory = '/var/hw'

/** Puts the recipe's programs on a host of the lab. */
export async function faultHost(lab: Lab, name: string): Promise<FaultHost> {
  const init = Number(await readFile(join(lab.directory, name, 'pid'), 'utf8'))
  const at = (path: string) => `/proc/${init}/root${path}`
  for (const [path, text] of Object.entries(programs)) {
    await writeFile(at(path), text)
    await chmod(at(path), 0o755)
  }
  await lab.read(
    name,
    `cat /proc/sys/kernel/random/boot_id >${bootFile} && mount --bind ${bootFile} /proc/sys/kernel/random/boot_id`,
  )
  const server = childrenOf(init)[0]!
  await writeFile(at(serverFile), `${look(server)!.own}\n`)
  return hostOf(name, init, server)
}

function hostOf(name: string, init: number, server: number): FaultHost {
  const at = (path: string) => `/proc/${init}/root${path}`
  const text = (path: string) => readOr(at(path))
  const lines = (path: string) => text(path).split('\n').slice(0, -1)
  const names = (path: string) => namesIn(at(path))
  const processes = () => below(init).flatMap(pid => (pid === server ? [] : (look(pid) ?? [])))
  const find = (id: number) => processes().find(({ own }) => own === id)
  const records = (run: string) =>
    names(`${stateDirectory}/runs/${run}`).flatMap(key => {
      const path = `${stateDirectory}/runs/${run}/${key}`
      const files = names(path)
      const title = text(`${path}/intent`)
        .trim()
        .replace(/^title=/, '')
      if (title === '') return []
      const runner = find(Number.parseInt(text(`${path}/started`), 10))
      const exit = files.includes('exit') ? text(`${path}/exit`).trim() : undefined
      return [
        {
          title,
          files,
          exit,
          started: text(`${path}/started`) !== '',
          alive: runner !== undefined,
        },
      ]
    })
  const quiet = async (withinMs: number) => {
    const deadline = Date.now() + withinMs
    for (;;) {
      const left = processes()
      if (left.length === 0 || Date.now() > deadline) return left
      await delay(10)
    }
  }
  const loseItsPower = async () => {
    // Stopped first: no one sees another one gone.
    process.kill(server, 'SIGSTOP')
    for (let left = processes(); left.length > 0; left = processes()) {
      for (const { pid } of left) kill(pid, 'SIGKILL')
      await delay(2)
    }
    await writeFile(at(bootFile), readFileSync('/proc/sys/kernel/random/uuid', 'utf8'))
    // That was the restart, if one was wanted: /run is empty after it.
    if (names(dirname(restartFlag)).includes(basename(restartFlag))) {
      await rm(at(restartFlag))
      await appendFile(at(logs.boots), 'boot\n')
    }
    process.kill(server, 'SIGCONT')
  }
  const shell = () => find(Number.parseInt(text(`${stateDirectory}/bootstrap.pid`), 10))
  return {
    name,
    at,
    text,
    lines,
    names,
    processes,
    process: find,
    shell,
    connection: () => processes().find(({ parent }) => parent === server),
    runner: () => processes().find(({ command }) => /\/runs\/[^/ ]+\/runner /.test(command)),
    records,
    loseItsPower,
    quiet,
    growSilent: async () => {
      const [pid, ...others] = lines(`${stateDirectory}/bootstrap.pid`)
      if (pid === undefined) return
      const { start, boot, pidns } = Object.fromEntries(others.map(line => line.split('=')))
      const holder = `${pid}-${start}-${boot}${pidns === undefined ? '' : `_${pidns}`}`
      const uptime = Number.parseInt(readFileSync('/proc/uptime', 'utf8'), 10)
      await writeFile(at(`${stateDirectory}/bootstrap.heard`), `${holder} ${uptime - 120}\n`)
    },
    reset: async () => {
      kill(server, 'SIGCONT')
      for (const { pid } of processes()) kill(pid, 'SIGKILL')
      const gated = gatedPrograms.map(each => `/usr/local/sbin/${each}`)
      const made = [
        stateDirectory,
        '/etc/hw',
        userDirectory,
        gates,
        logs.effects,
        logs.boots,
        ...gated,
      ]
      for (const path of made) await rm(at(path), { recursive: true, force: true })
      await mkdir(at(gates))
      await chmod(at(gates), 0o777)
      await writeFile(at(logs.effects), '')
      await chmod(at(logs.effects), 0o666)
      for (const path of [restartFlag, oldFile]) await writeFile(at(path), '')
    },
  }
}

/** Lets programs stop at their n-th call. @param turns by program; 0: only counts the calls */
export async function gatePrograms(
  host: FaultHost,
  turns: Partial<Record<string, number>>,
): Promise<void> {
  for (const [program, turn] of Object.entries(turns)) {
    await writeFile(host.at(`${gates}/program-${program}`), `${turn}\n`)
    const path = host.at(`/usr/local/sbin/${program}`)
    await mkdir(dirname(path), { recursive: true })
    await symlink('/usr/local/lib/gated', path)
  }
}

/** Sends a signal. @returns whether there was such a process */
export function kill(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

const readOr = (path: string) => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

const namesIn = (directory: string) => {
  try {
    return readdirSync(directory)
  } catch {
    return []
  }
}

function childrenOf(pid: number): number[] {
  return readOr(`/proc/${pid}/task/${pid}/children`).split(' ').filter(Boolean).map(Number)
}

const below = (pid: number): number[] => childrenOf(pid).flatMap(each => [each, ...below(each)])

/** Undefined: it has ended. */
function look(pid: number): Process | undefined {
  const stat = readOr(`/proc/${pid}/stat`)
  const [state, parent] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  if (stat === '' || state === 'Z' || state === 'X') return undefined
  const own = Number(/^NSpid:.*\t(\d+)$/m.exec(readOr(`/proc/${pid}/status`))?.[1])
  const command = readOr(`/proc/${pid}/cmdline`).replaceAll('\0', ' ')
  return { pid, own, parent: Number(parent), state: state!, command }
}
