/** Finds the inventories that a command is about. */
import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join, relative, resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import { readFile } from '../read-file.ts'
import { unknownName } from '../shell/nearest.ts'
import { holdsHosts, inventoriesAmong } from './kind-of-file.ts'
import { isLocalPattern } from './pattern.ts'

/** A file with hosts, or a list of them. */
export type Source =
  | { kind: 'file'; path: string; shownAs: string }
  | { kind: 'list'; list: string }

/** What one `-i` stands for. */
interface Place {
  sources: readonly Source[]
  /** Where its group_vars and host_vars are; undefined: nowhere. */
  directory?: string
}

/** All inventories of a command. */
export interface Sources {
  sources: readonly Source[]
  /** Directories with group_vars and host_vars, in the order of the sources. */
  directories: readonly string[]
  environment: string
  /** The first file, which names the inventory; what is beside it belongs to it. */
  file: string
}

export interface SourceOptions {
  /** `-i`, each: an environment's name, the path of a file or a directory, or `web1,web2,`. */
  inventory?: string | readonly string[]
  /** What ansible.cfg says, if nothing else does: absolute paths, or lists of hosts. */
  configured?: readonly string[]
  cwd: string
  /** The directory whose inventories/ contains the environments, if there is one. */
  project?: string
  /** Where to find `-i lab` if the project has no inventory of that name. */
  labDirectory?: string
  /** `--on`: if it is only `localhost`, no inventory is needed. */
  pattern?: string
}

/**
 * @returns undefined: there is none, and the pattern needs none
 * @throws {UsageError} usage, unknown_name
 */
export async function findSources(options: SourceOptions): Promise<Sources | undefined> {
  const { cwd, project, labDirectory, inventory = [], configured = [], pattern = '' } = options
  const fromEnvironment = process.env.HOSTWRIGHT_INVENTORY
  const named = [inventory].flat().filter(name => name !== '')
  const wanted = named.length > 0 ? named : fromEnvironment ? [fromEnvironment] : [...configured]
  if (wanted.length === 0) {
    const found = await onlyEnvironment(project)
    if (found === undefined && isLocalPattern(pattern)) return undefined
    wanted.push(found ?? noInventory())
  }
  const places: Place[] = []
  for (const each of wanted) places.push(await placeOf(each, options))
  const sources = places.flatMap(place => place.sources)
  const [first] = sources
  const file = first?.kind === 'file' ? first.path : join(resolve(cwd), 'hosts.ini')
  return {
    sources,
    file,
    // A lab’s directory may have any name.
    environment:
      first?.kind === 'list'
        ? ''
        : dirname(file) === labDirectory
          ? 'lab'
          : basename(places[0]!.directory ?? dirname(file)),
    directories: places.flatMap(({ directory }) => directory ?? []),
  }
}

function noInventory(): never {
  throw new UsageError('usage', 'no inventory in this directory or its parents', {
    hint: 'Write inventories/<environment>/hosts.ini, or name a file with -i.',
  })
}

/** The project’s environment, if it has just one. */
async function onlyEnvironment(project: string | undefined): Promise<string | undefined> {
  const environments = project === undefined ? [] : await listEnvironments(project)
  if (environments.length > 1) {
    throw new UsageError('usage', `which inventory? There are ${environments.join(', ')}`, {
      hint: `Name one: -i ${environments[0]}, or set HOSTWRIGHT_INVENTORY.`,
    })
  }
  return environments[0]
}

async function placeOf(wanted: string, options: SourceOptions): Promise<Place> {
  const { cwd, project, labDirectory } = options
  const environments = project === undefined ? [] : await listEnvironments(project)
  if (environments.includes(wanted)) return ofDirectory(join(project!, 'inventories', wanted), cwd)
  const path = resolve(cwd, wanted)
  if (path === labDirectory) return ofLab(path, cwd)
  if (await isDirectory(path)) return ofDirectory(path, cwd, wanted)
  const isThere = await exists(path)
  if (wanted.includes(',') && !isThere) return { sources: [{ kind: 'list', list: wanted }] }
  // Anything that is not a directory is read as a file, even /dev/stdin.
  if (/[/\\]/.test(wanted) || isThere) return ofFile(path, cwd)
  if (wanted === 'lab' && labDirectory !== undefined) return ofLab(labDirectory, cwd)
  const unread = project === undefined ? undefined : join(project, 'inventories', wanted)
  if (unread !== undefined && (await isDirectory(unread))) return ofDirectory(unread, cwd, wanted)
  throw unknownName('environment', wanted, environments)
}

async function ofLab(directory: string, cwd: string): Promise<Place> {
  const file = join(directory, 'hosts.ini')
  if (await exists(file)) return ofFile(file, cwd)
  throw new UsageError('usage', 'no lab is running', { hint: 'Start one: hostwright lab up 3.' })
}

const ofFile = (path: string, cwd: string): Place => ({
  sources: [{ kind: 'file', path, shownAs: shownIn(path, cwd) }],
  directory: dirname(path),
})

const shownIn = (path: string, cwd: string) => {
  const shown = relative(cwd, path)
  return shown.startsWith('..') ? path : shown
}

/** @throws {UsageError} usage: it has no inventories */
async function ofDirectory(directory: string, cwd: string, shownAs?: string): Promise<Place> {
  const paths = await inventoriesIn(directory)
  if (paths.length === 0) await refuseEmpty(directory, shownAs ?? shownIn(directory, cwd))
  const sources = paths.map(path => ({ kind: 'file' as const, path, shownAs: shownIn(path, cwd) }))
  return { sources, directory }
}

/** All that Ansible reads; beside a hosts.ini, where much else may be, only what looks like an inventory. */
async function inventoriesIn(directory: string): Promise<string[]> {
  const names = inventoriesAmong(await readdir(directory))
  const paths: string[] = []
  for (const name of names) {
    const path = join(directory, name)
    if (names.includes('hosts.ini')) {
      if (await looksLikeInventory(path)) paths.push(path)
    } else if (await isDirectory(path)) paths.push(...(await inventoriesIn(path)))
    else paths.push(path)
  }
  return paths
}

/** In bytes: enough to know an inventory by. */
const enough = 65_536

async function looksLikeInventory(path: string): Promise<boolean> {
  const status = await stat(path).catch(() => undefined)
  if (!status?.isFile()) return basename(path) === 'hosts.ini'
  const start = status.size > enough ? '' : String(await readFile(path).catch(() => ''))
  return holdsHosts(basename(path), start, (status.mode & 0o111) !== 0)
}

async function refuseEmpty(directory: string, shownAs: string): Promise<never> {
  const names = (await readdir(directory)).filter(name => /\.(?:ini|cfg)$/.test(name))
  const [first] = names.filter(name => name !== 'bootstrap.ini')
  throw new UsageError('usage', `${shownAs} has no inventory`, {
    at: shownAs,
    hint:
      first === undefined
        ? 'Write a hosts.ini, or name a file with -i.'
        : `Of .ini files, only hosts.ini is read unless you name it: -i ${join(shownAs, first)}.`,
  })
}

/** Names of the directories in `inventories` that have an inventory, sorted. */
export async function listEnvironments(project: string): Promise<string[]> {
  const directory = join(project, 'inventories')
  const found: string[] = []
  for (const name of await readdir(directory).catch(() => [])) {
    const names = inventoriesAmong(await readdir(join(directory, name)).catch(() => []))
    for (const each of names) {
      if (!(await looksLikeInventory(join(directory, name, each)))) continue
      if (!(await exists(join(directory, name, each)))) continue
      found.push(name)
      break
    }
  }
  return found.sort()
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
