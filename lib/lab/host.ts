/** One lab host: its files, its server, its log. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, open, readFile, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { BootstrapError } from '../errors.ts'
import { makeDirectory } from '../make-directory.ts'
import type { LabAddress } from './addresses.ts'
import { embeddedCommand, embeddedNeeds } from './embedded.ts'
import type { EmbeddedConfig } from './embedded-server.ts'
import type { KeyPair } from './keys.ts'
import { viewCommand, viewDirectory } from './overlay.ts'
import { childrenOf, identify, marker, type ProcessId } from './processes.ts'
import { awaitAnswer, type Login } from './readiness.ts'
import type { HostRecord } from './record.ts'
import { sshdCommand, sshdConfig } from './sshd.ts'

const readyTimeoutMs = 20_000
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** What all hosts of a lab share. */
export interface LabPlan {
  directory: string
  kind: 'overlay' | 'directory'
  user: string
  clientKey: KeyPair
  /** All hosts' names and addresses. */
  neighbours: { name: string; address: string }[]
  /** sshd to run; absent: the embedded server. */
  sshd?: { path: string; version: number }
}

export interface HostPlan extends LabAddress {
  name: string
  hostKey: KeyPair
}

/** The directory of a host's files on this machine. */
export function hostDirectory(directory: string, name: string): string {
  return join(directory, name)
}

/** The directory that confines recipes, if the host does not have its own view. */
export function hostRoot(directory: string, name: string): string {
  return join(hostDirectory(directory, name), 'root')
}

/** Writes the host's keys, its server's config and its directories. */
export async function writeHostFiles(lab: LabPlan, host: HostPlan): Promise<void> {
  const own = hostDirectory(lab.directory, host.name)
  const inView = lab.kind === 'overlay'
  // The paths at which the server finds its files.
  const seen = inView ? viewDirectory : own
  const mark = own
  await mkdir(own)
  if (inView) await mkdir(join(own, 'mount'))
  else
    for (const name of ['etc', 'opt', 'run', 'tmp', 'var']) {
      makeDirectory(join(hostRoot(lab.directory, host.name), name))
    }
  const write = (name: string, text: string) => writeFile(join(own, name), text, { mode: 0o600 })
  await write('host_key', host.hostKey.private)
  await write('host_key.pub', host.hostKey.public)
  await write('authorized_keys', lab.clientKey.public)
  const { address, port } = host
  if (lab.sshd) {
    const { version } = lab.sshd
    const files = { hostKey: join(seen, 'host_key'), authorizedKeys: join(seen, 'authorized_keys') }
    await write('config', sshdConfig({ address, port, user: lab.user, mark, version, ...files }))
    return
  }
  const home = inView ? '/root' : homedir()
  const env = { PATH: path, HOME: home, USER: lab.user, LOGNAME: lab.user, SHELL: '/bin/sh' }
  const config: EmbeddedConfig = {
    address,
    port,
    user: lab.user,
    hostKey: host.hostKey.private,
    authorizedKey: lab.clientKey.public,
    home,
    env: { ...env, [marker]: mark },
  }
  await write('config', JSON.stringify(config))
}

async function command(lab: LabPlan, host: HostPlan): Promise<string[]> {
  const own = hostDirectory(lab.directory, host.name)
  const config = join(lab.kind === 'overlay' ? viewDirectory : own, 'config')
  const server = lab.sshd ? sshdCommand(lab.sshd.path, config) : embeddedCommand(config)
  if (lab.kind === 'directory') return server
  const files = ['config', 'host_key', 'authorized_keys'].map(name => ({
    from: join(own, name),
    to: join(viewDirectory, name),
  }))
  const view = {
    name: host.name,
    mountPoint: join(own, 'mount'),
    files,
    hosts: lab.neighbours.map(({ name, address }) => `${address} ${name}`),
    keep: [process.execPath, ...(lab.sshd ? [] : embeddedNeeds())],
  }
  return viewCommand(view, lab.directory, server)
}

/** The main process of the host, followed by its helpers. */
async function processesOf(lab: LabPlan, child: ChildProcess): Promise<ProcessId[]> {
  const main = await identify(child.pid!)
  if (main === undefined) return []
  // unshare waits outside; process 1 of the host is its child.
  return lab.kind === 'overlay' ? [...(await childrenOf(main.pid)), main] : [main]
}

/** The last lines of a host's log. */
async function logTail(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '')
  return text.trimEnd().split('\n').slice(-10).join('\n')
}

/** The data needed to log in to a host. */
export function loginTo(
  lab: { user: string },
  host: { address: string; port: number },
  privateKey: string,
  hostPublicKey: string,
): Login {
  const { address, port } = host
  return { address, port, user: lab.user, privateKey, hostKey: hostPublicKey.split(' ')[1]! }
}

/**
 * Starts a host's server, detached from this process, and waits until it answers.
 * @throws {BootstrapError} `lab_failed`, with the end of the host's log
 */
export async function startHost(lab: LabPlan, host: HostPlan): Promise<HostRecord> {
  const own = hostDirectory(lab.directory, host.name)
  const logFile = join(own, 'log')
  const log = await open(logFile, 'a', 0o600)
  const [program, ...args] = await command(lab, host)
  const child = spawn(program!, args, {
    cwd: '/',
    env: { PATH: path, HOME: '/', LANG: process.env.LANG ?? 'C', [marker]: own },
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
  })
  let runs = true
  let failure: string | undefined
  child.on('error', error => {
    runs = false
    failure = error.message
  })
  child.on('exit', () => {
    runs = false
  })
  child.unref()
  await log.close()
  const login = loginTo(lab, host, lab.clientKey.private, host.hostKey.public)
  const why = await awaitAnswer(login, readyTimeoutMs, () => runs)
  if (why !== undefined) {
    throw new BootstrapError('lab_failed', `${host.name} did not start: ${failure ?? why}`, {
      host: host.name,
      output: await logTail(logFile),
      hint: `It should have listened on ${host.address}:${host.port}.`,
    })
  }
  const processes = await processesOf(lab, child)
  const { name, address, port } = host
  await writeFile(join(own, 'pid'), `${processes[0]?.pid}\n`)
  return { name, address, port, processes }
}
