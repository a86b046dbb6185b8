/** Hosts with an init system of their own, the real one: systemd as process 1, OpenRC, SysV. */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { promisify } from 'node:util'
import { afterAll, beforeAll } from 'vitest'
import { viewCommand } from '../../lib/lab/overlay.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import { kill } from './descendants.ts'
import { hostPath, listingOfLayers, overlayHost, type ResourceHost } from './resource-hosts.ts'

const execute = promisify(execFile)

/** An overlay host where OpenRC has gone through its runlevels, with no services in them. */
export function openrcHost(): ResourceHost & { pid(): number } {
  const host = overlayHost()
  beforeAll(async () => {
    await host.script(
      `find /etc/runlevels -type l -exec rm -f {} +
for level in sysinit boot default; do openrc "$level"; done >/dev/null 2>&1
test -e /run/openrc/softlevel`,
      '/',
    )
  })
  return host
}

/** An overlay host without any other init than scripts. */
export const sysvHost = overlayHost

/** What resources change; systemd itself writes to /run and /var all the time. */
const settings = ['/etc', '/home', '/opt', '/root', '/srv', '/usr/local']

/** What of the machine's units has no place in a guest, or would reach the kernel that all share. */
const left = [
  'dev-hugepages.mount',
  'dev-mqueue.mount',
  'sys-fs-fuse-connections.mount',
  'sys-kernel-config.mount',
  'sys-kernel-debug.mount',
  'sys-kernel-tracing.mount',
  'systemd-journal-flush.service',
  'systemd-modules-load.service',
  'systemd-remount-fs.service',
  'systemd-sysctl.service',
  'systemd-sysusers.service',
  'systemd-tmpfiles-setup.service',
  'systemd-tmpfiles-setup-dev.service',
  'systemd-update-utmp.service',
]

const boot = `set -eu
mount -t proc proc /proc
mount -t cgroup2 cgroup2 /sys/fs/cgroup
cd /etc/systemd/system
for each in ${left.join(' ')}; do ln -sf /dev/null "$each"; done
printf '[Unit]\\nRequires=sysinit.target\\nAfter=sysinit.target\\n' >test.target
exec env -i container=hostwright PATH="$PATH" /lib/systemd/systemd --system --unit=test.target --log-target=null --show-status=no
`

// By its private socket; `--wait` would ask a message bus.
const untilRunning = 'until [ "$(systemctl is-system-running)" = running ]; do sleep 0.02; done'

/**
 * A host of which systemd is process 1, in namespaces and a control group of its own. To be called in a
 * `describe` that requires `overlay` and `systemd`; everything is gone at its end.
 */
export function systemdHost(): ResourceHost {
  let directory = ''
  let group = ''
  let pid = 0
  let count = 0
  let child: ChildProcess | undefined
  const enter = () => [
    'nsenter',
    '--target',
    String(pid),
    '--all',
    'env',
    '-u',
    'TMPDIR',
    `PATH=${hostPath}`,
  ]
  const inside = (words: string[], env: Record<string, string> = {}) =>
    execute(enter()[0]!, [...enter().slice(1), ...words], {
      env: { PATH: process.env.PATH, HOME: '/root', LANG: 'C.UTF-8', ...env },
      maxBuffer: 1 << 28,
    })
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hw-systemd-'))
    const mountPoint = join(directory, 'host', 'mount')
    await mkdir(mountPoint, { recursive: true })
    group = join(await controlGroups(), `hostwright-test-${process.pid}-${Date.now()}`)
    await mkdir(group)
    const namespaces = ['--pid', '--fork', '--mount', '--cgroup', '--propagation', 'private']
    const view = await viewCommand(
      { name: 'systemd', mountPoint, files: [], hosts: [], keep: [] },
      directory,
      ['unshare', '--kill-child', ...namespaces, 'sh', '-c', boot],
    )
    const join_ = 'echo $$ >"$0/cgroup.procs" && exec "$@"'
    child = spawn('sh', ['-c', join_, group, ...view], {
      stdio: ['ignore', 'ignore', 'pipe'],
    })
    let said = ''
    child.stderr!.on('data', chunk => (said += chunk))
    pid = await descendant(child, 'systemd').catch(error =>
      Promise.reject(new Error(said, { cause: error })),
    )
    await inside(['timeout', '20', 'sh', '-c', untilRunning])
  })
  afterAll(async () => {
    // The kernel ends all others of a namespace with its process 1.
    if (pid) kill(pid)
    if (child && child.exitCode === null) await once(child, 'exit')
    await removeGroup(group)
    await rm(directory, { recursive: true, force: true })
  })
  return {
    transport: shell => connectLocal({ shell: [...enter(), ...shell.command] }),
    directory: async () => {
      const made = `/srv/case-${++count}`
      await inside(['mkdir', '-p', made])
      return made
    },
    script: async (text, at) => (await inside(['sh', '-ec', `cd "$at"\n${text}`], { at })).stdout,
    snapshot: async () => {
      const written = (await inside(['sh', '-c', listingOfLayers(settings, [])])).stdout
      // The units that are left out, at least: else this would look at nothing.
      if (!written.includes('/etc/systemd/system/')) throw new Error('no layers are to be seen')
      return written
    },
  }
}

/** Where the second version of control groups is mounted. */
async function controlGroups(): Promise<string> {
  const mounts = await readFile('/proc/self/mounts', 'utf8')
  const line = mounts.split('\n').find(each => each.split(' ')[2] === 'cgroup2')
  if (!line) throw new Error('systemd as process 1 takes cgroup2')
  return line.split(' ')[1]!
}

/** The process of this name below a child, as soon as there is one. */
async function descendant(child: ChildProcess, name: string): Promise<number> {
  while (child.exitCode === null) {
    for (const pid of await lineOf(child.pid!)) {
      const comm = await readFile(`/proc/${pid}/comm`, 'utf8').catch(() => '')
      if (comm.trim() === name) return pid
    }
    await setTimeout(10)
  }
  throw new Error(`there will be no ${name}`)
}

/** A process, its first child, the child's first child, and so on. */
async function lineOf(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '')
  const first = children.trim().split(' ')[0]
  return [pid, ...(first ? await lineOf(Number(first)) : [])]
}

/** Its processes are ending; until the last is gone it can't be removed. */
async function removeGroup(group: string) {
  for (let tries = 0; ; tries++) {
    const found = (await execute('find', [group, '-depth', '-type', 'd'])).stdout.trim().split('\n')
    try {
      for (const each of found) await rmdir(each)
      return
    } catch (error) {
      if (tries > 200) throw error
      await setTimeout(20)
    }
  }
}
