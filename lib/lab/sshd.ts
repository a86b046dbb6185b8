/** OpenSSH’s sshd as the server of a lab host, with its own config and keys, and nothing from /etc/ssh. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { constants } from 'node:fs'
import { access, readdir, readFile, rm, rmdir, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { BootstrapError } from '../errors.ts'
import { makeDirectory } from '../make-directory.ts'
import { createKeyPair } from './keys.ts'
import { marker } from './processes.ts'

const run = promisify(execFile)

/** Absolute path of sshd (it refuses to start with a relative one); undefined if there is none. */
export async function findSshd(path: string = process.env.PATH ?? ''): Promise<string | undefined> {
  const directories = [...path.split(delimiter), '/usr/sbin', '/usr/local/sbin', '/sbin']
  for (const directory of directories.filter(each => each.startsWith('/'))) {
    const file = join(directory, 'sshd')
    const runs = await access(file, constants.X_OK).then(
      () => true,
      () => false,
    )
    if (runs) return file
  }
  return undefined
}

/**
 * Parses the version, such as `9.8`, from the output of `sshd -V`; older versions reject the option, but
 * print their version anyway.
 */
export function parseVersion(text: string): number {
  const match = /OpenSSH_(\d+)\.(\d+)/.exec(text)
  return match ? Number(match[1]) * 100 + Number(match[2]) : 0
}

/** @returns major * 100 + minor, 0 if unknown */
export async function sshdVersion(sshd: string): Promise<number> {
  const answer = await run(sshd, ['-V']).catch((error: { stderr?: string }) => error)
  return parseVersion(`${answer.stderr ?? ''}`)
}

export interface SshdOptions {
  address: string
  port: number
  user: string
  /** Paths as the server sees them. */
  hostKey: string
  authorizedKeys: string
  /** Value of the marker in the environment of every session. */
  mark: string
  /** From sshdVersion. */
  version: number
}

/** The config file (sshd_config(5)). Quoted words may contain spaces. */
export function sshdConfig(options: SshdOptions): string {
  const lines = [
    `ListenAddress ${options.address}`,
    `Port ${options.port}`,
    `HostKey "${options.hostKey}"`,
    // `%` starts a token in this option.
    `AuthorizedKeysFile "${options.authorizedKeys.replaceAll('%', '%%')}"`,
    `AllowUsers ${options.user}`,
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin prohibit-password',
    'PubkeyAuthentication yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UseDNS no',
    'PrintMotd no',
    'PrintLastLog no',
    'PermitUserRC no',
    // These avoid reading /etc/ssh/moduli.
    'KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org',
    // Benchmarks open any number of connections at the same time.
    'MaxStartups 1000',
    'LoginGraceTime 30',
    'Subsystem sftp internal-sftp',
    // A bash that is not the outermost one does not read ~/.bashrc: the user’s interactive settings there are
    // slow, and may take locks that a host’s view of the file system never releases.
    `SetEnv "${marker}=${options.mark}" SHLVL=1`,
  ]
  // Since 9.8, sshd temporarily blocks addresses with failed logins, which here would block everybody.
  if (options.version >= 908) lines.push('PerSourcePenalties no')
  return `${lines.join('\n')}\n`
}

/** In the foreground, its log on standard error. */
export function sshdCommand(sshd: string, config: string): string[] {
  return [sshd, '-D', '-e', '-f', config]
}

const notePrefix = '.hostwright-lab-'

function noteFile(directory: string, lab: string): string {
  return join(directory, notePrefix + createHash('sha256').update(lab).digest('hex').slice(0, 16))
}

/** sshd’s complaint about `config`; undefined if it would start. */
async function complaint(sshd: string, config: string): Promise<string | undefined> {
  return run(sshd, ['-t', '-f', config]).then(
    () => undefined,
    (error: Error & { stderr?: string }) => error.stderr?.trim() || error.message,
  )
}

async function borrow(directory: string, lab: string): Promise<string> {
  makeDirectory(directory, 0o755)
  await writeFile(noteFile(directory, lab), '')
  return directory
}

/** Whether other labs share this directory. */
async function isBorrowed(directory: string): Promise<boolean> {
  const names = await readdir(directory).catch(() => [])
  return names.some(name => name.startsWith(notePrefix))
}

/**
 * Checks whether sshd can serve a user on this machine, outside any view, and prepares the machine for it. As
 * root, sshd requires an empty directory that often only the machine’s own sshd service creates; if it is
 * missing, it is created and shared with other labs: each has a file in it, and the last one removes it.
 * @param lab the lab’s directory, used for temporary files of the check
 * @returns the shared directory, for giveBack
 * @throws {BootstrapError} `lab_failed`, with sshd’s output
 */
export async function prepareMachine(
  sshd: { path: string; version: number },
  user: string,
  lab: string,
): Promise<string | undefined> {
  // Without PAM, sshd refuses a locked account, and root’s is often locked.
  const shadow = await readFile('/etc/shadow', 'utf8').catch(() => '')
  if (shadow.split('\n').some(line => line.startsWith(`${user}:!`))) {
    throw new BootstrapError('lab_failed', `sshd refuses logins as ${user}: the account is locked`)
  }
  const config = join(lab, 'probe')
  const hostKey = join(lab, 'probe_key')
  const paths = { hostKey, authorizedKeys: hostKey, mark: lab }
  const options = { address: '127.0.0.1', port: 2222, user, version: sshd.version, ...paths }
  await writeFile(hostKey, createKeyPair('probe').private, { mode: 0o600 })
  await writeFile(config, sshdConfig(options), { mode: 0o600 })
  try {
    return await satisfy(sshd.path, config, lab)
  } finally {
    await rm(config)
    await rm(hostKey)
  }
}

async function satisfy(sshd: string, config: string, lab: string): Promise<string | undefined> {
  const usual = '/run/sshd'
  let borrowed = (await isBorrowed(usual)) ? await borrow(usual, lab) : undefined
  let said = await complaint(sshd, config)
  const missing = /^Missing privilege separation directory: (\/\S+)/m.exec(said ?? '')?.[1]
  if (missing !== undefined) {
    borrowed = await borrow(missing, lab)
    said = await complaint(sshd, config)
  }
  if (said === undefined) return borrowed
  if (borrowed !== undefined) await giveBack(borrowed, lab)
  throw new BootstrapError('lab_failed', 'sshd did not start', { output: said })
}

/** Leaves a shared directory, which is removed with the last lab that uses it. */
export async function giveBack(directory: string, lab: string): Promise<void> {
  await rm(noteFile(directory, lab), { force: true })
  await rmdir(directory).catch(() => undefined)
}
