/** Reads an inventory in YAML or JSON: groups with their `hosts`, `vars` and `children`, as Ansible’s plugin `yaml`. */
import { addHost, adopt, type Draft, setGroupVariable } from '../draft.ts'
import { type Fail, failAt, type Place, placeOf } from '../fault.ts'
import { addGroup, type Group } from '../group-tree.ts'
import { expandHosts } from '../host-name.ts'
import type { Variable } from '../setting.ts'
import { type Entry, kindOf, type Tree } from './tree.ts'

/** The file that is read. */
export interface TreeSource {
  path: string
  /** Its name in messages. */
  shownAs: string
}

interface Reading {
  readonly draft: Draft
  readonly path: string
  at(line: number | undefined): { at: Place; fail: Fail }
  warn(line: number | undefined, what: string): void
}

/**
 * Adds the hosts and groups of a file.
 * @throws {UsageError} inventory_invalid
 */
export function readHostsTree(draft: Draft, tree: Tree, { path, shownAs }: TreeSource): void {
  const reading: Reading = {
    ...{ draft, path },
    at: line => ({ at: { file: shownAs, line }, fail: failAt(shownAs, line) }),
    warn: (line, what) => void draft.warnings.push(`${placeOf(shownAs, line)}: ${what}`),
  }
  const entries =
    tree.entries ??
    reading.at(tree.line).fail(`groups are expected here, not ${kindOf(tree.value)}`)
  for (const entry of entries) readGroup(reading, entry)
}

/** @returns undefined: it is none, which Ansible passes over too */
function readGroup(reading: Reading, { key, line, tree }: Entry): Group | undefined {
  const { draft, at, warn } = reading
  const fail: Fail = at(line).fail
  if (typeof key !== 'string' || key === '')
    fail(`the name of a group must be text: ${String(key)}`, 'Put it in quotes.')
  if (!tree.entries && tree.value !== null) {
    warn(line, `${key} is no group: it is ${kindOf(tree.value)}`)
    return undefined
  }
  if (/[\s:\]]/.test(key)) fail(`${JSON.stringify(key)} is not a group name`)
  const group = addGroup(draft.tree, key)
  for (const section of tree.entries ?? []) readSection(reading, group, section)
  return group
}

function readSection(reading: Reading, group: Group, { key, line, tree }: Entry): void {
  const { at, warn } = reading
  const known = key === 'vars' || key === 'children' || key === 'hosts'
  // A lone name stands for a mapping with it.
  const entries =
    known && typeof tree.value === 'string'
      ? [{ key: tree.value, line, tree: { line, value: null } }]
      : tree.entries
  if (!entries) {
    if (tree.value === null) return
    const what = `${String(key)} of ${group.name} must be a mapping, not ${kindOf(tree.value)}`
    if (known) at(line).fail(what, 'Write a colon behind each name: web1:')
    warn(line, what)
    return
  }
  if (key === 'vars') for (const entry of entries) readVariable(reading, group, entry)
  else if (key === 'children') for (const entry of entries) readChild(reading, group, entry)
  else if (key === 'hosts') for (const entry of entries) readHosts(reading, group, entry)
  else warn(line, `${String(key)} of ${group.name} is none of hosts, vars and children`)
}

function readVariable({ at }: Reading, group: Group, { key, line, tree }: Entry): void {
  setGroupVariable(group, String(key), { value: tree.value, ...at(line) })
}

function readChild(reading: Reading, parent: Group, entry: Entry): void {
  const { fail } = reading.at(entry.line)
  const { key } = entry
  if (key === 'all') fail('all can’t be the child of a group')
  if (key === 'ungrouped' && parent.name !== 'all') fail('ungrouped can’t be the child of a group')
  const child = readGroup(reading, entry) ?? fail(`${String(key)} is no group`)
  adopt(parent, child, fail)
}

function readHosts(reading: Reading, group: Group, { key, line, tree }: Entry): void {
  const { draft, path, at } = reading
  const place = at(line).at
  const fail: Fail = at(line).fail
  if (typeof key !== 'string')
    fail(`a host’s name must be text: ${String(key)}`, 'Put it in quotes.')
  if (!tree.entries && !isEmpty(tree.value))
    fail(`the variables of ${key} must be a mapping, not ${kindOf(tree.value)}`)
  const { names, port } = expandHosts(key, fail)
  const vars = new Map<string, Variable>()
  if (port !== undefined) vars.set('ansible_port', { value: port, at: place, fail })
  for (const entry of tree.entries ?? [])
    vars.set(String(entry.key), { value: entry.tree.value, ...at(entry.line) })
  for (const name of names) addHost(draft, { name, group, source: path }, vars)
}

/** What Python takes for nothing. */
const isEmpty = (value: unknown) =>
  value === null ||
  value === '' ||
  value === false ||
  value === 0 ||
  (Array.isArray(value) && value.length === 0)
