/** Groups and hosts as they are written: what readers of inventories make of their files, one after another. */
import { asNumber, isFloat } from '../templates/values.ts'
import type { Fail } from './fault.ts'
import { createGroupTree, type Group, type GroupTree, link } from './group-tree.ts'
import type { Variable } from './setting.ts'

/** Groups and hosts as they are written. */
export interface Draft {
  readonly tree: GroupTree
  /** In the order of their first mention. */
  readonly hosts: Map<string, DraftHost>
  /** What is odd, but no error. */
  readonly warnings: string[]
  /** Whether a file has a value that is encrypted. */
  holdsVault: boolean
  /** Whether a file may have a template. */
  holdsTemplate: boolean
}

/** A host as it is written. */
export interface DraftHost {
  /** Those of the host itself. */
  readonly vars: Map<string, Variable>
  /** Path of the inventory that has it first, or the list of hosts of `-i`. */
  readonly source?: string
}

/** An inventory without hosts: the groups `all` and `ungrouped`. */
export const createDraft = (): Draft => ({
  tree: createGroupTree(),
  hosts: new Map(),
  warnings: [],
  holdsVault: false,
  holdsTemplate: false,
})

/** Adds a host to a group, if there is one. Later variables win. */
export function addHost(
  draft: Draft,
  { name, group, source }: { name: string; group?: Group; source?: string },
  vars: Iterable<readonly [string, Variable]> = [],
): void {
  const known = draft.hosts.get(name)
  const host = known ?? { vars: new Map(), source }
  if (!known) draft.hosts.set(name, host)
  for (const [key, variable] of vars) host.vars.set(key, variable)
  group?.hosts.add(name)
}

/** Gives a group a variable, or its priority. */
export function setGroupVariable(group: Group, key: string, variable: Variable): void {
  if (key !== 'ansible_group_priority') {
    group.vars.set(key, variable)
    return
  }
  const { value, fail } = variable
  // As Python’s int().
  const text = isFloat(value) ? String(Math.trunc(asNumber(value))) : String(value)
  if (!/^\s*[-+]?\d{1,9}\s*$/.test(text))
    fail(`ansible_group_priority must be a whole number: '${String(value)}'`)
  group.priority = Number(text)
}

/** Makes `child` a child of `parent`, unless that would be a circle. */
export function adopt(parent: Group, child: Group, fail: Fail): void {
  if (link(parent, child)) return
  fail(
    parent === child
      ? `${child.name} can’t be its own child`
      : `${child.name} can’t be a child of ${parent.name}: ${parent.name} is already below ${child.name}`,
  )
}
