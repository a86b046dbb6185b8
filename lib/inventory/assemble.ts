/** The inventory that becomes of what readers have read. */
import { dirname } from 'node:path'
import { UsageError } from '../errors.ts'
import type { Scope } from '../templates/engine.ts'
import type { Draft } from './draft.ts'
import { completeTree, type Group, hostsBelow, mergeOrder } from './group-tree.ts'
import {
  type Common,
  type Defaults,
  type Described,
  describeHost,
  implicitLocalhost,
  readableVars,
  readDefaults,
  readOverrides,
  unsupportedHost,
} from './host.ts'
import type { HostVars } from './host-vars.ts'
import type { Host, Inventory } from './inventory.ts'
import { type LayerSources, layersOf, merge } from './layers.ts'
import { createResolver, type Decrypt, type Evaluate, type Merged } from './resolve.ts'
import type { Variable } from './setting.ts'
import { decryptVault } from './vault/decrypt.ts'

/** What an inventory is beside what its files say. */
export interface InventoryOptions {
  /** Path of the file; relative paths in it start from its directory. */
  file: string
  environment: string
  /** Files of variables. */
  layers?: LayerSources
  /** The directory of the project, which is Ansible’s `playbook_dir`. */
  project?: string
  /** `--var key=value`: they override everything in the file. */
  overrides?: Record<string, string>
  /** Values from options for hosts that the file does not set. */
  defaults?: Defaults
  /** The value of `~` in paths on this machine; without it `~` stays. */
  home?: string
  /** Default: templates are refused. */
  evaluate?: Evaluate
  functions?: Scope['functions']
  /** Default: vaults are refused. */
  decrypt?: Decrypt
}

/** Groups and hosts, linked for good. */
interface Linked {
  draft: Draft
  /** Hosts of each group and those below it, in the order in which slices count them. */
  sliceOrder: ReadonlyMap<string, readonly string[]>
  /** A host’s groups without `all`, in the order in which they are merged. */
  groupsOf(host: string): readonly Group[]
}

/** @throws {UsageError} `inventory_invalid` with file and line; `invalid_value` for an override */
export function assemble(draft: Draft, options: InventoryOptions): Inventory {
  const { file, environment, home, overrides, defaults } = options
  completeTree(draft.tree, draft.hosts.keys())
  const directory = dirname(file)
  const common: Common = {
    ...{ directory, home },
    overrides: readOverrides(overrides),
    defaults: readDefaults(defaults),
  }
  const linked = linkHosts(draft)
  const { sliceOrder, groupsOf } = linked
  const variables = createVariables(linked, options, common)
  const unsupported = new Map<string, UsageError>()
  const hosts = [...draft.hosts.keys()].map(name => {
    const groups = groupsOf(name).map(group => group.name)
    const described = variables.described(name, groups)
    return lazily(name, groups, {
      vars: () => readableVars(described(), common.overrides),
      whole: () => describeHost(described(), common),
      named: () => unsupportedHost(described(), common),
      refused: error => void unsupported.set(name, error),
    })
  })
  const groups = new Map(
    [...sliceOrder].map(([name, members]) => {
      const set = new Set(members)
      return [name, [...draft.hosts.keys()].filter(host => set.has(host))]
    }),
  )
  const byName = new Map(hosts.map(host => [host.name, host]))
  const localhost = createLocalhost(variables, common, error => {
    if (!draft.hosts.has('localhost')) unsupported.set('localhost', error)
  })
  const refusalOf = (name: string) => {
    // It is known once the host was looked at.
    void (byName.get(name) ?? (name === 'localhost' ? localhost : undefined))?.connection
    return unsupported.get(name)
  }
  return {
    ...{ environment, file, directory, hosts, groups, sliceOrder, localhost },
    warnings: draft.warnings,
    read: { tree: () => draft.tree, variablesOf: variables.of, valueOf: variables.find },
    unsupported: { get: refusalOf, has: name => refusalOf(name) !== undefined },
  }
}

function linkHosts(draft: Draft): Linked {
  const sliceOrder = new Map([...draft.tree].map(([name, group]) => [name, hostsBelow(group)]))
  const merging = mergeOrder(draft.tree).filter(({ name }) => name !== 'all')
  const found = new Map<string, Group[]>()
  for (const group of merging)
    for (const host of sliceOrder.get(group.name)!)
      found.set(host, [...(found.get(host) ?? []), group])
  return { draft, sliceOrder, groupsOf: host => found.get(host) ?? [] }
}

