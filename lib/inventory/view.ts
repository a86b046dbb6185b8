/** The inventory as recipes see it: all of it, whichever hosts a run is about. */
import { unknownName } from '../shell/nearest.ts'
import { type HostVars, watchedVars } from './host-vars.ts'
import type { Host, Inventory } from './inventory.ts'
import { selectHosts } from './pattern.ts'

/** All hosts, groups and variables of the environment, whatever `--on` says. */
export interface InventoryView {
  /** The name of the directory that contains hosts.ini. */
  readonly environment: string
  /** In the order of their first mention in the file. */
  readonly hosts: readonly Host[]
  /** The names of all groups; `all` and `ungrouped` among them. */
  readonly groups: readonly string[]
  /**
   * @throws {UsageError} unknown_name, with the nearest names
   * @example inventory.host('db1').vars.port
   */
  host(name: string): Host
  /**
   * The hosts of a group and of its descendants, in the order of the file.
   * @throws {UsageError} unknown_name, with the nearest names
   * @example inventory.group('app').map(({ address }) => `${address}:8080`)
   */
  group(name: string): readonly Host[]
  /**
   * The hosts of a pattern, as for `--on`.
   * @throws {UsageError} unknown_name; no_hosts: it matches none
   */
  select(pattern: string): readonly Host[]
}

/** What makes a variable a secret, and what is done with one that is read. */
export interface SecretVariables {
  /** Names of variables whose values are secrets. */
  names: ReadonlySet<string>
  /** From now on nothing may show these values. */
  hide(values: readonly string[]): void
}

/** @param secrets variables of any of its hosts that are secrets: they are hidden once a recipe reads them */
export function createInventoryView(inventory: Inventory, secrets: SecretVariables): InventoryView {
  const { environment, hosts, groups } = inventory
  let named: ReadonlyMap<string, Host> | undefined
  const seen = new Map<Host, Host>()
  const show = (host: Host): Host => {
    const known = seen.get(host) ?? withWatchedVars(host, secrets)
    seen.set(host, known)
    return known
  }
  const byName = () => {
    named ??= new Map(hosts.map(host => [host.name, host]))
    return named
  }
  return {
    environment,
    get hosts() {
      return hosts.map(show)
    },
    get groups() {
      return [...groups.keys()]
    },
    host: name => {
      const found = byName().get(name)
      if (!found) throw unknownName('host', name, byName().keys())
      return show(found)
    },
    group: name => {
      const members = groups.get(name)
      if (!members) throw unknownName('group', name, groups.keys())
      return members.map(member => show(byName().get(member)!))
    },
    select: pattern => selectHosts(inventory, pattern).map(show),
  }
}

/** The host, whose variables are hidden as they are read, where they are secrets. */
export function withWatchedVars<H extends { readonly vars: HostVars }>(
  host: H,
  { names, hide }: SecretVariables,
): H {
  if (![...names].some(name => name in host.vars)) return host
  return {
    ...host,
    vars: watchedVars(host.vars, (name, value) => {
      if (names.has(name)) hide([value])
    }),
  }
}
