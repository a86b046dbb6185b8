/** Finds the inventory and reads it. */
import { readdir, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import { readFile, reasonOf } from '../read-file.ts'
import { unknownName } from '../shell/nearest.ts'
import { assemble, createDraft, type Reader } from './draft.ts'
import { failAt } from './fault.ts'
import type { Defaults } from './host.ts'
import type { Inventory } from './inventory.ts'
import { holdsHosts, refuseHostList, refuseOtherFiles, refuseOtherKind } from './other-kinds.ts'
import { isLocalPattern } from './pattern.ts'
import { readHostsIni } from './readers/hosts-ini.ts'

/** Files in an environment’s directory, and who reads them. The first that exists is the inventory. */
const readers: Readonly<Record<string, Reader>> = { 'hosts.ini': readHostsIni }

const fileNames = Object.keys(readers)

/** A file of another name is read as a hosts.ini. */
const readerOf = (file: string): Reader => readers[basename(file)] ?? readHostsIni

export interface LoadOptions {
  /** `-i`: an environment's name, or the path of a hosts.ini or of a directory with one. */
  inventory?: string
  cwd: string
  /** The directory whose inventories/ contains the environments, if there is one. */
  project?: string
  /** `--var key=value` */
  overrides?: Record<string, string>
  /** Values from options for hosts that the file does not set. */
  defaults?: Defaults
  /** Where to find `-i lab` if the project has no inventory of that name. */
  labDirectory?: string
  /** `--on`: if it is only `localhost` and there is no inventory, an empty one is returned. */
  pattern?: string
}

/**
 * Reads the inventory of `-i`, or of HOSTWRIGHT_INVENTORY, or the only one.
 *
 * @throws {UsageError} `inventory_invalid`, `unknown_name` (no such environment), `usage` (none exists, or
 *   several exist and none is named)
 */
export async function loadInventory(options: LoadOptions): Promise<Inventory> {
  const { cwd, overrides, defaults } = options
  const file = await findFile(options)
  if (file === undefined) return emptyInventory(cwd, overrides, defaults)
  const shown = relative(cwd, file)
  const shownAs = shown.startsWith('..') ? file : shown
  const text = await readText(file, shownAs)
  const read = readerOf(file)
  if (read === readHostsIni) refuseOtherKind(shownAs, text)
  const draft = read(text, shownAs)
  const inventory = assemble(draft, {
    file,
    // A lab’s directory may have any name.
    environment: dirname(file) === options.labDirectory ? 'lab' : basename(dirname(file)),
    overrides,
    defaults,
    home: homedir(),
  })
  const isNamed = resolve(cwd, options.inventory || process.env.HOSTWRIGHT_INVENTORY || '') === file
  return { ...inventory, notRead: isNamed ? [] : await othersBeside(file, dirname(shownAs)) }
}

/** In bytes: enough to know an inventory by. */
const enough = 65_536

/** Inventories beside the one of a directory, as they are shown: Ansible would read them all. */
async function othersBeside(file: string, shownIn: string): Promise<string[]> {
  const found: string[] = []
  for (const name of (await readdir(dirname(file)).catch(() => [])).sort()) {
    const path = join(dirname(file), name)
    const status = await stat(path).catch(() => undefined)
    if (!status?.isFile()) continue
    const start = status.size > enough ? '' : String(await readFile(path).catch(() => ''))
    if (holdsHosts(name, start, (status.mode & 0o111) !== 0)) found.push(join(shownIn, name))
  }
  return found
}

/** An inventory with only the implicit localhost. */
export function emptyInventory(
  cwd: string,
  overrides?: Record<string, string>,
  defaults?: Defaults,
): Inventory {
  const file = join(resolve(cwd), fileNames[0]!)
  return assemble(createDraft(), { file, environment: '', overrides, defaults, home: homedir() })
}

/** The inventory file; undefined if there is none and the pattern needs none. */
async function findFile(options: LoadOptions): Promise<string | undefined> {
  const { cwd, project, labDirectory, pattern = '' } = options
  const environments = project === undefined ? [] : await listEnvironments(project)
  const fileOf = (environment: string) => inventoryIn(join(project!, 'inventories', environment))

  const wanted = options.inventory || process.env.HOSTWRIGHT_INVENTORY
  if (!wanted) {
    if (environments.length === 1) return fileOf(environments[0]!)
    if (environments.length > 1) {
      throw new UsageError('usage', `which inventory? There are ${environments.join(', ')}`, {
        hint: `Name one: -i ${environments[0]}, or set HOSTWRIGHT_INVENTORY.`,
      })
    }
    if (isLocalPattern(pattern)) return undefined
    throw new UsageError('usage', 'no inventory in this directory or its parents', {
      hint: `Write inventories/<environment>/${fileNames[0]}, or name a file with -i.`,
    })
  }
  if (environments.includes(wanted)) return fileOf(wanted)
  const path = resolve(cwd, wanted)
  if (path === labDirectory) return inventoryOfLab(path)
  if (await isDirectory(path)) return inventoryOf(path, wanted)
  // Anything that is not a directory is read as a file, even /dev/stdin.
  if (/[/\\]/.test(wanted) || (await exists(path))) return path
  if (wanted === 'lab' && labDirectory !== undefined) return inventoryOfLab(labDirectory)
  refuseHostList(wanted)
  const unread = project === undefined ? undefined : join(project, 'inventories', wanted)
  if (unread !== undefined && (await isDirectory(unread))) return inventoryOf(unread, wanted)
  throw unknownName('environment', wanted, environments)
}

async function inventoryOfLab(directory: string): Promise<string> {
  const file = await inventoryIn(directory)
  if (file !== undefined) return file
  throw new UsageError('usage', 'no lab is running', { hint: 'Start one: hostwright lab up 3.' })
}

/**
 * The inventory file of a directory that was named.
 * @throws {UsageError} usage: it has inventories of another kind
 */
async function inventoryOf(directory: string, shownAs: string): Promise<string> {
  const file = await inventoryIn(directory)
  if (file === undefined) refuseOtherFiles(shownAs, await readdir(directory))
  return file ?? join(directory, fileNames[0]!)
}

/** The inventory file of a directory, if it has one. */
async function inventoryIn(directory: string): Promise<string | undefined> {
  for (const name of fileNames) {
    const file = join(directory, name)
    if (await exists(file)) return file
  }
  return undefined
}

/** Names of the directories in `inventories` that have an inventory file, sorted. */
async function listEnvironments(project: string): Promise<string[]> {
  const directory = join(project, 'inventories')
  const found: string[] = []
  for (const name of await readdir(directory)) {
    if ((await inventoryIn(join(directory, name))) !== undefined) found.push(name)
  }
  return found.sort()
}

/** The text of `file`. Invalid UTF-8 is accepted in comments, as in Ansible. */
async function readText(file: string, shownAs: string): Promise<string> {
  let bytes: Buffer
  try {
    bytes = await readFile(file, { pipes: 'open' })
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') {
      throw new UsageError('usage', `there is no inventory ${shownAs}`, { at: shownAs, cause })
    }
    throw new UsageError('inventory_invalid', `${shownAs}: can’t be read (${reasonOf(cause)})`, {
      at: shownAs,
      cause,
    })
  }
  const text = bytes.toString('utf8')
  if (Buffer.from(text).equals(bytes)) return text
  const lines = text.split(/\r\n|\n|\r/)
  const bad = lines.findIndex(line => line.includes('\uFFFD') && !/^\s*[#;]/.test(line))
  if (bad >= 0) failAt(shownAs, bad + 1)('not valid UTF-8', 'Save the file as UTF-8.')
  return text
}

const exists = (path: string) =>
  stat(path).then(
    () => true,
    () => false,
  )

const isDirectory = (path: string) =>
  stat(path).then(
    found => found.isDirectory(),
    () => false,
  )
