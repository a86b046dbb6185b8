/** Addresses and routes as Linux has them in /proc/net, for hosts without ip. Pure. */
import type { Placed, Route } from './addresses.ts'
import type { sectionsOf } from './answer-sections.ts'
import { wordsOf } from './answer-sections.ts'

type Lines = ReturnType<typeof sectionsOf>

export const kernelAddresses = (lines: Lines): Placed[] => [
  ...ipv4Of(lines),
  ...lines('inet6').map(ipv6In),
]

/** The default routes, the preferred one first. */
export function kernelRoutes(lines: Lines): Route[] {
  const ipv4 = routesOf(lines)
    .filter(({ mask }) => mask === 0)
    .map(
      ({ interface: of, gateway, metric }): Route => ({
        family: 'ipv4',
        address: gateway === 0 ? '' : dotted(gateway),
        interface: of,
        metric,
      }),
    )
  // Destination, its prefix, source, its prefix, next hop, metric, two counts, flags, interface.
  const ipv6 = lines('route6').flatMap((line): Route[] => {
    const [to = '', prefix, , , hop = '', metric = '', , , , of = ''] = wordsOf(line)
    if (prefix !== '00' || /[^0]/.test(to) || of === 'lo') return []
    const address = /[^0]/.test(hop) ? compressed(hop) : ''
    return [{ family: 'ipv6', address, interface: of, metric: Number.parseInt(metric, 16) }]
  })
  return [...ipv4, ...ipv6].sort((a, b) => a.metric - b.metric)
}

/** Iface Destination Gateway Flags RefCnt Use Metric Mask …: numbers as the machine has them in memory. */
function routesOf(lines: Lines) {
  return lines('route').flatMap(line => {
    const [of = '', to = '', gateway = '', , , , metric, mask = ''] = wordsOf(line)
    if (!/^[0-9A-F]{8}$/.test(to)) return []
    const [network, hop, bits] = [to, gateway, mask].map(swapped) as [number, number, number]
    return [{ interface: of, network, gateway: hop, metric: Number(metric), mask: bits }]
  })
}

/** The first byte of an address is the last of the number, on machines that count from the small end. */
const swapped = (hex: string) => Buffer.from(hex, 'hex').readUInt32LE()

/**
 * The trie of routes names our addresses, the list of routes the networks of interfaces: an address is on
 * the interface whose network it is in. One that is in none (a point-to-point link) is on no interface.
 */
function ipv4Of(lines: Lines): Placed[] {
  const trie = lines('trie')
  const own = trie.flatMap((line, at) => {
    const address = /^\s*\|-- ([\d.]+)$/.exec(trie[at - 1] ?? '')?.[1]
    return address !== undefined && /^\s*\/32 host LOCAL$/.test(line) ? [address] : []
  })
  const networks = routesOf(lines)
    .filter(({ gateway, mask }) => gateway === 0 && mask !== 0)
    .sort((a, b) => b.mask - a.mask)
  return [...new Set(own)].flatMap((address): Placed[] => {
    if (address.startsWith('127.'))
      return [{ interface: 'lo', family: 'ipv4', address, prefix: 8, scope: 'host' }]
    const number = numberOf(address)
    const network = networks.find(each => (number & each.mask) >>> 0 === each.network)
    if (!network) return []
    const prefix = 32 - Math.log2(2 ** 32 - network.mask)
    const scope = address.startsWith('169.254.') ? 'link' : 'global'
    return [{ interface: network.interface, family: 'ipv4', address, prefix, scope }]
  })
}

/** Address, number of the interface, prefix, scope, flags, interface; all but the last hexadecimal. */
function ipv6In(line: string): Placed {
  const [address = '', , prefix = '', scope = '', , of = ''] = wordsOf(line)
  return {
    interface: of,
    family: 'ipv6',
    address: compressed(address),
    prefix: Number.parseInt(prefix, 16),
    scope: scope === '20' ? 'link' : scope === '10' ? 'host' : 'global',
  }
}

const numberOf = (address: string) => Buffer.from(address.split('.').map(Number)).readUInt32BE()

const dotted = (number: number) => [24, 16, 8, 0].map(shift => (number >>> shift) & 0xff).join('.')

/** `fe80000000…0001` as `fe80::1`: the URL parser of the platform knows the rules. */
const compressed = (hex: string) =>
  new URL(`http://[${hex.replace(/.{4}(?=.)/g, '$&:')}]/`).hostname.slice(1, -1)
