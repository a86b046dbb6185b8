/**
 * OpenSSH's real sshd, for tests: as many as are wanted, each with an address, a directory and keys of its
 * own, as the user who tests. Keys, certificates and agents are made by ssh-keys.ts; users who log in by
 * password are on the hosts of user-hosts.ts.
 *
 *     const sshd = await startSshd({ config: ['MaxSessions 1'] })
 *     const transport = await connector.connect(sshd.host(), { timeoutMs: 20_000 })
 *     expect(sshd.count(/^Accepted publickey/)).toBe(1)
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { onTestFinished } from 'vitest'
import { hostVars } from '../../lib/inventory/host-vars.ts'
import type { Host } from '../../lib/inventory/inventory.ts'
import { endLabProcesses, marker } from '../../lib/lab/processes.ts'
import { findSshd, giveBack, prepareMachine, sshdCommand, sshdVersion } from '../../lib/lab/sshd.ts'
import { type Key, type KeyType, makeKey } from './ssh-keys.ts'

export interface SshdOptions {
  /** Lines of sshd_config(5), which come before ours: the first value of a keyword counts. */
  config?: readonly string[]
  /** In the order in which sshd has them. Default: ed25519. */
  hostKeys?: readonly KeyType[]
  /** Lines of authorized_keys. Default: the server's own `key`. */
  authorized?: readonly string[]
  /** Who may log in, and what the client's texts say. Default: who tests, the only one sshd can serve. */
  user?: string
  /** Default: an address of 127.0.0.0/8 that nothing else has. */
  address?: string
}

/** A server as its clients know it. */
export interface Reachable {
  address: string
  port: number
  /** Who logs in by default. */
  user: string
  /** `[address]:port`, as known_hosts names it. */
  name: string
  /** Of this server's clients alone, gone at its end. */
  directory: string
  hostKeys: readonly Key[]
  /** What the server lets in, unless `authorized` said otherwise. */
  key: Key
  /** A known_hosts file with all host keys, and its text. */
  knownHosts: string
  knownHostsText: string
  /**
   * A `Host` block of ssh_config(5) that reaches this server by its key and trusts its known_hosts only.
   * @param lines come before the others of the block, so they count; an IdentityFile among them is in the
   *   place of the server's `key`
   */
  sshConfig(alias: string, lines?: readonly string[]): string
  /** Writes such a file, for `ssh -F` and for `sshConfigFile`. @returns its path */
  writeConfig(text: string): Promise<string>
  /** As an inventory would have it: address, port, user, key, known_hosts; `none` as ssh's configuration. */
  host(changes?: Partial<Host>): Host
}

/** What a server says. */
export interface Log {
  pid: number
  /** So far, without the process's name: `Connection from …`, `Accepted publickey for …`. */
  log: readonly string[]
  /** How many lines of the log match. A line may appear after the event: see `logged`. */
  count(pattern: RegExp): number
  /**
   * Settles with the first line that matches, of those that are there and those to come.
   * @param nth settles with the second that matches, the third …
   */
  logged(pattern: RegExp, nth?: number): Promise<string>
}

export interface Sshd extends Reachable, Log {
  authorizedKeys: string
  /** Ends the server, its connections and what their logins started; removes its directory. Idempotent. */
  stop(): Promise<void>
}

/** A server for one test. */
export async function startSshd(options: SshdOptions = {}): Promise<Sshd> {
  const sshd = await launchSshd(options)
  onTestFinished(() => sshd.stop())
  return sshd
}

