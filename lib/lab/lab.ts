/**
 * Labs: disposable SSH hosts on this machine, for trying recipes and for tests. A lab is a directory with its
 * inventory (hosts.ini, bootstrap.ini, known_hosts, releases/), its keys, and one directory per host.
 */

import { readFile, writeFile } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { join, resolve } from 'node:path'
import { BootstrapError, isBootstrapError, UsageError } from '../errors.ts'
import { claimPlaces } from './addresses.ts'
import { defaultLabDirectory } from './directory.ts'
import {
  type HostPlan,
  hostDirectory,
  hostRoot,
  type LabPlan,
  loginTo,
  startHost,
  writeHostFiles,
} from './host.ts'
import { bootstrapIni, hostsIni, knownHosts } from './inventory-files.ts'
import { createKeyPair } from './keys.ts'
import { whyNoViews } from './overlay.ts'
import { endLabProcesses, identify, isRunning } from './processes.ts'
import { whyNoAnswer } from './readiness.ts'
import {
  claimDirectory,
  deleteDirectory,
  type HostRecord,
  isThere,
  type LabRecord,
  readRecord,
  refuseForeign,
  writeRecord,
} from './record.ts'
import { packReleases } from './releases.ts'
import { findSshd, giveBack, prepareMachine, sshdVersion } from './sshd.ts'

/** The maximum number of hosts: the addresses of a block. */
const maxHosts = 250
const statusTimeoutMs = 2000

export interface LabHost {
  name: string
  address: string
  port: number
  /** The main process: the host ends with it. */
  pid: number
  /** Whether it answers SSH now. */
  ready: boolean
}

export interface LabStatus {
  directory: string
  /** `overlay`: each host has a copy-on-write view of the file system; `directory`: a directory. */
  kind: 'overlay' | 'directory'
  server: 'openssh' | 'embedded'
  hosts: LabHost[]
}

export interface LabUpOptions {
  /** The number of hosts: lab1, lab2 … */
  hosts: number
  /** The directory, which must be empty or not exist. Default: defaultLabDirectory(). */
  directory?: string
  /** Default: `overlay` if it works, else `directory`. */
  kind?: 'overlay' | 'directory'
  /** Default: `openssh` if there is an sshd, else `embedded`. */
  server?: 'openssh' | 'embedded'
  /** Called with one line for each thing that happens. */
  onProgress?: (text: string) => void
}

/**
 * Starts a lab: when it resolves, every host answers SSH.
 * @throws {UsageError} a lab is already running there, or the directory can’t be used
 * @throws {BootstrapError} `lab_failed`: a host did not start; nothing is left behind
 */
export async function labUp(options: LabUpOptions): Promise<LabStatus> {
  const { hosts: count } = options
  if (!Number.isInteger(count) || count < 1 || count > maxHosts) {
    throw new UsageError('invalid_value', `a lab has 1 to ${maxHosts} hosts, not ${count}`)
  }
  const directory = resolve(options.directory ?? defaultLabDirectory())
  try {
    return await bringUp(directory, options)
  } catch (error) {
    // There is an sshd, but it refuses logins here: a locked account, for example. Ours does not.
    const ownServer = isBootstrapError(error) && error.code === 'lab_failed'
    if (!ownServer || options.server !== undefined || (await findSshd()) === undefined) throw error
    options.onProgress?.(`using the embedded server: ${error.message}`)
    return bringUp(directory, { ...options, server: 'embedded' })
  }
}

async function bringUp(directory: string, options: LabUpOptions): Promise<LabStatus> {
  const record: LabRecord = {
    format: 1,
    kind: 'directory',
    server: 'embedded',
    user: userName(),
    starting: await identify(process.pid),
    hosts: [],
  }
  await claim(directory, record)
  try {
    await start(directory, record, options)
  } catch (error) {
    await end(directory, record)
    throw error
  }
  const hosts = record.hosts.map(host => ({ ...labHost(host), ready: true }))
  return { directory, kind: record.kind, server: record.server, hosts }
}

