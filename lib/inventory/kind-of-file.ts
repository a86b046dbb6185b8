/** What a file is to Ansible: an inventory of some kind, or none. Pure. */
import { UsageError } from '../errors.ts'

/** How a file begins says that it is run. */
export const isProgram = (start: string): boolean =>
  start.startsWith('#!') || start.startsWith('\x7fELF')

/** Whether a file may have an encrypted value in it. */
export const mayHoldVault = (text: string): boolean => text.includes('$ANSIBLE_VAULT;')

/** Names that Ansible may read as YAML or JSON: of these endings, or none. */
export const mayBeYaml = (name: string): boolean => /^[^.]*$|\.(?:ya?ml|json)$/.test(name)

/** Whether a file without an ending that is no good YAML was meant to be: otherwise it is INI. */
export function looksLikeYaml(text: string): boolean {
  const first = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .find(line => !/^\s*(?:[#;].*)?$/.test(line))
  return /^---(?:\s|$)|^[\w.-]+:\s*(?:#.*)?$|^\s*\{\s*(?:"|\}|$)/.test(first ?? '')
}

/** @throws {UsageError} inventory_invalid: the file configures a plugin, which is code of Ansible’s */
export function refusePlugin(shownAs: string, plugin: string): never {
  throw new UsageError(
    'inventory_invalid',
    `${shownAs} is the configuration of the plugin ${plugin}, which is not supported`,
    {
      at: shownAs,
      hint: 'Write what it finds into a file: ansible-inventory --list > hosts.json, and name that.',
    },
  )
}

/** As Ansible’s `INVENTORY_IGNORE_EXTS`; and what hostwright keeps beside inventories. */
const ignored =
  /^\.|^(?:group_vars|host_vars|vars_plugins|known_hosts)$|(?:\.pyc|\.pyo|\.swp|\.bak|~|\.rpm|\.md|\.txt|\.rst|\.orig|\.ini|\.cfg|\.retry)$/

/** The inventories among the names of a directory, in Ansible’s order. Of `.ini` files, hosts.ini is one. */
export const inventoriesAmong = (names: readonly string[]): string[] =>
  names.filter(name => name === 'hosts.ini' || !ignored.test(name)).sort()

/**
 * Whether a file beside hosts.ini, where much else may be, holds hosts too.
 * @param start how it begins
 * @param program whether it may be run
 */
export function holdsHosts(name: string, start: string, program: boolean): boolean {
  if (name === 'hosts.ini') return true
  if (ignored.test(name)) return false
  if (program && isProgram(start)) return true
  if (/^(?:hosts|inventory|ansible_hosts)(?:\.(?:ya?ml|json))?$/i.test(name)) return true
  // Others are of any use: templates, certificates, values of a chart.
  if (!/\.ya?ml$/i.test(name)) return false
  return /^(?:plugin:\s|all:\s*(?:#.*)?$)|^[\w.-]+:[ \t]*\n(?:[ \t]*(?:#.*)?\n)*[ \t]+(?:hosts|children):[ \t]*$/m.test(
    start,
  )
}
