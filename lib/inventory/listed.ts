/** The inventory as `ansible-inventory --list` shows it: groups, and each host’s variables as they are written. Pure. */
import { stars } from '../shell/secret.ts'
import type { Group } from './group-tree.ts'
import type { Host, Inventory } from './inventory.ts'
import { isPasswordName } from './password.ts'
import { isEncrypted, isList, isMapping, isUnsafe, mapping, type Written } from './value.ts'

/** What Ansible itself has under these names is no variable of a host. As its `INTERNAL_VARS`. */
const internal = new Set([
  'ansible_diff_mode',
  'ansible_config_file',
  'ansible_facts',
  'ansible_forks',
  'ansible_inventory_sources',
  'ansible_limit',
  'ansible_playbook_python',
  'ansible_run_tags',
  'ansible_skip_tags',
  'ansible_verbosity',
  'ansible_version',
  'inventory_dir',
  'inventory_file',
  'inventory_hostname',
  'inventory_hostname_short',
  'groups',
  'group_names',
  'omit',
  'playbook_dir',
])

/** A group’s members; what would be empty is left out. */
interface ListedGroup {
  hosts?: readonly string[]
  children?: readonly string[]
}

/** @param hosts those that are shown; groups without any of them are left out */
export function listInventory(
  { read }: Inventory,
  hosts: readonly Host[],
): Record<string, unknown> {
  const shown = new Set(hosts.map(({ name }) => name))
  const listed: [string, unknown][] = []
  const tree = read?.tree()
  if (tree) {
    const all = tree.get('all')!
    for (const group of [all, ...below(all)]) {
      const one = listGroup(group, shown)
      if (one) listed.push([group.name, one])
    }
  }
  const hostvars = hosts.map(({ name }) => [name, varsOf(read?.variablesOf(name))] as const)
  const some = hostvars.filter(([, vars]) => Object.keys(vars).length > 0)
  return mapping([...listed, ['_meta', { hostvars: mapping(some) }]]) as Record<string, unknown>
}

/** Each once, a group before its children. */
function below(group: Group, seen = new Set<Group>()): Group[] {
  return [...group.children].flatMap(child => {
    if (seen.has(child)) return []
    seen.add(child)
    return [child, ...below(child, seen)]
  })
}

function listGroup(group: Group, shown: ReadonlySet<string>): ListedGroup | undefined {
  const hosts = group.name === 'all' ? [] : [...group.hosts].filter(name => shown.has(name))
  const children = [...group.children].map(({ name }) => name)
  if (hosts.length === 0 && children.length === 0) return undefined
  return { ...(hosts.length > 0 && { hosts }), ...(children.length > 0 && { children }) }
}

function varsOf(variables: ReadonlyMap<string, readonly { value: Written }[]> | undefined) {
  const shown = [...(variables ?? [])].filter(([name]) => !internal.has(name))
  return mapping(
    shown.map(([name, [strongest]]) => [
      name,
      isPasswordName(name) && !isEncrypted(strongest!.value) ? stars : listed(strongest!.value),
    ]),
  )
}

/** As Ansible’s encoder of JSON. */
function listed(value: Written): unknown {
  if (isEncrypted(value)) return { __ansible_vault: value.text }
  if (isUnsafe(value)) return unsafeTexts(value.value)
  if (isList(value)) return value.map(listed)
  if (isMapping(value))
    return mapping(Object.entries(value).map(([key, item]) => [key, listed(item)]))
  return value
}

function unsafeTexts(value: Written): unknown {
  if (typeof value === 'string') return { __ansible_unsafe: value }
  if (isList(value)) return value.map(unsafeTexts)
  if (isMapping(value))
    return mapping(Object.entries(value).map(([key, item]) => [key, unsafeTexts(item)]))
  return value
}

/** JSON, with whole numbers of any size. */
export function toJson(value: unknown, indent = ''): string {
  const inner = `${indent}    `
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    return `[\n${value.map(item => `${inner}${toJson(item, inner)}`).join(',\n')}\n${indent}]`
  }
  if (typeof value === 'object' && value !== null && !('toJSON' in value)) {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    if (entries.length === 0) return '{}'
    const lines = entries.map(
      ([key, item]) => `${inner}${JSON.stringify(key)}: ${toJson(item, inner)}`,
    )
    return `{\n${lines.join(',\n')}\n${indent}}`
  }
  return JSON.stringify(value) ?? 'null'
}
