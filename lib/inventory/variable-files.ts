/** group_vars and host_vars: which files there are for a group or a host, and the variables in them. */
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { UsageError } from '../errors.ts'
import { readFile, reasonOf } from '../read-file.ts'
import { failAt } from './fault.ts'
import { readData } from './read-source.ts'
import { kindOf, type Tree } from './readers/tree.ts'
import type { YamlPlaces } from './readers/yaml.ts'
import type { Decrypt } from './resolve.ts'
import type { Variable } from './setting.ts'
import { keyOf } from './value.ts'
import { isVault } from './vault/decrypt.ts'

/** Endings of files of variables; none is the empty one. As Ansible’s `YAML_FILENAME_EXTENSIONS`. */
const endings = ['', '.yml', '.yaml', '.json']

export type VariableDirectory = 'group_vars' | 'host_vars'

/** A file of variables, which is parsed when one of them is asked for. */
export interface VariableFile {
  readonly path: string
  /** Its name in messages. */
  readonly shownAs: string
  readonly text: string
}

/** The files of a group or of a host. */
export type FilesOf = (kind: VariableDirectory, name: string) => readonly VariableFile[]

/** Files of variables beside one inventory, or beside the project. */
export interface VariableFiles {
  filesOf: FilesOf
  /** Of all of them. */
  texts: readonly string[]
}

/**
 * Finds and reads the files of variables of these groups and hosts.
 * @throws {UsageError} inventory_invalid: one can’t be read, and so may say where a host is
 */
export async function findVariableFiles(
  directory: string,
  { groups, hosts, cwd }: { groups: Iterable<string>; hosts: Iterable<string>; cwd: string },
): Promise<VariableFiles> {
  const found = {
    group_vars: await filesIn(join(directory, 'group_vars'), groups, cwd),
    host_vars: await filesIn(join(directory, 'host_vars'), hosts, cwd),
  }
  const all = Object.values(found).flatMap(files => [...files.values()].flat())
  return {
    filesOf: (kind, name) => found[kind].get(name) ?? [],
    texts: all.map(({ text }) => text),
  }
}

async function filesIn(
  directory: string,
  names: Iterable<string>,
  cwd: string,
): Promise<ReadonlyMap<string, VariableFile[]>> {
  const found = new Map<string, VariableFile[]>()
  const entries = await readdir(directory).catch(cause => {
    if (['ENOENT', 'ENOTDIR'].includes(cause.code)) return undefined
    return unreadable(shownIn(directory, cwd), cause)
  })
  if (entries === undefined) return found
  const known = new Set(entries)
  for (const name of names) {
    // A chroot’s name is a path.
    if (name.startsWith('/')) continue
    // The first of them is the only one.
    const ending = name.includes('/') ? undefined : endings.find(each => known.has(name + each))
    if (ending === undefined) continue
    const paths = await pathsAt(join(directory, name + ending), cwd)
    const files = await Promise.all(paths.map(path => readOne(path, cwd)))
    if (files.length > 0) found.set(name, files)
  }
  return found
}

/** A file, or all files of a directory. */
async function pathsAt(path: string, cwd: string): Promise<string[]> {
  const status = await stat(path).catch(() => undefined)
  return status?.isDirectory() ? filesBelow(path, cwd, new Set()) : [path]
}

/** @param seen directories that were looked into: a link may lead back to one */
async function filesBelow(directory: string, cwd: string, seen: Set<string>): Promise<string[]> {
  const { dev, ino } = await stat(directory)
  if (seen.has(`${dev} ${ino}`)) return []
  seen.add(`${dev} ${ino}`)
  const all = await readdir(directory).catch(cause => unreadable(shownIn(directory, cwd), cause))
  const names = all.filter(name => !/^\.|~$/.test(name)).sort()
  const paths: string[] = []
  for (const name of names) {
    const path = join(directory, name)
    const ending = /(?<=[^.])\.[^.]*$/.exec(name)?.[0] ?? ''
    const status = await stat(path).catch(() => undefined)
    if (status?.isDirectory() && ending === '') paths.push(...(await filesBelow(path, cwd, seen)))
    else if (status && !status.isDirectory() && endings.includes(ending)) paths.push(path)
  }
  return paths
}

const shownIn = (path: string, cwd: string) => {
  const near = relative(cwd, path)
  return near.startsWith('..') ? path : near
}

async function readOne(path: string, cwd: string): Promise<VariableFile> {
  const shownAs = shownIn(path, cwd)
  const text = String(await readFile(path).catch(cause => unreadable(shownAs, cause)))
  return { path, shownAs, text }
}

/** It may say where a host is: Ansible fails too. */
function unreadable(shown: string, cause: NodeJS.ErrnoException): never {
  throw new UsageError('inventory_invalid', `${shown}: can’t be read (${reasonOf(cause)})`, {
    at: shown,
    cause,
    hint: 'It may set how a host is reached. Make it readable, or move it away.',
  })
}

/** What parsing needs. */
export interface Parsing {
  yaml(text: string, places: YamlPlaces): Tree | undefined
  /** @throws {UsageError} there is no password, or a wrong one */
  decrypt: Decrypt
  warnings: string[]
}

/** The variables of files, each parsed once. */
export function createParser(
  parsing: Parsing,
): (file: VariableFile) => ReadonlyMap<string, Variable> {
  const known = new Map<string, ReadonlyMap<string, Variable>>()
  return file => {
    const variables = known.get(file.path) ?? parse(file, parsing)
    known.set(file.path, variables)
    return variables
  }
}

function parse(file: VariableFile, { yaml, decrypt, warnings }: Parsing): Map<string, Variable> {
  const { shownAs, text } = file
  const isSecret = isVault(text)
  const plain = isSecret ? decrypt(text, { file: shownAs }) : text
  const tree = readData(yaml, plain, shownAs, warnings)
  if (!tree || isNothing(tree.value)) return new Map()
  const entries =
    tree.entries ?? failAt(shownAs, tree.line)(`variables are expected, not ${kindOf(tree.value)}`)
  return new Map(
    entries.map(({ key, line, tree: { value } }) => [
      keyOf(key) ?? '',
      { value, at: { file: shownAs, line }, fail: failAt(shownAs, line), isSecret },
    ]),
  )
}

/** Python takes it for false, and Ansible for an empty file. */
const isNothing = (value: unknown) =>
  value === null ||
  value === '' ||
  value === 0 ||
  value === false ||
  (Array.isArray(value) && value.length === 0)
