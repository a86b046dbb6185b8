import { isIPv6 } from 'node:net'
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
    const key = lockKey(host)
    const other = known.get(key)
    if (other === undefined) known.set(key, host)
    else {
      const named =
        connection === 'ssh' ? `${address} port ${port ?? 22}` : `${connection} ${address}`
      const at = connection === 'local' ? 'this machine' : named
      throw new UsageError('usage', `${other.name} and ${host.name} are both ${at}`, {
        hint: `Leave one out: --on '…:!${host.name}'. Both would share the lock in ${bootstrapDir}.`,
      })
    }
  }
}

/** The same for hosts that share a lock, which is in bootstrap_dir; by whichever user, it is the same one. */
export const lockKey = (host: Host): string =>
  JSON.stringify([host.connection, ...placeOf(host), host.bootstrapDir])

/** The same words for the same machine, as far as the inventory says. */
function placeOf(host: Host): (string | number)[] {
  const { connection, address, port, proxyJump, sshConfigFile } = host
  if (connection === 'local') return []
  if (connection !== 'ssh') return [address]
  // A private address behind another jump host, or with another configuration, is another machine.
  return [canonical(address), port ?? 22, proxyJump ?? '', sshConfigFile ?? '']
}

/** DNS ignores case and a dot at the end; an IPv6 address has many spellings. */
function canonical(address: string): string {
  const plain = address.toLowerCase()
  return isIPv6(plain) && !plain.includes('%')
    ? new URL(`http://[${plain}]`).hostname
    : plain.replace(/\.$/, '')
}
