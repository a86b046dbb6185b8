import { isIP } from 'node:net'
import { checkOptions, type OptionKinds } from '../options.ts'
import { invalidOption, type Resource } from '../resource.ts'
import { type EditOptions, editKinds, editorResource } from './edited-file.ts'

export interface HostsOptions extends EditOptions {
  /** The name of the address, or that and its other names. */
  names?: string | readonly string[]
  /** The address has no line but this one. Default: false. */
  exclusive?: boolean
  /** The address must not have these names; without `names`: no line at all. */
  absent?: boolean
  /** Default: `/etc/hosts`. */
  path?: string
}

const optionKinds: OptionKinds<HostsOptions> = {
  names: 'text or texts',
  exclusive: 'flag',
  absent: 'flag',
  path: 'text',
  ...editKinds,
}

/**
 * An address and its names in /etc/hosts. There is a line of the address with these names in this order;
 * other lines of it stay. A name is taken from the lines of other addresses of the same kind (IPv4 or
 * IPv6), as it could not be found under both. Comments, order and spacing stay.
 * @param address of IPv4 or IPv6
 * @throws {UsageError} recipe_invalid, when declared
 * @example hosts('10.0.0.5', { names: ['db.example.com', 'db'] })
 * @example hosts('10.0.0.9', { absent: true })
 */
export function hosts(address: string, options: HostsOptions): Resource {
  checkOptions(`hosts ${address}`, options, optionKinds)
  const { names = [], exclusive = false, absent = false, path = '/etc/hosts' } = options
  const list = [names].flat()
  const title = `hosts ${[address, ...list].join(' ')}`
  if (isIP(address) === 0)
    throw invalidOption(title, `${JSON.stringify(address)} is not an IP address`)
  if (list.length === 0 && !absent) throw invalidOption(title, 'give its names')
  if (absent && exclusive) throw invalidOption(title, 'absent and exclusive contradict each other')
  const seen = new Set<string>()
  for (const name of list) {
    if (!/^[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_])?$/.test(name))
      throw invalidOption(title, `${JSON.stringify(name)} can’t be the name of a host`)
    if (seen.has(name.toLowerCase())) throw invalidOption(title, `${name} is named twice`)
    seen.add(name.toLowerCase())
  }
  const requests = [`H ${address}`, ...list.map(name => `T ${name}`)]
  if (exclusive) requests.push('O exclusive')
  if (absent) requests.push('D')
  return editorResource({ title, name: 'hosts', path, options, requests })
}
