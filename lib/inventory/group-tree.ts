/**
 * Groups, the groups in them, and what follows from that: who is in what, and whose variables win.
 * The order of children and of hosts is the order in which Ansible links them, because slices of a
 * pattern count hosts in it.
 */
import type { Variable } from './setting.ts'

export interface Group {
  readonly name: string
  /** Hosts named in the group itself. */
  readonly hosts: Set<string>
  readonly vars: Map<string, Variable>
  readonly children: Set<Group>
  readonly parents: Set<Group>
  /** `ansible_group_priority`: among groups of one depth the higher is merged later. */
  priority: number
}

/** Groups by name, in the order of their first section; `all` and `ungrouped` are always there. */
export type GroupTree = Map<string, Group>

export function createGroupTree(): GroupTree {
  const tree: GroupTree = new Map()
  link(addGroup(tree, 'all'), addGroup(tree, 'ungrouped'))
  return tree
}

/** The group of that name, made where there is none. */
export function addGroup(tree: GroupTree, name: string): Group {
  let group = tree.get(name)
  if (!group) {
    group = {
      name,
      hosts: new Set(),
      vars: new Map(),
      children: new Set(),
      parents: new Set(),
      priority: 1,
    }
    tree.set(name, group)
  }
  return group
}

/** Makes `child` a child of `parent`; false, and nothing is done, where that would be a circle. */
export function link(parent: Group, child: Group): boolean {
  if (ancestors(parent).has(child)) return false
  parent.children.add(child)
  child.parents.add(parent)
  return true
}

/** `group` and every group above it. */
export function ancestors(group: Group): Set<Group> {
  const found = new Set([group])
  // A Set being walked also yields what is added meanwhile.
  for (const each of found) for (const parent of each.parents) found.add(parent)
  return found
}

/**
 * Puts everything under `all`, and into `ungrouped` exactly the hosts that are in no other group.
 * To be called once, when all groups and hosts are known.
 */
export function completeTree(tree: GroupTree, hosts: Iterable<string>): void {
  const all = tree.get('all')!
  const ungrouped = tree.get('ungrouped')!
  for (const group of tree.values()) {
    if (group !== all && group.parents.size === 0) link(all, group)
  }
  const grouped = new Set<string>()
  for (const group of tree.values()) {
    if (group !== all && group !== ungrouped) for (const host of group.hosts) grouped.add(host)
  }
  for (const host of hosts) {
    if (grouped.has(host)) ungrouped.hosts.delete(host)
    else ungrouped.hosts.add(host)
  }
}

/** The hosts of a group and its descendants: its own first, then its children's, level by level. */
export function hostsBelow(group: Group): string[] {
  const below = new Set([group])
  for (const each of below) for (const child of each.children) below.add(child)
  return [...new Set([...below].flatMap(each => [...each.hosts]))]
}

/**
 * All groups in the order their variables are merged in, later wins: by depth (the longest way down
 * from `all`), then priority, then name.
 */
export function mergeOrder(tree: GroupTree): Group[] {
  const depths = new Map<Group, number>()
  const depth = (group: Group): number => {
    let known = depths.get(group)
    if (known === undefined) {
      known = Math.max(-1, ...[...group.parents].map(depth)) + 1
      depths.set(group, known)
    }
    return known
  }
  return [...tree.values()].sort(
    (a, b) => depth(a) - depth(b) || a.priority - b.priority || (a.name < b.name ? -1 : 1),
  )
}
