/** Which hosts a command line means. */
import { join, sep } from 'node:path'
import { isBootstrapError, UsageError } from '../errors.ts'
import { createFaults } from '../faults.ts'
import { type AnsibleCfg, readAnsibleCfg } from '../inventory/ansible-cfg.ts'
import type { Host, Inventory } from '../inventory/inventory.ts'
import { byName, withJumps } from '../inventory/jumps.ts'
import { loadInventory } from '../inventory/load.ts'
import { parseDuration } from '../inventory/parse-duration.ts'
import { shownOf } from '../inventory/password.ts'
import { refuseUnsupported, selectHosts } from '../inventory/pattern.ts'
import {
  readVaultPasswords,
  type VaultOptions,
  vaultSources,
} from '../inventory/vault/passwords.ts'
import { labDirectoryOf } from '../lab/directory.ts'
import type { SelectionOptions } from '../program/selection.ts'
import { isTag } from '../resources/resource.ts'
import { askSecret } from './ask-secret.ts'
import type { Place } from './command.ts'
import type { OptionValues } from './options/option.ts'
import { twoProjects } from './project.ts'

export interface Targets {
  inventory: Inventory
  hosts: Host[]
  /** What is not read of the inventory, reported once. */
  warnings: readonly string[]
  /** Says that recipes and hosts are from two projects, if they are. */
  twoProjects?: string
}

/**
 * The hosts that a command works on.
 * @param otherwise the pattern, if --on gives none
 * @throws {UsageError} no pattern, an inventory that can't be read, a pattern that matches nothing, or a host
 *   that can't be reached as the inventory says
 */
export async function findTargets(
  options: OptionValues,
  place: Place,
  otherwise?: string,
): Promise<Targets> {
  const { ansible, ...targets } = await select(options, place, otherwise)
  const { inventory, hosts } = targets
  refuseUnsupported(inventory, hosts)
  ansible?.refuseDeciding(withJumps(hosts, byName(inventory)))
  // What is odd in a file of variables shows when it is parsed.
  const warnings = [...(inventory.warnings ?? []), ...(ansible?.note ? [ansible.note] : [])]
  return { ...targets, warnings }
}

/** The hosts that a command names, whether or not they can be reached. */
export async function selectTargets(
  options: OptionValues,
  place: Place,
  otherwise?: string,
): Promise<Targets> {
  const { ansible, ...targets } = await select(options, place, otherwise)
  return targets
}

async function select(
  options: OptionValues,
  place: Place,
  otherwise?: string,
): Promise<Targets & { ansible?: AnsibleCfg }> {
  const pattern = (options.on as string | undefined) ?? otherwise
  if (!pattern) {
    throw new UsageError('usage', 'which hosts? --on <pattern> is missing', {
      hint: 'For example --on web, --on web1, --on all; `hostwright list hosts` shows them.',
    })
  }
  const { cwd, env } = place
  const ansible = await readAnsibleCfg({ cwd, project: place.project.inventories, env })
  const inventory = await loadInventory({
    inventory: options.inventory as readonly string[] | undefined,
    cwd,
    project: place.project.inventories,
    pattern,
    overrides: parseVariables(options.var as readonly string[]),
    defaults: {
      become: options.become === true,
      becomeUser: options.becomeUser as string | undefined,
      configured: ansible?.defaults,
    },
    configured: ansible?.inventory,
    labDirectory: labDirectoryOf(place.project.inventories),
    env,
    vaultPasswords: () =>
      readVaultPasswords(vaultSources(vaultOf(options, place, ansible)), askSecret),
  })
  const hosts = selectHosts(inventory, pattern)
  // A path that was given says itself where the hosts are from.
  const named = isWithin(inventory.file, place.project.inventories)
  return {
    ansible,
    inventory,
    hosts,
    warnings: inventory.warnings ?? [],
    twoProjects: named ? twoProjects(place.project) : undefined,
  }
}

const vaultOf = (
  options: OptionValues,
  { cwd, env }: Place,
  ansible: AnsibleCfg | undefined,
): VaultOptions => ({
  passwordFiles: (options.vaultPasswordFile ?? []) as readonly string[],
  ids: (options.vaultId ?? []) as readonly string[],
  ask: options.askVaultPass === true,
  ...{ cwd, env, configured: ansible?.vault },
})

const isWithin = (file: string, project: string | undefined) =>
  project !== undefined && file.startsWith(join(project, 'inventories') + sep)

/** `--var key=value`, each. */
export function parseVariables(texts: readonly string[]): Record<string, string> {
  const values: Record<string, string> = {}
  for (const text of texts) {
    const at = text.indexOf('=')
    const key = text.slice(0, Math.max(0, at))
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) {
      throw new UsageError('usage', `--var ${shownOf(text, text)}: must be key=value`, {
        hint: 'For example --var role=web.',
      })
    }
    values[key] = text.slice(at + 1)
  }
  return values
}

/** --tags, --skip-tags and --start-at. */
export function parseSelection(options: OptionValues): SelectionOptions {
  const faults = createFaults()
  const words = (key: string) => {
    const option = key === 'tags' ? '--tags' : '--skip-tags'
    const list = String(options[key] ?? '')
      .split(',')
      .map(word => word.trim())
      .filter(word => word !== '')
    if (options[key] !== undefined && list.length === 0)
      faults.keep(new UsageError('invalid_value', `${option} must name at least one tag`))
    for (const wrong of list.filter(word => !isTag(word)))
      faults.keep(
        new UsageError('invalid_value', `${option}: ${JSON.stringify(wrong)} is not a valid tag`, {
          hint: 'A tag has letters, digits, _, . and -; a comma is between two tags.',
        }),
      )
    return list
  }
  const startAt = options.startAt as string | undefined
  if (startAt?.trim() === '')
    faults.keep(new UsageError('invalid_value', '--start-at must name a task or a resource'))
  const selection = { tags: words('tags'), skipTags: words('skipTags'), startAt }
  faults.throwAny()
  return selection
}

/** A whole number from 1 to 999999. */
export function parseCount(option: string, text: string): number {
  if (!/^[1-9]\d{0,5}$/.test(text))
    throw new UsageError(
      'invalid_value',
      `${option} ${text}: must be a whole number from 1 to 999999`,
      { hint: `For example ${option} 3.` },
    )
  return Number(text)
}

/** Milliseconds of an option's duration. */
export function parseTime(option: string, text: string): number {
  try {
    return parseDuration(text)
  } catch (error) {
    if (!isBootstrapError(error)) throw error
    throw new UsageError(error.code, `${option}: ${error.message}`, error.details)
  }
}

/** The same for a timeout, which must leave some time. */
export function parseTimeout(option: string, text: string): number {
  const ms = parseTime(option, text)
  if (ms > 0) return ms
  throw new UsageError('invalid_value', `${option} ${text}: must be more than 0`, {
    hint: `For example ${option} 30s.`,
  })
}
