/**
 * Hosts with users of their own, who log in by password and become root: an overlay of this machine's file
 * system (root, Linux), where a test may do what it likes, with OpenSSH's sshd in it.
 *
 *     const host = await startUserHost({ users: [{ name: 'worker', password: 'open sesame' }] })
 *     connector.connect(host.host({ user: 'worker', privateKeyFile: undefined, password: … }), …)
 */
import { spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'
import { labDown, labUp } from '../../lib/lab/lab.ts'
import { findSshd, sshdVersion } from '../../lib/lab/sshd.ts'
import { quote } from '../../lib/shell/quote.ts'
import { hostPath } from './resource-hosts.ts'
import type { KeyType } from './ssh-keys.ts'
import {
  freePort,
  type Log,
  ownAddress,
  type Reachable,
  reachable,
  serve,
  sshdConfigText,
} from './sshd.ts'

export interface TestUser {
  name: string
  /** Without one the account takes none, but is not locked. */
  password?: string
  /** Default: /bin/sh. */
  shell?: string
  /** Lines of sudoers(5), with the user's name in place of `@`: `@ ALL=(ALL) NOPASSWD: ALL`. */
  sudoers?: readonly string[]
}

export interface UserHostOptions {
  /** The first is who the client's texts name. Each takes the server's `key` too. */
  users: readonly [TestUser, ...TestUser[]]
  /** Passwords are checked by PAM, which asks for them also by keyboard-interactive. */
  pam?: boolean
  /** As in SshdOptions. Login by password is allowed by default. */
  config?: readonly string[]
  hostKeys?: readonly KeyType[]
  /** A script of root's (`sh -e`) that runs before the server starts. */
  setup?: string
}

export interface UserHost extends Reachable, Log {
  /** Runs a script of root's on the host (`sh -e`). @returns what it printed; throws when it fails */
  script(text: string): Promise<string>
  /** Ends the host with all that runs there. */
  stop(): Promise<void>
}

/** A host of one test. Its tests require `overlay` and `sshd`. */
export async function startUserHost(options: UserHostOptions): Promise<UserHost> {
  const host = await launchUserHost(options)
  onTestFinished(() => host.stop())
  return host
}

/** A host until `stop`, for `beforeAll`, which may return `host.stop`. It takes about a second. */
export async function launchUserHost(options: UserHostOptions): Promise<UserHost> {
  const base = await mkdtemp(join(tmpdir(), 'hw-users-'))
  const lab = join(base, 'lab')
  const stop = async () => {
    await labDown({ directory: lab })
    await rm(base, { recursive: true, force: true })
  }
  try {
    const { hosts } = await labUp({ hosts: 1, directory: lab, kind: 'overlay' })
    return { ...(await inside(hosts[0]!.pid, base, options)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

const own = '/srv/sshd'

/** Who is let in by which password; without the two seconds that a wrong one costs elsewhere. */
const pamRules = `auth required pam_unix.so nodelay
account required pam_unix.so
session required pam_permit.so
`

async function inside(
  pid: number,
  base: string,
  { users, pam = false, config = [], hostKeys, setup = '' }: UserHostOptions,
): Promise<Omit<UserHost, 'stop'>> {
  const enter = [
    ...['nsenter', '--target', String(pid), '--mount', '--pid', '--uts'],
    ...['env', '-i', `PATH=${hostPath}`, 'HOME=/root', 'LANG=C.UTF-8'],
  ]
  const script = (lines: string) => output([...enter, 'sh', '-e'], lines)
  const sshd = (await findSshd())!
  const address = ownAddress()
  const port = await freePort(address)
  const directory = join(base, 'client')
  await mkdir(directory)
  const server = await reachable({ directory, address, port, user: users[0].name, hostKeys })
  const keys = server.hostKeys.map((_, index) => `${own}/host_key_${index}`)
  const contents: Record<string, string> = {
    [`${own}/config`]: sshdConfigText(config, {
      ...{ address, port, hostKeys: keys, authorized: `${own}/authorized_keys`, mark: base },
      version: await sshdVersion(sshd),
      passwords: pam ? 'pam' : 'plain',
    }),
    [`${own}/authorized_keys`]: `${server.key.public}\n`,
    '/etc/pam.d/sshd': pamRules,
  }
  for (const [index, { file }] of server.hostKeys.entries()) {
    contents[keys[index]!] = await readFile(file, 'utf8')
  }
  const files = Object.entries(contents).map(
    ([file, content]) => `printf %s ${quote(content)} >${file}`,
  )
  await script(
    [
      `mkdir -p ${own}`,
      ...files,
      `chmod 600 ${keys.join(' ')}`,
      ...users.map(addUser),
      setup,
      '',
    ].join('\n'),
  )
  return {
    ...server,
    script,
    ...(await serve([...enter, sshd, '-D', '-e', '-f', `${own}/config`])),
  }
}

/** Commands that add a user, whose home is `/home/<name>`. */
function addUser({ name, password, shell = '/bin/sh', sudoers = [] }: TestUser): string {
  const rules = sudoers.map(line => `${line.replaceAll('@', name)}\n`).join('')
  return [
    `useradd -m -s ${quote(shell)} ${name}`,
    // `*`: no password is the right one, and the account is not locked.
    password === undefined
      ? `usermod -p '*' ${name}`
      : `printf '%s\\n' ${quote(`${name}:${password}`)} | chpasswd`,
    ...(rules === '' ? [] : [`printf %s ${quote(rules)} >/etc/sudoers.d/${name}`]),
  ].join('\n')
}

/** The output of a command that gets this input. */
async function output(command: readonly string[], input: string): Promise<string> {
  const child = spawn(command[0]!, command.slice(1))
  const closed = new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  child.stdin.on('error', () => {})
  child.stdin.end(input)
  const [stdout, stderr, status] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    closed,
  ])
  if (status !== 0) throw new Error(`exit status ${status}: ${stderr}`)
  return stdout
}
