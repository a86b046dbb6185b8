/** Transports to targets on this machine: a running container, or a directory with a root file system. */
import { createChildShells } from './child.ts'
import type { Transport } from './transport.ts'

/**
 * A running container, through `docker exec` or `podman exec`.
 * @param engine the program
 * @param target.name name or id of the container
 * @param target.user user in the container; default: the container’s own
 */
export function connectContainer(
  engine: 'docker' | 'podman',
  { name, user }: { name: string; user?: string },
): Transport {
  const as = user === undefined ? [] : ['--user', user]
  return within(engine, [engine, 'exec', '--interactive', ...as, '--', name])
}

/** @param root absolute path of the directory; entering it requires root */
export const connectChroot = (root: string): Transport => within('chroot', ['chroot', '--', root])

function within(kind: string, prefix: readonly string[]): Transport {
  const shells = createChildShells()
  return {
    kind,
    open: (command = ['sh']) => shells.start([...prefix, ...command]),
    close: shells.close,
  }
}