/** The variables of each host, merged when they are asked for, and their values. */
function createVariables(
  { draft, sliceOrder, groupsOf }: Linked,
  {
    layers = { inventory: [], parse: () => new Map() },
    project,
    evaluate,
    functions,
    decrypt,
  }: InventoryOptions,
  { overrides }: Common,
) {
  const { tree, hosts } = draft
  const all = tree.get('all')!
  const known = new Map<string, Merged>()
  const mergedOf = (name: string): Merged | undefined => {
    const own = hosts.get(name)?.vars ?? (name === 'localhost' ? new Map() : undefined)
    if (!own) return undefined
    const found =
      known.get(name) ??
      merge([...layersOf({ name, own, all, groups: groupsOf(name) }, layers), overrides])
    known.set(name, found)
    return found
  }
  const find = createResolver({
    mergedOf,
    hosts: [...hosts.keys()],
    groups: sliceOrder,
    groupsOf: name =>
      groupsOf(name)
        .map(group => group.name)
        .sort(),
    magicOf: name => magicOf(hosts.get(name)?.source, project),
    evaluate: evaluate ?? refuseTemplate,
    functions,
    decrypt: decrypt ?? withoutPassword,
  })
  /** Those of the inventory; overrides are kept apart. */
  const strongest = (merged: Merged) => {
    const vars = new Map<string, Variable>()
    for (const [key, all] of merged) {
      const own = all.find(variable => variable !== overrides.get(key))
      if (own) vars.set(key, own)
    }
    return vars
  }
  return {
    of: (name: string) => mergedOf(name) ?? new Map<string, readonly Variable[]>(),
    find,
    described: (name: string, groups: readonly string[]) => {
      let made: Described | undefined
      return () => {
        made ??= {
          ...{ name, groups, vars: strongest(mergedOf(name)!) },
          resolve: (key, variable) => find(name, key, variable),
        }
        return made
      }
    },
  }
}

const withoutPassword: Decrypt = (text, place) => decryptVault(text, [], place).reveal()

function refuseTemplate(): never {
  throw new Error('is a template, and templates are not evaluated here')
}

function magicOf(source: string | undefined, project: string | undefined) {
  const magic = new Map<string, unknown>()
  if (source !== undefined) {
    magic.set('inventory_file', source)
    magic.set('inventory_dir', dirname(source))
  }
  if (project !== undefined) magic.set('playbook_dir', project)
  return magic
}

/** How a host is made, and its variables alone, which need no look at how it is reached. */
interface Making {
  vars(): HostVars
  whole(): Host
  named(): Host
  refused(error: UsageError): void
}

/**
 * A host that is looked at when something of it is asked for but its name, groups and variables. One that can't be reached
 * must not spoil the inventory for the others.
 */
function lazily(name: string, groups: readonly string[], make: Making): Host {
  let made: Host | undefined
  const whole = () => {
    made ??= supported(make)
    return made
  }
  let vars: HostVars | undefined
  const host = {
    name,
    groups: [...groups].sort(),
    get vars() {
      vars ??= make.vars()
      return vars
    },
  }
  for (const key of hostKeys)
    Object.defineProperty(host, key, { get: () => whole()[key], enumerable: true })
  return host as Partial<Host> as Host
}

const hostKeys = [
  'connection',
  'sshTransport',
  'address',
  'port',
  'user',
  'privateKeyFile',
  'knownHostsFile',
  'sshConfigFile',
  'proxyJump',
  'insecureHostKey',
  'password',
  'become',
  'timeouts',
  'bootstrapDir',
  'root',
] as const satisfies readonly (keyof Host)[]

/** What is wrong with the values of a host. */
const ofOneHost = new Set(['inventory_invalid', 'template_invalid', 'vault_failed'])

function supported(make: Making): Host {
  try {
    return make.whole()
  } catch (error) {
    // What options and --var say is wrong for all hosts.
    if (!(error instanceof UsageError) || !ofOneHost.has(error.code)) throw error
    make.refused(error)
    return make.named()
  }
}

function createLocalhost(
  variables: ReturnType<typeof createVariables>,
  common: Common,
  refused: (error: UsageError) => void,
): Host {
  const described = variables.described('localhost', [])
  return lazily('localhost', [], {
    vars: () => readableVars(described(), common.overrides),
    whole: () => implicitLocalhost(described(), common),
    named: () => unsupportedHost(described(), common),
    refused,
  })
}
