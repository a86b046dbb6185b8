/** Addresses and routes, as hosts list them. */

export interface Address {
  readonly family: 'ipv4' | 'ipv6'
  readonly address: string
  /** Length of the network's part in bits: 24. */
  readonly prefix: number
  /** Who can reach it: everybody, those on the same link, or the host itself. */
  readonly scope: 'global' | 'link' | 'host'
}

/** An address and the interface that has it. */
export interface Placed extends Address {
  readonly interface: string
}

/** A default route. */
export interface Route {
  readonly family: Address['family']
  readonly address: string
  readonly interface: string
  readonly metric: number
}
