/**
 * Groups and their children: which hosts are in which group, and whose variables win. Children and hosts are
 * in the order in which Ansible links them, because slices of a pattern count hosts in that order.
 */
import type { Variable } from './setting.ts'

export interface Group {
  readonly name: string
  /** Hosts named in the group itself. */
  readonly hosts: Set<string>
  readonly vars: Map<string, Variable>
  readonly children: Set<Group>
  readonly parents: Set<Group>
  /** `ansible_group_priority`: of groups with the same depth, the higher one is merged later. */
  priority: number
}

/** Groups by name, in the order of their first section; always includes `all` and `ungrouped`. */
export type GroupTree = Map<string, Group>

export function createGroupTree(): GroupTree {
  const tree: GroupTree = new Map()
  link(addGroup(tree, 'all'), addGroup(tree, 'ungrouped'))
  return tree
}

/** Returns the group of that name, and creates it if necessary. */
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

/** Makes `child` a child of `parent`; returns false and does nothing if that would be circular. */
export function link(parent: Group, child: Group): boolean {
  if (ancestors(parent).has(child)) return false
  parent.children.add(child)
  child.parents.add(parent)
  return true
}

/** `group` and every group above it. */
export function ancestors(group: Group): Set<Group> {
  const found = new Set([group])
  // Iterating over a Set also yields items added during the iteration.
  for (const each of found) for (const parent of each.parents) found.add(parent)
  return found
}

/**
 * Puts everything under `all`, and exactly the hosts without another group into `ungrouped`. Call it once,
 * when all groups and hosts are known.
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
 * All groups in the order in which their variables are merged, later ones win: by depth (the longest path
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
