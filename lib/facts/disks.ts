import { sectionsOf, wordsOf } from './answer-sections.ts'
import { preludeFact } from './fact.ts'

export interface FileSystem {
  /** `/dev/vda1`, `tmpfs`, `server:/export` … */
  readonly device: string
  readonly path: string
  /** `ext4`, `xfs`, `nfs4` …; empty where the host does not say. */
  readonly type: string
  readonly options: readonly string[]
  /** Sizes are undefined where they were not asked: of network file systems, which may never answer. */
  readonly sizeKib?: number
  readonly usedKib?: number
  /** What is left for users that are not root. */
  readonly availableKib?: number
}

export interface Partition {
  /** `/dev/vda1` */
  readonly path: string
  readonly sizeBytes: number
}

export interface Disk extends Partition {
  readonly removable: boolean
  /** Undefined where the kernel does not say. */
  readonly rotational?: boolean
  /** Empty where there is none. */
  readonly model: string
  readonly partitions: readonly Partition[]
}

export interface Disks {
  /** Block devices with a size; none where the kernel is not Linux. */
  readonly disks: readonly Disk[]
  /** What is mounted, but for the kernel's own (proc, sysfs …). */
  readonly fileSystems: readonly FileSystem[]
}

/**
 * Block devices, and file systems with their sizes.
 * @example
 * const { fileSystems } = await facts(disks)
 * const left = fileSystems.findLast(({ path }) => path === '/var')?.availableKib
 */
export const disks = preludeFact<Disks>('disks', parseDisks)

/** Types that hold nothing. */
const kernels =
  /^(proc|sysfs|cgroup2?|devpts|mqueue|debugfs|tracefs|securityfs|pstore|bpf|configfs|nsfs|binfmt_misc|fusectl|efivarfs|hugetlbfs|autofs|rpc_pipefs|selinuxfs)$/

/** Reads what lib/facts/disks.sh prints. */
export function parseDisks(text: string): Disks {
  const lines = sectionsOf(text)
  return { disks: devicesOf(lines('devices')), fileSystems: fileSystemsOf(lines) }
}

function devicesOf(lines: readonly string[]): Disk[] {
  const found: (Disk & { partitions: Partition[] })[] = []
  for (const line of lines) {
    const [kind, name = '', size, removable, rotational, ...model] = wordsOf(line)
    // The kernel counts in 512 bytes, whatever the disk does; it writes / as !.
    const device = { path: `/dev/${name.replaceAll('!', '/')}`, sizeBytes: Number(size) * 512 }
    if (kind === 'part') found.at(-1)?.partitions.push(device)
    else {
      found.push({
        ...device,
        removable: removable === '1',
        rotational: rotational === '-' ? undefined : rotational === '1',
        model: model.join(' ').replace(/^-$/, ''),
        partitions: [],
      })
    }
  }
  // A loop device that nothing uses, a drive without a disk.
  return found.filter(({ sizeBytes }) => sizeBytes > 0)
}

function fileSystemsOf(lines: ReturnType<typeof sectionsOf>): FileSystem[] {
  const sizes = new Map(lines('df').flatMap(line => sizeIn(line) ?? []))
  const mounts = lines('mounts').map(line => {
    const [device = '', path = '', type = '', options = ''] = wordsOf(line).map(unescaped)
    return { device, path, type, options: options.split(','), ...sizes.get(path) }
  })
  if (mounts.length > 0) return mounts.filter(({ type }) => !kernels.test(type))
  return [...sizes].map(([path, size]) => ({ path, type: '', options: [], ...size }))
}

/** `/dev/vda1  41152736 3465384 35564144  9% /`, of df -P; the path may hold blanks. */
function sizeIn(line: string) {
  const [, device, size, used, available, path] =
    /^(.+?)\s+(\d+)\s+(\d+)\s+(-?\d+)\s+(?:\d+%|-)\s+(\/.*)$/.exec(line) ?? []
  if (device === undefined || path === undefined) return undefined
  const numbers = {
    sizeKib: Number(size),
    usedKib: Number(used),
    availableKib: Number(available),
  }
  return [[path, { device, ...numbers }] as const]
}

/** The kernel writes blanks and backslashes as \ooo, of bytes. */
const unescaped = (word: string) =>
  word.replace(/\\([0-7]{3})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  )
