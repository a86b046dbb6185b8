/**
 * A host with a copy-on-write view of this machine’s file system, in its own mount, PID and UTS namespaces
 * (Linux, root). Everything it writes goes to a tmpfs mounted in its own mount namespace, so the machine
 * never sees it, and the kernel frees it with the last process of the host. Overlays:
 * Documentation/filesystems/overlayfs.rst in Linux. The upper layer must be on a different file system than
 * the lower one’s mount, which a tmpfs always is.
 */
import { execFile } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { makeDirectory } from '../make-directory.ts'
import { quote, quoteAll } from '../shell/quote.ts'
import { isUnder, type Mount, mountsToLayer } from './mounts.ts'

const run = promisify(execFile)

export interface View {
  /** Host name inside. */
  name: string
  /** An empty directory on the machine where the view is mounted, visible only to the host. */
  mountPoint: string
  /** Files of the machine to copy, with their targets, readable only by the server. */
  files: { from: string; to: string }[]
  /** Lines added to /etc/hosts. */
  hosts: string[]
  /** Paths of the machine that are also visible where the view is fresh (/tmp, /run). */
  keep: string[]
}

/** The directory of the view’s own files: a tmpfs, so it never interferes with the machine’s. */
export const viewDirectory = '/run/hostwright-lab'

/** Within the view, accessible only to root: N/up has exactly what the host has written in its layer N. */
export const layersDirectory = `${viewDirectory}/layers`

const prelude = `set -eu
umask 022
tmpfs() { mkdir -p "$2"; mount -t tmpfs -o "mode=$1" hostwright-lab "$2"; }
# layer NUMBER PATH: a writable view of PATH; read-only where no overlay of it can be made.
layer() {
  mkdir -p "$top/$1/up" "$top/$1/work" "$view$2"
  chown --reference="$2" "$top/$1/up" && chmod --reference="$2" "$top/$1/up" || :
  mount -t overlay -o "lowerdir=$2,upperdir=$top/$1/up,workdir=$top/$1/work" hostwright-lab "$view$2" && return
  [ "$2" != / ] || return 1
  mount --bind "$2" "$view$2" && mount -o remount,bind,ro "$view$2"
}
bind() { mkdir -p "$(dirname "$view$1")"; if [ -d "$1" ]; then mkdir -p "$view$1"; else : >>"$view$1"; fi; mount --bind "$1" "$view$1"; }
copy() { cat "$1" >"$top/copy" && rm -f "$view$1" && cat "$top/copy" >"$view$1"; }
`

const devices = `tmpfs 755 "$view/dev"
for each in null zero full random urandom tty; do
  [ ! -c "/dev/$each" ] || bind "/dev/$each"
done
mkdir "$view/dev/pts" "$view/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=0620,gid=5 devpts "$view/dev/pts"
mount -t tmpfs -o mode=1777 hostwright-lab "$view/dev/shm"
ln -s pts/ptmx "$view/dev/ptmx"
ln -s /proc/self/fd "$view/dev/fd"
for each in 0:stdin 1:stdout 2:stderr; do
  ln -s "/proc/self/fd/\${each%%:*}" "$view/dev/\${each#*:}"
done
`

/** Replaces the machine’s own state in a view. */
const adjustments = `mount -t proc proc "$view/proc"
mount -t sysfs -o ro sysfs "$view/sys" 2>/dev/null || mount --rbind /sys "$view/sys"
tmpfs 755 "$view/run"
tmpfs 1777 "$view/tmp"
mkdir -p "$view/run/lock" "$view/run/sshd" "$view${layersDirectory}"
# What the host has written stands there by itself: for who wants to know what changed.
mount --bind "$top" "$view${layersDirectory}"
chmod 1777 "$view/run/lock"
# Where a resolver service writes it to /run, the link would lead nowhere.
if [ -h /etc/resolv.conf ] && [ -r /etc/resolv.conf ]; then copy /etc/resolv.conf; fi
# sshd without PAM refuses a locked account, which root often is.
if grep -q '^root:!' /etc/shadow 2>/dev/null; then
  sed 's/^root:![^:]*:/root:*:/' /etc/shadow >"$top/copy"
  cat "$top/copy" >"$view/etc/shadow"
fi
`

