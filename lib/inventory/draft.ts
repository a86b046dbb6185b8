/** What a reader of inventories makes of its file, and the inventory that becomes of it. */
import { dirname } from 'node:path'
import { UsageError } from '../errors.ts'
import type { Fail } from './fault.ts'
import {
  completeTree,
  createGroupTree,
  type Group,
  type GroupTree,
  hostsBelow,
  link,
  mergeOrder,
} from './group-tree.ts'
import {
  type Common,
  type Defaults,
  describeHost,
  implicitLocalhost,
  readDefaults,
  readOverrides,
  unsupportedHost,
} from './host.ts'
import type { Host, Inventory } from './inventory.ts'
import type { Variable } from './setting.ts'

/** Groups and hosts as they are written. */
export interface Draft {
  readonly tree: GroupTree
  /** Variables from host lines, by host, in the order of their first mention. */
  readonly hosts: Map<string, Map<string, Variable>>
  /** Groups that have variables but no section of their own yet. */
  readonly onlyVars: Map<string, Fail>
  /** Groups named as children before their own section. */
  readonly awaited: Map<string, { parent: Group; fail: Fail }[]>
}

/** Reads the text of a file; `shownAs` is the file’s name in messages. */
export type Reader = (text: string, shownAs: string) => Draft

/** An inventory without hosts: the groups `all` and `ungrouped`. */
export const createDraft = (): Draft => ({
  tree: createGroupTree(),
  hosts: new Map(),
  onlyVars: new Map(),
  awaited: new Map(),
})

/** Makes `child` a child of `parent`, unless that would be a circle. */
export function adopt(parent: Group, child: Group, fail: Fail): void {
  if (link(parent, child)) return
  fail(
    parent === child
      ? `${child.name} can’t be its own child`
      : `${child.name} can’t be a child of ${parent.name}: ${parent.name} is already below ${child.name}`,
  )
}

/** What an inventory is beside what its file says. */
export interface InventoryOptions {
  /** Path of the file; relative paths in it start from its directory. */
  file: string
  environment: string
  /** `--var key=value`: they override everything in the file. */
  overrides?: Record<string, string>
  /** Values from options for hosts that the file does not set. */
  defaults?: Defaults
  /** The value of `~` in paths on this machine; without it `~` stays. */
  home?: string
}

/** @throws {UsageError} `inventory_invalid` with file and line; `invalid_value` for an override */
export function assemble(draft: Draft, options: InventoryOptions): Inventory {
  const { file, environment, home } = options
  completeTree(draft.tree, draft.hosts.keys())
  const directory = dirname(file)
  const common: Common = {
    directory,
    home,
    overrides: readOverrides(options.overrides),
    defaults: readDefaults(options.defaults),
  }
  return { environment, file, directory, ...tieTogether(draft, common) }
}

/** One host that can't be reached must not spoil the inventory for the others. */
function supported(
  name: string,
  unsupported: Map<string, UsageError>,
  host: { whole(): Host; named(): Host },
): Host {
  try {
    return host.whole()
  } catch (error) {
    // What options and --var say is wrong for all hosts.
    if (!(error instanceof UsageError) || error.code !== 'inventory_invalid') throw error
    unsupported.set(name, error)
    return host.named()
  }
}

/** Builds the hosts from the draft: merges variables, reads settings, lists members. */
function tieTogether(
  { tree, hosts: drafts }: Draft,
  common: Common,
): Pick<Inventory, 'hosts' | 'groups' | 'sliceOrder' | 'unsupported' | 'localhost'> {
  const sliceOrder = new Map([...tree].map(([name, group]) => [name, hostsBelow(group)]))
  const members = new Map([...sliceOrder].map(([name, hosts]) => [name, new Set(hosts)]))
  const groups = new Map(
    [...members].map(([name, set]) => [name, [...drafts.keys()].filter(host => set.has(host))]),
  )
  const merging = mergeOrder(tree)
  const unsupported = new Map<string, UsageError>()
  const hosts = [...drafts].map(([name, own]) => {
    const its = merging.filter(group => members.get(group.name)!.has(name))
    const vars = new Map([...its.flatMap(group => [...group.vars]), ...own])
    const names = its.map(group => group.name).filter(group => group !== 'all')
    return supported(name, unsupported, {
      whole: () => describeHost(name, names, vars, common),
      named: () => unsupportedHost(name, names, vars, common),
    })
  })
  const everyone = tree.get('all')!.vars
  // A host of that name in the file is another one.
  const ofLocalhost = drafts.has('localhost') ? new Map<string, UsageError>() : unsupported
  const localhost = supported('localhost', ofLocalhost, {
    whole: () => implicitLocalhost(everyone, common),
    named: () => unsupportedHost('localhost', [], everyone, common),
  })
  return { hosts, groups, sliceOrder, unsupported, localhost }
}
