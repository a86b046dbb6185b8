import { UsageError } from '../errors.ts'
import type { Host } from './inventory.ts'

/**
 * Refuses hosts that are one machine under two names: they would share its lock, and a run would work there
 * twice at once. What only ~/.ssh/config knows to be the same is not found.
 * @throws {UsageError} usage
 */
export function refuseSameHost(hosts: readonly Host[]): void {
  const known = new Map<string, Host>()
  for (const host of hosts) {
    const { connection, address, port, bootstrapDir } = host
    // The lock is in bootstrap_dir; by whichever user, it is the same one.
    const place = connection === 'local' ? [] : [address.toLowerCase(), port ?? 22]
    const key = JSON.stringify([connection, ...place, bootstrapDir])
    const other = known.get(key)
    if (other === undefined) known.set(key, host)
    else {
      const at = connection === 'local' ? 'this machine' : `${address} port ${port ?? 22}`
      throw new UsageError('usage', `${other.name} and ${host.name} are both ${at}`, {
        hint: `Leave one out: --on '…:!${host.name}'. Both would share the lock in ${bootstrapDir}.`,
      })
    }
  }
}