/**
 * Stops a lab: its processes, their mounts, its directory. Does nothing if there is none.
 * @returns how many hosts it had
 * @throws {UsageError} the directory has files and is not a lab’s
 * @throws {BootstrapError} `lab_failed`: a process did not end
 */
export async function labDown(options: { directory?: string } = {}): Promise<number> {
  const directory = resolve(options.directory ?? defaultLabDirectory())
  if (!(await isThere(directory))) return 0
  await refuseForeign(directory)
  const record = await readRecord(directory)
  if (record === undefined) return 0
  await end(directory, record)
  return record.hosts.length
}

/** The lab in a directory, with the state of each host; undefined: there is none. */
export async function labStatus(
  options: { directory?: string } = {},
): Promise<LabStatus | undefined> {
  const directory = resolve(options.directory ?? defaultLabDirectory())
  const record = await readRecord(directory)
  if (record === undefined) return undefined
  const privateKey = await readFile(join(directory, 'key'), 'utf8').catch(() => undefined)
  const answers = async (host: HostRecord) => {
    const file = join(hostDirectory(directory, host.name), 'host_key.pub')
    const hostKey = await readFile(file, 'utf8').catch(() => undefined)
    if (privateKey === undefined || hostKey === undefined) return false
    const login = loginTo(record, host, privateKey, hostKey)
    return (await whyNoAnswer(login, statusTimeoutMs)) === undefined
  }
  const hosts = await Promise.all(
    record.hosts.map(async host => ({ ...labHost(host), ready: await answers(host) })),
  )
  return { directory, kind: record.kind, server: record.server, hosts }
}

function labHost({ name, address, port, processes }: HostRecord): Omit<LabHost, 'ready'> {
  return { name, address, port, pid: processes[0]?.pid ?? 0 }
}

/** A user without an entry in passwd has no name; only the embedded server accepts that. */
function userName(): string {
  try {
    return userInfo().username
  } catch {
    return 'lab'
  }
}

/** Claims the directory; cleans up after a dead lab (a reboot, a kill). */
async function claim(directory: string, record: LabRecord): Promise<void> {
  if (await claimDirectory(directory, record)) return
  const other = await readRecord(directory)
  if (other !== undefined) {
    const processes = other.hosts.flatMap(host => host.processes)
    if (other.starting !== undefined) processes.push(other.starting)
    const running = await Promise.all(processes.map(isRunning))
    if (!running.includes(true)) {
      await end(directory, other)
      if (await claimDirectory(directory, record)) return
    }
  }
  throw new UsageError('usage', `a lab is already running in ${directory}`, {
    hint: 'Use it, or stop it: `hostwright lab down`.',
  })
}

async function end(directory: string, record: LabRecord): Promise<void> {
  const known = record.hosts.flatMap(host => host.processes)
  const left = await endLabProcesses(directory, known)
  if (left.length > 0) {
    const pids = left.map(({ pid }) => pid).join(', ')
    throw new BootstrapError('lab_failed', `lab processes did not end: ${pids}`, {
      hint: `Stop them, then \`hostwright lab down\` again. The logs are in ${directory}.`,
    })
  }
  if (record.borrowed !== undefined) await giveBack(record.borrowed, directory)
  await deleteDirectory(directory)
}

