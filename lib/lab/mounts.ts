/**
 * The mounts of a view of the machine’s file system. An overlay shows one file system, not those mounted
 * below it, so each gets its own overlay.
 */

/** `layer`: a directory to overlay with a writable layer. `file`: a single file to copy. */
export interface Mount {
  path: string
  type: 'layer' | 'file'
}

/** The view gets fresh versions of these; mounts below them are not included. */
const fresh = ['/proc', '/sys', '/dev', '/run', '/tmp', '/var/run']

const kernelTypes = new Set(
  'autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs fusectl hugetlbfs mqueue nsfs proc pstore rpc_pipefs securityfs sysfs tracefs'.split(
    ' ',
  ),
)

/** Whether `path` is `root` or below it. */
export function isUnder(path: string, root: string): boolean {
  return path === root || path.startsWith(root === '/' ? '/' : `${root}/`)
}

/**
 * The mounts to overlay, parents first, from /proc/self/mountinfo (format: proc(5)).
 * @param isDirectory called for each mount point
 * @param without a directory whose mounts are excluded: the lab’s own
 */
export function mountsToLayer(
  mountinfo: string,
  isDirectory: (path: string) => boolean,
  without: string,
): Mount[] {
  const paths = new Set<string>()
  for (const line of mountinfo.split('\n')) {
    const fields = line.split(' ')
    const path = fields[4]?.replace(/\\([0-7]{3})/g, (_, octal) =>
      String.fromCharCode(Number.parseInt(octal, 8)),
    )
    const type = fields[fields.indexOf('-') + 1]
    if (path === undefined || type === undefined || kernelTypes.has(type)) continue
    if ([...fresh, without].some(root => isUnder(path, root))) continue
    paths.add(path)
  }
  return [...paths]
    .sort((a, b) => (a < b ? -1 : 1))
    .map(path => ({ path, type: isDirectory(path) ? 'layer' : 'file' }))
}
