/** Which variables a host has, and which of several of a name wins: Ansible’s precedence. Pure. */
import type { Group } from './group-tree.ts'
import type { Variable } from './setting.ts'
import type { FilesOf, VariableDirectory, VariableFile } from './variable-files.ts'

export type Variables = ReadonlyMap<string, Variable>

/** Where the variables of an inventory are from. */
export interface LayerSources {
  /** Files beside the inventories, in the order of `-i`. */
  inventory: readonly FilesOf[]
  /** Files beside the project. */
  project?: FilesOf
  parse(file: VariableFile): Variables
}

/** A host, and the groups that it is in, in the order in which they are merged. */
export interface Layered {
  name: string
  /** Those of its own lines. */
  own: Variables
  all: Group
  groups: readonly Group[]
}

/**
 * Sets of variables, the weakest first, as Ansible’s `VARIABLE_PRECEDENCE`: those of inventories, of groups’ files
 * and of the host; of the files, those beside the inventory and then those beside the project.
 */
export function layersOf(
  { name, own, all, groups }: Layered,
  { inventory, project, parse }: LayerSources,
): Variables[] {
  const files = (kind: VariableDirectory, names: readonly string[]) =>
    [...inventory, ...(project ? [project] : [])].flatMap(from =>
      names.flatMap(each => from(kind, each).map(parse)),
    )
  return [
    all.vars,
    ...groups.map(group => group.vars),
    ...files('group_vars', ['all']),
    ...files(
      'group_vars',
      groups.map(group => group.name),
    ),
    own,
    ...files('host_vars', [name]),
  ]
}

/** All variables of a name, the strongest first: it covers the others. */
export function merge(layers: readonly Variables[]): ReadonlyMap<string, readonly Variable[]> {
  const merged = new Map<string, Variable[]>()
  for (const layer of layers)
    for (const [name, variable] of layer) merged.set(name, [variable, ...(merged.get(name) ?? [])])
  return merged
}
