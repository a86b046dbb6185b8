/** A task: resources that recipes share. */
import { file, task } from 'hostwright'

interface Motd {
  /** Where the host’s files begin: empty on a real host, a directory for some hosts of the lab. */
  root: string
  whom: string
}

export const motd = task('motd', ({ root, whom }: Motd) =>
  file(`${root}/etc/motd`, { content: `hello ${whom}\n`, mode: 0o644 }),
)
