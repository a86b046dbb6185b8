/** Inventories that Ansible reads and hostwright does not yet: each is named as what it is. Pure. */
import { UsageError } from '../errors.ts'

const hint = 'Write its hosts into a hosts.ini: ansible-inventory --list shows them.'

/**
 * Refuses what is no hosts.ini.
 * @param shownAs the file’s name in messages
 * @param start how the file begins
 * @throws {UsageError} inventory_invalid
 */
export function refuseOtherKind(shownAs: string, start: string): void {
  const kind = kindOf(shownAs, start)
  if (kind === undefined) return
  throw new UsageError('inventory_invalid', `${shownAs} is ${kind}, which is not read yet`, {
    at: shownAs,
    hint,
  })
}

function kindOf(name: string, start: string): string | undefined {
  if (start.startsWith('#!') || start.startsWith('\x7fELF')) return 'an executable inventory'
  if (start.startsWith('$ANSIBLE_VAULT;')) return 'an encrypted inventory'
  const first = start
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .find(line => !/^\s*(?:[#;].*)?$/.test(line))
  if (/\.json$/i.test(name) || /^\s*\{\s*(?:"|\}|$)/.test(first ?? '')) return 'a JSON inventory'
  const yaml = /\.ya?ml$/i.test(name) || /^---(?:\s|$)|^[\w.-]+:\s*(?:#.*)?$/.test(first ?? '')
  if (!yaml) return undefined
  const plugin = /^plugin:\s*["']?([\w.]+)/m.exec(start)?.[1]
  return plugin === undefined ? 'a YAML inventory' : `the configuration of the plugin ${plugin}`
}

/** Refuses what `-i` means to Ansible: a list of hosts. */
export function refuseHostList(wanted: string): void {
  if (!wanted.includes(',')) return
  const hosts = wanted.split(',').map(name => name.trim())
  const lines = hosts.filter(name => name !== '').join('\\n')
  throw new UsageError('usage', `-i ${wanted} is a list of hosts, which is not read yet`, {
    hint: `Pass them as a file: printf '${lines}\\n' | hostwright … -i /dev/stdin`,
  })
}

/** Files of an inventory’s directory that are not inventories themselves. */
const beside =
  /^(?:group_vars|host_vars|bootstrap\.ini|known_hosts|README.*|\..*|.*(?:~|\.orig|\.bak|\.retry|\.pyc|\.md))$/

/**
 * Refuses a directory without hosts.ini that holds other inventories.
 * @param names of the files in it
 */
export function refuseOtherFiles(shownAs: string, names: readonly string[]): void {
  const others = names.filter(name => !beside.test(name)).sort()
  if (others.length === 0) return
  throw new UsageError('usage', `${shownAs} has no hosts.ini, but ${listed(others)}`, {
    at: shownAs,
    hint: `Only hosts.ini is read. If ${others[0]} is in that format, name it: -i ${shownAs}/${others[0]}.`,
  })
}

/**
 * Whether a file beside hosts.ini holds hosts too, for Ansible.
 * @param start how it begins
 * @param program whether it may be run
 */
export function holdsHosts(name: string, start: string, program: boolean): boolean {
  if (beside.test(name) || name === 'hosts.ini') return false
  if (program && (start.startsWith('#!') || start.startsWith('\x7fELF'))) return true
  if (/^(?:hosts|inventory|ansible_hosts)(?:\.(?:ini|ya?ml|json|toml|cfg))?$/i.test(name))
    return true
  // Others are of any use: templates, certificates, values of a chart.
  if (!/\.ya?ml$/i.test(name)) return false
  return /^(?:plugin:\s|all:\s*(?:#.*)?$)|^[\w.-]+:[ \t]*\n(?:[ \t]*(?:#.*)?\n)*[ \t]+(?:hosts|children):[ \t]*$/m.test(
    start,
  )
}

const listed = (names: readonly string[]) =>
  names.length > 3
    ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
    : names.join(', ')
