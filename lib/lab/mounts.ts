/**
 * What a view of the machine's file system is made of. An overlay shows one file system, not those
 * mounted below it, so each gets an overlay of its own.
 */

/** `layer`: a directory to lay a writable view over. `file`: a single file to copy. */
export interface Mount {
  path: string
  type: 'layer' | 'file'
}

/** These the view gets fresh; what is mounted below them is not for it. */
const fresh = ['/proc', '/sys', '/dev', '/run', '/tmp', '/var/run']

const kernelTypes = new Set(
  'autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs fusectl hugetlbfs mqueue nsfs proc pstore rpc_pipefs securityfs sysfs tracefs'.split(
    ' ',
  ),
)

/** Whether `path` is `root` or lies under it. */
export function isUnder(path: string, root: string): boolean {
  return path === root || path.startsWith(root === '/' ? '/' : `${root}/`)
}

/**
 * The mounts to lay over, parents first, from /proc/self/mountinfo (its format: proc(5)).
 * @param isDirectory asked of each mount point
 * @param without a directory whose mounts are left out: the lab's own
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
