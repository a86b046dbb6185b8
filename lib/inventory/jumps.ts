import type { Host, Inventory } from './inventory.ts'
import { refuseUnsupported } from './pattern.ts'
import { readJump } from './proxy-jump.ts'

/**
 * Finds a host of the inventory by its name.
 * @throws {UsageError} inventory_invalid, when one is found that is not supported
 */
export function byName(inventory: Inventory): (name: string) => Host | undefined {
  let known: ReadonlyMap<string, Host> | undefined
  return name => {
    known ??= new Map(inventory.hosts.map(host => [host.name, host]))
    const host = known.get(name)
    if (host) refuseUnsupported(inventory, [host])
    return host
  }
}

/** The hosts, and those of the inventory that the way to them leads over. */
export function withJumps(
  hosts: readonly Host[],
  hostNamed: (name: string) => Host | undefined,
): Host[] {
  const found = new Set(hosts)
  // A Set being walked also yields what is added meanwhile.
  for (const { proxyJump = 'none' } of found) {
    if (proxyJump === 'none') continue
    for (const part of proxyJump.split(',')) {
      const jump = hostNamed(readJump(part)?.host ?? '')
      if (jump) found.add(jump)
    }
  }
  return [...found]
}
