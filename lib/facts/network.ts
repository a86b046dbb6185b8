import { isIPv4 } from 'node:net'
import type { Address, Placed, Route } from './addresses.ts'
import { sectionsOf, wordsOf } from './answer-sections.ts'
import { preludeFact } from './fact.ts'
import { kernelAddresses, kernelRoutes } from './proc-net.ts'

export interface Interface {
  readonly name: string
  /** Hardware address; empty where there is none. */
  readonly mac: string
  /** Undefined where the host does not say. */
  readonly mtu?: number
  /** Whether it carries traffic, as far as the kernel knows. */
  readonly up: boolean
  readonly addresses: readonly Address[]
}

export interface Gateway {
  /** Empty for a route that names an interface only. */
  readonly address: string
  readonly interface: string
}

export interface Network {
  readonly interfaces: readonly Interface[]
  /** Where the default route goes, the preferred one of each family. */
  readonly gateway: { readonly ipv4?: Gateway; readonly ipv6?: Gateway }
  /** Addresses that others can reach the host at, of all interfaces. */
  readonly addresses: readonly string[]
  /** Servers and domains of /etc/resolv.conf. */
  readonly nameservers: readonly string[]
  readonly search: readonly string[]
}

/**
 * Interfaces, addresses, default routes and name servers.
 * @example const [address] = (await facts(network)).addresses
 */
export const network = preludeFact<Network>('network', parseNetwork)

/** Reads what lib/facts/network.sh prints. */
export function parseNetwork(text: string): Network {
  const lines = sectionsOf(text)
  const links = text.split('\n').filter(line => line.startsWith('link '))
  const addresses = [...lines('addresses').flatMap(addressIn), ...kernelAddresses(lines)]
  const known = links.map(line => {
    const [, name = '', mtu, state, mac = ''] = wordsOf(line)
    return {
      name,
      mac: /[1-9a-f]/i.test(mac) && mac !== '-' ? mac : '',
      mtu: Number(mtu) || undefined,
      // The loopback and tunnels are `unknown`: they have no cable.
      up: state === 'up' || state === 'unknown',
    }
  })
  // Where there is no /sys, what is known is who has an address.
  const others = addresses
    .map(each => each.interface)
    .filter((name, at, all) => all.indexOf(name) === at && !known.some(each => each.name === name))
    .map(name => ({ name, mac: '', mtu: undefined, up: true }))
  const interfaces = [...known, ...others].map(each => ({
    ...each,
    addresses: addresses.filter(({ interface: of }) => of === each.name).map(bare),
  }))
  const gateways = [...lines('routes').flatMap(gatewayIn), ...kernelRoutes(lines)]
  const resolver = lines('resolver').map(wordsOf)
  const ofFamily = (family: Address['family']) => gateways.find(each => each.family === family)
  return {
    interfaces,
    gateway: { ipv4: through(ofFamily('ipv4')), ipv6: through(ofFamily('ipv6')) },
    addresses: addresses.filter(({ scope }) => scope === 'global').map(({ address }) => address),
    nameservers: resolver.flatMap(([key, server]) =>
      key === 'nameserver' && server !== undefined ? [server] : [],
    ),
    // The last of these lines counts.
    search: resolver.findLast(([key]) => key === 'search' || key === 'domain')?.slice(1) ?? [],
  }
}

const bare = ({ family, address, prefix, scope }: Placed): Address => ({
  family,
  address,
  prefix,
  scope,
})

/** `4: eth0    inet 192.0.2.2/24 brd 192.0.2.255 scope global eth0\ …` */
function addressIn(line: string): Placed[] {
  const words = wordsOf(line)
  const at = words.findIndex(word => word === 'inet' || word === 'inet6')
  if (at < 1) return []
  // A point-to-point link: `inet 10.0.0.1 peer 10.0.0.2/32`.
  const [address = '', own] = words[at + 1]!.split('/')
  const peer = words[at + 2] === 'peer' ? words[at + 3]?.split('/')[1] : undefined
  const family = words[at] === 'inet' ? 'ipv4' : 'ipv6'
  const scope = words[words.indexOf('scope') + 1]
  return [
    {
      interface: words[1]!.replace(/:$/, '').replace(/@.*$/, ''),
      family,
      address,
      prefix: Number(own ?? peer ?? (family === 'ipv4' ? 32 : 128)),
      scope: scope === 'link' || scope === 'host' ? scope : 'global',
    },
  ]
}

const through = (route: Route | undefined): Gateway | undefined =>
  route && { address: route.address, interface: route.interface }

/** `default via 192.0.2.1 dev eth0 proto dhcp metric 100`; the preferred one stands first. */
function gatewayIn(line: string): Route[] {
  const words = wordsOf(line)
  const after = (word: string) =>
    words.includes(word) ? words[words.indexOf(word) + 1] : undefined
  const via = after('via') === 'inet6' ? after('inet6') : after('via')
  const of = after('dev')
  if (words[0] !== 'default' || of === undefined) return []
  // Without a gateway the line does not say of which family it is.
  const family = via === undefined || isIPv4(via) ? 'ipv4' : 'ipv6'
  return [{ family, address: via ?? '', interface: of, metric: Number(after('metric') ?? 0) }]
}