/** The old root is removed completely: the machine is reachable only through the view. */
const enter = `cd "$view"
mkdir run/hostwright-lab/machine
pivot_root . run/hostwright-lab/machine
cd /
umount -l /run/hostwright-lab/machine
rmdir /run/hostwright-lab/machine
printf '%s\\n' "$name" >/proc/sys/kernel/hostname
printf '%s\\n' "$name" >/etc/hostname
`

/**
 * Process 1 of the host runs its server in the foreground (a shell ignores SIGINT in background processes,
 * and then every command on the host would), and reaps orphans. When it ends or is killed, the kernel ends
 * all others.
 */
const init = `exec sh -c '"$@"; exit "$?"' hostwright-lab-init "$@"
`

function layerLines(mounts: Mount[]): string {
  return mounts
    .map(({ path, type }, index) => {
      if (type === 'file') return `copy ${quote(path)} || :\n`
      const line = `layer ${index} ${quote(path)}`
      // Only the root is essential; another mount that fails must not stop the host.
      return path === '/' ? `${line}\n` : `${line} || :\n`
    })
    .join('')
}

/** The script that creates the view and becomes its process 1. Its arguments are the server’s command. */
export function viewScript(view: View, mounts: Mount[]): string {
  const files = view.files
    .map(({ from, to }) => {
      const target = `"$view"${quote(to)}`
      return `(umask 077; cat ${quote(from)} >${target})\n`
    })
    .join('')
  const kept = view.keep.filter(path => ['/tmp', '/run'].some(root => isUnder(path, root)))
  return [
    prelude,
    `name=${quote(view.name)}\nmount_point=${quote(view.mountPoint)}\n`,
    'tmpfs 700 "$mount_point"\ntop=$mount_point view=$mount_point/view\n',
    layerLines(mounts),
    devices,
    adjustments,
    kept.map(path => `bind ${quote(path)}\n`).join(''),
    files,
    enter,
    view.hosts.length > 0 ? `printf '%s\\n' ${quoteAll(view.hosts)} >>/etc/hosts\n` : '',
    init,
  ].join('')
}

function machineMounts(without: string): Mount[] {
  const isDirectory = (path: string) => existsSync(path) && statSync(path).isDirectory()
  return mountsToLayer(readFileSync('/proc/self/mountinfo', 'utf8'), isDirectory, without)
}

/**
 * Writes the script that creates the view.
 * @param labDirectory excluded from the view
 * @returns the command that runs `server` in it
 */
export async function viewCommand(
  view: View,
  labDirectory: string,
  server: string[],
): Promise<string[]> {
  const script = join(dirname(view.mountPoint), 'init.sh')
  await writeFile(script, viewScript(view, machineMounts(labDirectory)), { mode: 0o600 })
  const unshare = ['unshare', '--mount', '--pid', '--fork', '--uts', '--propagation', 'private']
  return [...unshare, 'sh', script, ...server]
}

/**
 * Whether hosts with views can be created here, tested by creating one.
 * @param directory an existing directory for the test
 * @returns why not; undefined if they can
 */
export async function whyNoViews(directory: string): Promise<string | undefined> {
  if (process.platform !== 'linux') return 'Linux is required'
  if (process.getuid?.() !== 0) return 'root is required'
  if (!(await isWholeRoot()))
    return 'not in a chroot: who enters a host would get to what is outside'
  const probe = join(directory, 'probe')
  const mountPoint = join(probe, 'mount')
  makeDirectory(mountPoint)
  try {
    const view: View = { name: 'probe', mountPoint, files: [], hosts: [], keep: [] }
    const [program, ...args] = await viewCommand(view, directory, ['true'])
    await run(program!, args, { timeout: 10_000 })
    return undefined
  } catch (error) {
    const { stderr, message } = error as Error & { stderr?: string }
    return stderr?.trim().split('\n').at(-1) || message.split('\n')[0]
  } finally {
    await rm(probe, { recursive: true, force: true })
  }
}

/** Whether our root is that of our mount namespace, where nsenter(1) gets to. */
async function isWholeRoot(): Promise<boolean> {
  const look = ['stat', '-L', '-c', '%d:%i', '/']
  const enter = ['nsenter', '--target', String(process.pid), '--mount', ...look]
  const [ours, theirs] = await Promise.all(
    [look, enter].map(async ([program, ...words]) => {
      const { stdout } = await run(program!, words, { timeout: 10_000 })
      return stdout
    }),
  ).catch(() => ['', undefined])
  return ours === theirs
}