/** A server until `stop`, for `beforeAll`, which may return `sshd.stop`. */
export async function launchSshd(options: SshdOptions = {}): Promise<Sshd> {
  const base = await mkdtemp(join(tmpdir(), 'hw-sshd-'))
  let borrowed: string | undefined
  const stop = async () => {
    await endLabProcesses(base, [])
    if (borrowed !== undefined) await giveBack(borrowed, base)
    await rm(base, { recursive: true, force: true })
  }
  try {
    const path = await findSshd()
    if (path === undefined) throw new Error('there is no sshd')
    const version = await sshdVersion(path)
    const user = options.user ?? userInfo().username
    borrowed = await prepareMachine({ path, version }, user, base)
    return { ...(await launch(base, path, version, { ...options, user })), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function launch(
  base: string,
  path: string,
  version: number,
  {
    user,
    config = [],
    authorized,
    address = ownAddress(),
    hostKeys,
  }: SshdOptions & { user: string },
): Promise<Omit<Sshd, 'stop'>> {
  // As of a lab: what is found by its place or its mark is ended like a lab's.
  const directory = join(base, 'sshd')
  await mkdir(directory)
  const port = await freePort(address)
  const server = await reachable({ directory, address, port, user, hostKeys })
  const at = (name: string) => join(directory, name)
  const authorizedKeys = at('authorized_keys')
  await writeFile(authorizedKeys, `${(authorized ?? [server.key.public]).join('\n')}\n`)
  const files = { hostKeys: server.hostKeys.map(({ file }) => file), authorized: authorizedKeys }
  const own = { address, port, version, mark: directory, ...files }
  await writeFile(at('config'), sshdConfigText(config, own))
  return { ...server, authorizedKeys, ...(await serve(sshdCommand(path, at('config')))) }
}

/** Makes the keys of a server that is to listen there, and what its clients need. */
export async function reachable({
  directory,
  address,
  port,
  user,
  hostKeys: types = ['ed25519'],
}: {
  directory: string
  address: string
  port: number
  user: string
  hostKeys?: readonly KeyType[]
}): Promise<Reachable> {
  const at = (name: string) => join(directory, name)
  const key = await makeKey({ file: at('key'), comment: 'key of the test' })
  const hostKeys: Key[] = []
  for (const type of types) hostKeys.push(await makeKey({ type, file: at(`host_${type}`) }))
  const name = port === 22 ? address : `[${address}]:${port}`
  const knownHosts = at('known_hosts')
  const knownHostsText = knownLines(name, hostKeys)
  await writeFile(knownHosts, knownHostsText)
  let configs = 0
  return {
    ...{ address, port, user, name, directory, hostKeys, key, knownHosts, knownHostsText },
    sshConfig: (alias, lines = []) => {
      const reach = [`HostName ${address}`, `Port ${port}`, `User ${user}`]
      // Identity files add up.
      const hasOwn = lines.some(line => /^IdentityFile /i.test(line))
      if (!hasOwn) reach.push(`IdentityFile ${key.file}`)
      return hostBlock(alias, [...lines, ...reach], knownHosts)
    },
    writeConfig: async text => {
      const file = at(`ssh_config_${++configs}`)
      await writeFile(file, text)
      return file
    },
    host: changes => ({
      name: 'host',
      vars: hostVars('host', {}),
      groups: [],
      connection: 'ssh',
      address,
      port,
      user,
      privateKeyFile: key.file,
      knownHostsFile: knownHosts,
      sshConfigFile: 'none',
      bootstrapDir: join(directory, 'bootstrap'),
      root: '',
      ...changes,
    }),
  }
}

/** Lines of known_hosts. @param names `[address]:port`, or patterns between commas */
export const knownLines = (names: string, keys: readonly Key[]) =>
  keys.map(key => `${names} ${key.public.split(' ').slice(0, 2).join(' ')}\n`).join('')

/** A block that trusts this known_hosts file and no other. */
export const hostBlock = (alias: string, lines: readonly string[], knownHosts: string) =>
  `${[
    `Host ${alias}`,
    ...lines,
    `UserKnownHostsFile ${knownHosts}`,
    'GlobalKnownHostsFile none',
    'StrictHostKeyChecking yes',
  ].join('\n  ')}\n`

/** Linux answers on all of 127.0.0.0/8; labs have 127.77. Elsewhere servers differ by port. */
export function ownAddress(): string {
  if (process.platform !== 'linux') return '127.0.0.1'
  const any = (from: number, count: number) => from + Math.floor(Math.random() * count)
  return `127.${any(128, 64)}.${any(1, 254)}.${any(1, 254)}`
}

/**
 * A port of the address that nobody has. Of 127.0.0.1, any other test may have it a moment later: use an `ownAddress`.
 */
export async function freePort(address: string): Promise<number> {
  const server = createServer().listen(0, address)
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  await once(server, 'close')
  return port
}

interface ServerConfig {
  address: string
  port: number
  hostKeys: readonly string[]
  authorized: string
  /** From sshdVersion. */
  version: number
  mark: string
  /** Passwords are allowed, checked by PAM or by sshd itself. */
  passwords?: 'pam' | 'plain'
}

/** An sshd_config of nothing but this. What begins with a `Match` of `lines` comes last, as it must. */
export function sshdConfigText(lines: readonly string[], config: ServerConfig): string {
  const match = lines.findIndex(line => /^match\b/i.test(line))
  const passwords = config.passwords ? 'yes' : 'no'
  const first = match < 0 ? lines : lines.slice(0, match)
  return [
    ...first,
    `ListenAddress ${config.address}`,
    `Port ${config.port}`,
    ...config.hostKeys.map(file => `HostKey ${file}`),
    `AuthorizedKeysFile ${config.authorized}`,
    'PidFile none',
    `UsePAM ${config.passwords === 'pam' ? 'yes' : 'no'}`,
    'StrictModes no',
    'PermitRootLogin yes',
    `PasswordAuthentication ${passwords}`,
    `KbdInteractiveAuthentication ${passwords}`,
    'UseDNS no',
    'PrintMotd no',
    'PrintLastLog no',
    'PermitUserRC no',
    'KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org',
    // Connections from where, and those that are dropped.
    'LogLevel VERBOSE',
    'Subsystem sftp internal-sftp',
    // A bash that thinks it is not the outermost one reads no ~/.bashrc: that of who tests may be slow.
    `SetEnv "${marker}=${config.mark}" SHLVL=1`,
    // Since 9.8 who fails to log in is shut out for a while: here that is everybody.
    ...(config.version >= 908 ? ['PerSourcePenalties no'] : []),
    ...(match < 0 ? [] : lines.slice(match)),
    '',
  ].join('\n')
}

/**
 * Starts a server in the foreground and waits until it listens.
 * @throws what it said, where it ended instead
 */
export async function serve(command: readonly string[]): Promise<Log> {
  const child = spawn(command[0]!, command.slice(1), { stdio: ['ignore', 'ignore', 'pipe'] })
  const log: string[] = []
  const waiting = new Set<() => void>()
  const lines = createInterface({ input: child.stderr })
  lines.on('line', line => {
    log.push(line.replace(/\r$/, ''))
    for (const look of waiting) look()
  })
  const logged = (pattern: RegExp, nth = 1) =>
    new Promise<string>(resolve => {
      const look = () => {
        const line = log.filter(each => pattern.test(each))[nth - 1]
        if (line === undefined) return
        waiting.delete(look)
        resolve(line)
      }
      waiting.add(look)
      look()
    })
  // Not the pipe's end: sessions of the server hold it too.
  const ended = once(child, 'exit').then(() => {
    throw new Error(`${command.join(' ')} ended:\n${log.join('\n')}`)
  })
  ended.catch(() => {})
  await Promise.race([logged(/^Server listening on /), ended])
  // It outlives no test, and no test waits for it.
  child.unref()
  const count = (pattern: RegExp) => log.filter(line => pattern.test(line)).length
  return { log, logged, count, pid: child.pid! }
}