/** Starts everything, and keeps `record` (and its file) up to date so that `end` can undo it at any time. */
async function start(directory: string, record: LabRecord, options: LabUpOptions): Promise<void> {
  const report = options.onProgress ?? (() => {})
  record.kind = await chooseKind(directory, options.kind, report)
  if (record.kind === 'overlay') record.user = 'root'
  const sshd = await chooseServer(directory, record, options.server, report)
  const places = await claimPlaces(options.hosts)
  try {
    const hosts = places.places.map((place, index): HostPlan => {
      const name = `lab${index + 1}`
      return { ...place, name, hostKey: createKeyPair(name) }
    })
    const lab: LabPlan = {
      directory,
      kind: record.kind,
      user: record.user,
      clientKey: createKeyPair('hostwright lab'),
      neighbours: hosts.map(({ name, address }) => ({ name, address })),
    }
    if (sshd !== undefined) lab.sshd = sshd
    record.server = lab.sshd ? 'openssh' : 'embedded'
    await Promise.all(hosts.map(host => writeHostFiles(lab, host)))
    await writeRecord(directory, record)
    report(
      `starting ${hosts.length === 1 ? '1 host' : `${hosts.length} hosts`}: ${record.kind}, ${record.server}`,
    )
    const [records] = await allSettled([
      allSettled(hosts.map(host => startHost(lab, host))),
      writeInventory(lab, hosts),
    ])
    record.hosts = records
    record.starting = undefined
    await writeRecord(directory, record)
  } finally {
    await places.release()
  }
}

/**
 * Like Promise.all, but rejects only after all have settled: nothing is still starting during the cleanup.
 */
async function allSettled<const T extends readonly unknown[]>(
  work: T,
): Promise<{ -readonly [K in keyof T]: Awaited<T[K]> }> {
  await Promise.allSettled(work)
  return Promise.all(work)
}

async function writeInventory(lab: LabPlan, hosts: HostPlan[]): Promise<void> {
  const file = (name: string) => join(lab.directory, name)
  const write = (name: string, text: string) => writeFile(file(name), text, { mode: 0o600 })
  const located = hosts.map(host =>
    lab.kind === 'directory' ? { ...host, root: hostRoot(lab.directory, host.name) } : host,
  )
  const paths = { privateKey: file('key'), knownHosts: file('known_hosts') }
  const { user } = lab
  await write('key', lab.clientKey.private)
  await write('key.pub', lab.clientKey.public)
  await write(
    'known_hosts',
    knownHosts(
      hosts,
      hosts.map(host => host.hostKey.public),
    ),
  )
  await write('hosts.ini', hostsIni({ hosts: located, user, node: process.execPath, ...paths }))
  await write('bootstrap.ini', bootstrapIni(lab.kind))
  await packReleases(file('releases'))
}

async function chooseKind(
  directory: string,
  wanted: LabUpOptions['kind'],
  report: (text: string) => void,
): Promise<LabRecord['kind']> {
  if (wanted === 'directory') return wanted
  const why = await whyNoViews(directory)
  if (why === undefined) return 'overlay'
  if (wanted === undefined) {
    report(`each host gets a directory, not a view of the file system: ${why}`)
    return 'directory'
  }
  throw new BootstrapError(
    'lab_failed',
    `hosts can’t have views of the file system on this machine: ${why}`,
    {
      hint: 'Use the kind `directory`.',
    },
  )
}

/** @returns the sshd to use; undefined: the embedded server */
async function chooseServer(
  directory: string,
  record: LabRecord,
  wanted: LabUpOptions['server'],
  report: (text: string) => void,
): Promise<LabPlan['sshd']> {
  if (wanted === 'embedded') return undefined
  try {
    const path = await findSshd()
    if (path === undefined) throw new BootstrapError('lab_failed', 'no sshd is installed')
    const sshd = { path, version: await sshdVersion(path) }
    // A view provides what sshd requires on the machine.
    if (record.kind === 'directory') {
      record.borrowed = await prepareMachine(sshd, record.user, directory)
    }
    return sshd
  } catch (error) {
    if (!isBootstrapError(error)) throw error
    const hint = 'Install or repair openssh-server, or use the embedded server.'
    if (wanted === 'openssh') throw error.within({ hint })
    const { output } = error.details
    report(`using the embedded server: ${error.message}${output ? ` (${output})` : ''}`)
    return undefined
  }
}
