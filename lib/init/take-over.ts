/** An Ansible inventory that a project takes over: copied as it is. The original stays. */
import { cpSync, existsSync, statSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { UsageError } from '../errors.ts'

/** What Ansible reads beside an inventory file. */
const besideIt = ['group_vars', 'host_vars'] as const

/**
 * What is to be copied.
 * @param inventory a file, with group_vars and host_vars beside it, or a directory
 * @returns pairs: from where, and to which path in the environment’s folder
 * @throws {UsageError} usage: there is none
 */
export function findInventory(inventory: string): [from: string, to: string][] {
  const found = statSync(inventory, { throwIfNoEntry: false })
  if (found === undefined)
    throw new UsageError('usage', `there is no inventory ${inventory}`, { at: inventory })
  if (found.isDirectory()) return [[inventory, '.']]
  const folder = dirname(inventory)
  return [
    [inventory, hostsName(basename(inventory))],
    ...besideIt
      .filter(name => existsSync(join(folder, name)))
      .map((name): [string, string] => [join(folder, name), name]),
  ]
}

/** Ansible’s usual name of an INI inventory has no ending: hosts, production. */
const hostsName = (name: string) => (name.includes('.') ? name : 'hosts.ini')

/** @param environment the folder to copy to, which must not exist */
export function takeOver(found: readonly (readonly [string, string])[], environment: string): void {
  for (const [from, to] of found)
    cpSync(from, join(environment, to), { recursive: true, errorOnExist: true, force: false })
}
