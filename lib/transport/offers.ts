/** What a connection reaches that is the host’s own, and not that of the machine hostwright runs on. Pure. */
import type { Host } from '../inventory/inventory.ts'

/**
 * `kernel`: its settings, modules, swap and name. `mounts`: what is mounted. `processes`: those of the host,
 * with its services. `boot`: it can be restarted while this process goes on.
 */
export type Own = 'kernel' | 'mounts' | 'processes' | 'boot'

const offers: Readonly<Record<Host['connection'], readonly Own[]>> = {
  ssh: ['kernel', 'mounts', 'processes', 'boot'],
  // This process would end with it.
  local: ['kernel', 'mounts', 'processes'],
  docker: ['mounts', 'processes'],
  podman: ['mounts', 'processes'],
  chroot: [],
}

/** Whether what is reached over the connection has this for itself. */
export const isOwn = (connection: Host['connection'], own: Own): boolean =>
  offers[connection].includes(own)
