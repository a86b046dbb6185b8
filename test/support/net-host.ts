/**
 * A host with a network of its own: namespaces of network, mounts and processes, a veth pair to this machine, and
 * OpenSSH's sshd, which it can lose. Its file system is this machine's, but for /run and /root.
 */
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { onTestFinished as always } from 'vitest'
import type { Host } from '../../lib/inventory/inventory.ts'
import { findSshd } from '../../lib/lab/sshd.ts'
import type { Program } from './shells.ts'
import { type Reachable, reachable } from './sshd.ts'

const run = promisify(execFile)

export interface NetHost extends Omit<Reachable, 'host'> {
  host(changes?: Partial<Host>): Host
  /** A path of its own directory. */
  at(name: string): string
  /** Runs a command line there, past its network. */
  inside(script: string): Promise<string>
  /** Ends all processes but the first and the one by which it sees the test end, as a power cut would. */
  endAll(): Promise<void>
  /** Starts sshd again, as a handler would: a line for `sh`. */
  restart: string
  /** Our address, as it knows it. */
  controller: string
  /** Settles once it lets no new client in. */
  shutsOut(withinMs: number): Promise<void>
  /** Settles with how long it took, in milliseconds, until it lets a new client in. */
  letsIn(withinMs: number): Promise<number>
}

let hosts = 0

/**
 * @param onTestFinished of the test's own context, where tests run at the same time
 * @param shell what is `sh` there
 */
export async function netHost(onTestFinished = always, shell?: Program): Promise<NetHost> {
  const base = await mkdtemp(join(tmpdir(), 'hw-net-'))
  const number = (process.pid * 32 + hosts++) % 16_384
  const link = `hwn${number}`
  const [ours, theirs] = [1, 2].map(last => `10.213.${number >> 6}.${(number & 63) * 4 + last}`)
  const directory = join(base, 'host')
  await mkdir(directory)
  const at = (name: string) => join(directory, name)
  const server = await reachable({ directory, address: theirs!, port: 22, user: 'root' })
  await writeFile(at('authorized'), `${server.key.public}\n`)
  await writeFile(at('sshd_config'), configText(theirs!, at, server))
  const sshd = await findSshd()
  const restart = `[ ! -e ${at('sshd.pid')} ] || kill $(cat ${at('sshd.pid')}); for i in 1 2 3 4 5 6 7 8 9; do ss -Hltn | grep -q ':22 ' || break; sleep 0.1; done; ${sshd} -E ${at('sshd.log')} -f ${at('sshd_config')}`
  const holder = spawn(
    'unshare',
    [
      '--net',
      '--mount',
      '--pid',
      '--fork',
      '--kill-child',
      'sh',
      '-ec',
      init,
      'sh',
      directory,
      shell?.command[0] ?? '',
    ],
    { stdio: ['pipe', 'ignore', 'inherit'] },
  )
  const ended = once(holder, 'exit')
  onTestFinished(async () => {
    holder.kill('SIGKILL')
    await ended
    await rm(base, { recursive: true, force: true })
  })
  const pid = await childOf(holder.pid!)
  const inside = async (script: string) => {
    const enter = ['-t', pid, '-n', '-m', '-p', 'sh', '-c', script]
    return (await run('nsenter', enter)).stdout
  }
  await run('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', pid])
  await run('ip', ['address', 'add', `${ours}/30`, 'dev', link])
  await run('ip', ['link', 'set', link, 'up'])
  await until(() => readFile(at('ready')))
  await inside(
    `ip address add ${theirs}/30 dev eth0; ip link set eth0 up; ip link set lo up; ${restart}`,
  )
  const endAll = async () => {
    const all = (await inside('ls /proc')).split('\n').filter(name => /^\d+$/.test(name))
    const kept = ['1', (await readFile(at('keeper'), 'utf8')).trim()]
    const others = all.filter(each => !kept.includes(each)).join(' ')
    // Their ids may be given again, to this shell too.
    await inside(`kill -9 ${others} 2>/dev/null || :`).catch(() => {})
  }
  const letsIn = async (withinMs: number) => {
    const from = performance.now()
    await until(() => logIn(server), withinMs)
    return performance.now() - from
  }
  await letsIn(60_000)
  const shutsOut = (withinMs: number) =>
    until(async () => {
      // What began before must not succeed after it.
      const open = await logIn(server, 1500).then(
        () => true,
        () => false,
      )
      if (open) throw new Error('it lets us in')
    }, withinMs)
  return { ...server, at, inside, endAll, restart, controller: ours!, letsIn, shutsOut }
}

/** Process 1: it reaps those that lose their parents, and ends with the test. */
const init = `mount -t proc proc /proc
mount -t tmpfs none /run
mkdir /run/sshd
mount -t tmpfs none /root
sed 's/^root:[!*][^:]*:/root:x:/' /etc/shadow >"$1/shadow"
chmod 600 "$1/shadow"
mount --bind "$1/shadow" /etc/shadow
if [ -n "$2" ]; then mount --bind "$(command -v "$2")" "$(readlink -f /bin/sh)"; fi
: >"$1/ready"
exec 3<&0
cat <&3 >/dev/null &
keeper=$!
echo "$keeper" >"$1/keeper"
while kill -0 "$keeper"; do sleep 2 & wait "$!" || :; done`

const configText = (address: string, at: (name: string) => string, { hostKeys }: Reachable) =>
  [
    'Port 22',
    `ListenAddress ${address}`,
    `HostKey ${hostKeys[0]!.file}`,
    `PidFile ${at('sshd.pid')}`,
    `AuthorizedKeysFile ${at('authorized')}`,
    'StrictModes no',
    'UsePAM no',
    'PermitRootLogin prohibit-password',
    '',
  ].join('\n')

async function childOf(pid: number): Promise<string> {
  let found = ''
  await until(async () => {
    found = (await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8')).trim()
    if (found === '') throw new Error('it has no child')
  })
  return found
}

/** A new client of OpenSSH's, as a person would try. */
async function logIn({ address, key, knownHosts }: Reachable, timeout = 10_000): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const socket = connect({ host: address, port: 22, timeout: 1000 })
    socket.once('connect', () => socket.destroy() && resolve())
    socket.once('timeout', () => socket.destroy() && reject(new Error('timeout')))
    socket.once('error', reject)
  })
  const options = ['-F', 'none', '-i', key.file, '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=5']
  const trust = ['-o', `UserKnownHostsFile=${knownHosts}`]
  await run('ssh', [...options, ...trust, `root@${address}`, 'true'], { timeout })
}

/** Tries again and again; rejects as the last time. */
export async function until(work: () => Promise<unknown>, withinMs = 20_000): Promise<void> {
  const end = performance.now() + withinMs
  for (;;) {
    try {
      await work()
      return
    } catch (error) {
      if (performance.now() > end) throw error
      await delay(50)
    }
  }
}
