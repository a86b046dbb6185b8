/** Reads the inventories of a command, and the files of variables that belong to them. */
import { homedir } from 'node:os'
import { join, resolve } from 'node:path'
import { assemble, type InventoryOptions } from './assemble.ts'
import { createDraft, type Draft } from './draft.ts'
import type { Defaults } from './host.ts'
import { isTemplate } from './host-name.ts'
import type { Inventory } from './inventory.ts'
import { mayHoldVault } from './kind-of-file.ts'
import { createLookups, type LookupWorld } from './lookups.ts'
import { readSource } from './read-source.ts'
import { loadYaml } from './readers/yaml.ts'
import type { Decrypt } from './resolve.ts'
import { findSources, type SourceOptions } from './sources.ts'
import { createParser, findVariableFiles, type VariableFiles } from './variable-files.ts'
import { decryptVault, type VaultPassword } from './vault/decrypt.ts'

export interface LoadOptions extends SourceOptions {
  /** `--var key=value` */
  overrides?: Record<string, string>
  /** Values from options for hosts that the file does not set. */
  defaults?: Defaults
  /** Passwords of vaults; called once, if there are any vaults. */
  vaultPasswords?(): Promise<readonly VaultPassword[]>
  /** For `lookup('env', …)`. Default: none. */
  env?: LookupWorld['env']
}

/**
 * Reads the inventories of `-i`, or of HOSTWRIGHT_INVENTORY, or of ansible.cfg, or the only one.
 *
 * @throws {UsageError} `inventory_invalid`, `unknown_name` (no such environment), `usage` (none exists, or
 *   several exist and none is named)
 */
export async function loadInventory(options: LoadOptions): Promise<Inventory> {
  const { cwd, project, overrides = {}, defaults, env = {} } = options
  const found = await findSources(options)
  if (!found) return emptyInventory(cwd, overrides, defaults)
  const functions = createLookups({ env, directory: project ?? cwd })
  const settings = { overrides, defaults, functions, project: project ?? cwd, home: homedir() }
  const draft = createDraft()
  const once = createOnce(options)
  for (const source of found.sources)
    await readSource(draft, source, {
      yaml: once.yaml,
      decrypt: async (text, at) => (await once.vault())(text, { file: at }),
    })
  const { file, environment, directories } = found
  draft.holdsTemplate ||= Object.values(overrides).some(isTemplate)
  const more = await readVariables(draft, directories, { cwd, project, once })
  return assemble(draft, { file, environment, ...settings, ...more })
}

type Once = ReturnType<typeof createOnce>

const loadEngine = async () => ({ evaluate: (await import('../templates/engine.ts')).evaluate })

/** An inventory with only the implicit localhost. */
export function emptyInventory(
  cwd: string,
  overrides?: Record<string, string>,
  defaults?: Defaults,
): Inventory {
  const file = join(resolve(cwd), 'hosts.ini')
  return assemble(createDraft(), { file, environment: '', overrides, defaults, home: homedir() })
}

/** What is loaded, or asked for, once, and only if it is needed. */
function createOnce({ vaultPasswords }: Pick<LoadOptions, 'vaultPasswords'>) {
  let yaml: ReturnType<typeof loadYaml> | undefined
  let decrypt: Promise<Decrypt> | undefined
  return {
    yaml: () => {
      yaml ??= loadYaml()
      return yaml
    },
    vault: () => {
      decrypt ??= opener(vaultPasswords)
      return decrypt
    },
  }
}

const openWith =
  (passwords: readonly VaultPassword[]): Decrypt =>
  (text, place) =>
    decryptVault(text, passwords, place).reveal()

const opener = async (passwords: LoadOptions['vaultPasswords']) =>
  openWith((await passwords?.()) ?? [])

/** The files beside the inventories and beside the project. */
async function readVariables(
  draft: Draft,
  directories: readonly string[],
  { cwd, project = cwd, once }: { cwd: string; project?: string; once: Once },
): Promise<Pick<InventoryOptions, 'layers' | 'decrypt' | 'evaluate'>> {
  const names = {
    groups: [...draft.tree.keys()],
    hosts: [...draft.hosts.keys(), 'localhost'],
    cwd,
  }
  const inventory: VariableFiles[] = []
  for (const directory of directories) inventory.push(await findVariableFiles(directory, names))
  const beside = await findVariableFiles(project, names)
  const texts = [...inventory, beside].flatMap(each => each.texts)
  const holdsVault = draft.holdsVault || texts.some(mayHoldVault)
  const decrypt = holdsVault ? await once.vault() : openWith([])
  const yaml = texts.length > 0 ? await once.yaml() : () => undefined
  const holdsTemplate = draft.holdsTemplate || texts.some(isTemplate) || holdsVault
  return {
    ...(holdsTemplate && (await loadEngine())),
    layers: {
      inventory: inventory.map(each => each.filesOf),
      project: beside.filesOf,
      parse: createParser({ yaml, decrypt, warnings: draft.warnings }),
    },
    decrypt,
  }
}
