import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Answer, Asked, HostCall, StepResult } from '../../session/call.ts'
import { hashOf, largeBytes } from '../../session/content-source.ts'
import { sendContent } from '../../session/upload.ts'
import { words } from '../../session/words.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { modeBits, type Ownership, ownershipWords, permissions } from '../ownership.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  type Resource,
  type TextChange,
  unreadable,
} from '../resource.ts'
import { isSymbolic } from '../symbolic-mode.ts'
import { type Changes, compareTree, describeChanges, parseListing } from './tree/compare.ts'
import { createExcludes, type Excludes } from './tree/exclude.ts'
import { packOf } from './tree/pack.ts'
import { type Entry, scanTree } from './tree/scan.ts'

export interface CopyTreeOptions extends Pick<Ownership, 'owner' | 'group'>, CommonOptions {
  /** A directory of the controller: a path from the working directory, or a URL. */
  source: string | URL
  /** Remove what is on the host and not in the source, unless it is excluded. */
  delete?: boolean
  /** What is neither copied nor removed: `*.map`, `.git`, `/uploads`. */
  exclude?: readonly string[]
  /** Permission bits of files; those that may be executed in the source may be by all who may read them. */
  fileMode?: number | string
  /** Permission bits of directories. */
  directoryMode?: number | string
}

const optionKinds: OptionKinds<CopyTreeOptions> = {
  source: 'other',
  delete: 'flag',
  exclude: 'texts',
  fileMode: 'other',
  directoryMode: 'other',
  owner: 'other',
  group: 'other',
}

/**
 * A directory of the controller with all that is in it: files by their SHA-256, modes, owners, links as
 * links. Only files that differ are sent, each is replaced whole or not at all. Where all is as wanted, a
 * few processes find that out, however many files there are.
 * @param path absolute path of the directory on the host; made where it is missing
 * @param options.source directory of the controller
 * @param options.delete default: false
 * @param options.exclude patterns: without a slash of that name anywhere, with one at that place
 * @param options.owner user name or number of all that is in it; default: of what is made the connection's
 * @param options.group the same for the group
 * @param options.fileMode default: 0644
 * @param options.directoryMode default: 0755
 * @throws {UsageError} recipe_invalid, when declared
 * @example copyTree('/srv/www', { source: 'site', delete: true, exclude: ['.git', '/uploads'] })
 */
export function copyTree(path: string, options: CopyTreeOptions): Resource {
  const title = `copyTree ${path}`
  checkOptions(title, options, optionKinds)
  const target = checkPath(title, path)
  const { fileMode = 0o644, directoryMode = 0o755, owner, group } = options
  const owned = ownershipWords(title, { owner, group })
  const tree: Tree = {
    title,
    target,
    root: checkSource(title, options.source),
    excludes: checkExcludes(title, options.exclude ?? []),
    fileMode: modeBits(title, fileMode, 'plain', 0o644),
    programMode: programMode(title, fileMode),
    directoryMode: modeBits(title, directoryMode, 'directory', 0o755),
    owner: owned.user,
    group: owned.group,
    remove: options.delete ?? false,
  }
  return declare({
    title,
    options,
    path: target,
    makes: [`tree ${target}`],
    call: {
      name: 'hw_copy_tree',
      // What it is to do, for who compares plans; what is sent is found out by `prepare`.
      args: [target, JSON.stringify({ ...options, notify: undefined, when: undefined })],
      prepare: () => prepareCall(tree),
    },
    texts: result => textsOf(tree, result),
  })
}

/** Who may read a program may execute it, unless the mode is in letters, which say so: `X`. */
function programMode(title: string, fileMode: number | string): number {
  const bits = modeBits(title, fileMode, 'executable', 0o755)
  return isSymbolic(String(fileMode)) ? bits : bits | ((bits & 0o444) >> 2)
}

interface Tree {
  title: string
  target: string
  root: string
  excludes: Excludes
  fileMode: number
  programMode: number
  directoryMode: number
  owner?: string
  group?: string
  remove: boolean
}

function checkSource(title: string, source: string | URL): string {
  if (source === undefined) throw invalidOption(title, 'it has no source')
  const path = source instanceof URL ? fileURLToPath(source) : source
  try {
    if (statSync(path).isDirectory()) return path
  } catch (error) {
    throw unreadable(title, 'source', path, error)
  }
  throw invalidOption(title, `the source ${path} is not a directory`)
}

function checkExcludes(title: string, patterns: readonly string[]): Excludes {
  try {
    return createExcludes(patterns)
  } catch (error) {
    throw invalidOption(title, (error as Error).message)
  }
}

async function prepareCall(tree: Tree): Promise<HostCall> {
  const entries = await scanTree(tree.root, tree)
  const lists = listsOf(entries)
  return {
    name: 'hw_copy_tree',
    args: [
      tree.target,
      ...words({
        digest: hashOf(expectedList(tree, entries)),
        format: formatOf(tree),
        mode: tree.directoryMode.toString(8),
        user: tree.owner,
        group: tree.group,
        delete: tree.remove,
        excluded: tree.excludes.words.join('\n') || undefined,
      }),
      ...lists.flatMap(({ kind, names }) => words({ [kind]: names.join('\n') })),
    ],
    answer: asked => answer(tree, entries, asked),
  }
}

/** How many names one process of the host is given. */
const namesAtOnce = 500

const kinds = ['directory', 'file', 'link'] as const

/** Names by kind, `./` before them, in lists. */
function listsOf(entries: readonly Entry[]) {
  return kinds.flatMap(kind =>
    chunks(entries.flatMap(entry => (entry.kind === kind ? [`./${entry.name}`] : []))).map(
      names => ({ kind, names }),
    ),
  )
}

function chunks(names: readonly string[]): string[][] {
  const count = Math.ceil(names.length / namesAtOnce)
  return Array.from({ length: count }, (_, at) =>
    names.slice(at * namesAtOnce, (at + 1) * namesAtOnce),
  )
}

const isNumber = (name: string) => /^\d+$/.test(name)

/** What stat is to print of each name: as much as is wanted of it. */
const formatOf = ({ owner, group }: Tree) =>
  [
    '%A',
    ...(owner ? [isNumber(owner) ? '%u' : '%U'] : []),
    ...(group ? [isNumber(group) ? '%g' : '%G'] : []),
    '%n',
  ].join(':')

/** What hw_tree_list prints where all is as wanted. */
function expectedList(tree: Tree, entries: readonly Entry[]): string {
  const known = new Map(entries.map(entry => [`./${entry.name}`, entry]))
  const owners = [tree.owner, tree.group].flatMap(each => (each === undefined ? [] : [`${each}:`]))
  const lines = listsOf(entries).flatMap(({ kind, names }) => {
    const stats = names.map(name => `${lsMode(known.get(name)!)}:${owners.join('')}${name}`)
    if (kind === 'directory') return stats
    const more = names.map(name => {
      const entry = known.get(name)!
      return entry.kind === 'file'
        ? `${entry.sha256}  ${name}`
        : (entry as Entry & { kind: 'link' }).target
    })
    return [...stats, ...more]
  })
  const all = tree.remove ? [...known.keys()].map(name => Buffer.from(name)) : []
  const sorted = all.sort(Buffer.compare).map(name => name.toString())
  return [...lines, ...sorted].map(line => `${line}\n`).join('')
}

const lsMode = (entry: Entry) =>
  entry.kind === 'link'
    ? 'lrwxrwxrwx'
    : `${entry.kind === 'directory' ? 'd' : '-'}${permissions(entry.mode)}`

async function answer(tree: Tree, entries: readonly Entry[], asked: Asked): Promise<Answer> {
  const listing = parseListing(asked.result.parts)
  const changes = compareTree(entries, listing, tree)
  if (changes.failure) return { failure: { message: `${tree.target}: ${changes.failure}` } }
  const empty = [changes.made, changes.changed, changes.removed].every(names => names.length === 0)
  // A source with nothing in it makes the directory nevertheless.
  const saw = ['--', 'saw', hashOf(JSON.stringify([...asked.result.parts].map(String)))]
  if (empty && asked.result.parts.has('text stat')) return { args: [...saw, 'same', ''] }
  const note = empty ? 'created' : describeChanges(changes)
  const words = [...saw, 'note', note, ...shown(changes, listing.entries, asked), 'do']
  if (asked.check) return { args: words }
  return { args: [...words, ...(await actions(tree, changes, asked))] }
}

/** What is reported before anything is done: with --check all names, with --diff the texts that are there. */
function shown(
  { made, changed, removed, files, remove }: Changes,
  there: ReadonlyMap<string, { size: number }>,
  { check, diff }: Asked,
): string[] {
  const list = (what: string, names: readonly string[]) => names.map(name => `${what} ${name}`)
  const all = [...list('new', made), ...list('changed', changed), ...list('removed', removed)]
  const texts = files.filter(({ entry }) => entry.source.size <= largeBytes)
  return [
    ...(check && all.length > 0 ? ['list', all.join('\n')] : []),
    ...(diff
      ? [
          ...texts.filter(({ old }) => old === undefined),
          ...texts.filter(({ old }) => old !== undefined && old <= largeBytes),
        ].flatMap(({ entry, old }) => [old === undefined ? 'fresh' : 'show', `./${entry.name}`])
      : []),
    ...(diff
      ? remove
          .filter(name => (there.get(name)?.size ?? 0) <= largeBytes)
          .flatMap(name => ['show', `./${name}`])
      : []),
  ]
}

/** What is to be done, in order, as hw_tree_act reads it. Content is on the host by then. */
async function actions(tree: Tree, changes: Changes, asked: Asked): Promise<string[]> {
  const octal = (mode: number) => mode.toString(8)
  const some = (names: readonly string[], word: string, ...more: string[]) =>
    chunks(names).flatMap(each => [word, ...more, each.map(name => `./${name}`).join('\n')])
  const small = changes.files.filter(({ entry }) => entry.source.size <= largeBytes)
  const large = changes.files.filter(({ entry }) => entry.source.size > largeBytes)
  const taken: string[] = []
  for (const { entry, old = 'absent' } of large) {
    const path = await sendContent(asked, entry.source)
    taken.push('take', octal(entry.mode), String(old), path, `./${entry.name}`)
  }
  const pack = packOf(
    `what is new in ${tree.root}`,
    small.map(({ entry }) => entry.source),
  )
  const packed = small.length > 0 ? ['pack', await sendContent(asked, pack)] : []
  return [
    ...some(changes.remove, 'remove'),
    ...some(changes.rmdir, 'rmdir'),
    ...[...changes.directories].flatMap(([mode, names]) => some(names, 'mkdir', octal(mode))),
    ...packed,
    ...chunks(
      small.map(({ entry: { mode, name, source }, old = 'absent' }) =>
        [octal(mode), old, source.size, `./${name}`].join(' '),
      ),
    ).flatMap(files => ['put', files.join('\n')]),
    ...taken,
    ...changes.links.flatMap(({ name, target }) => ['link', `./${name}`, target]),
    // Owners first: chown may clear the set-id bits.
    ...some(changes.chown, 'chown'),
    ...[...changes.chmod].flatMap(([mode, names]) => some(names, 'chmod', octal(mode))),
  ]
}

/** The texts of all files that change, before and after. */
function textsOf({ root, target }: Tree, result: StepResult): TextChange[] {
  const now = (name: string) => {
    try {
      return readFileSync(join(root, name), 'utf8')
    } catch {
      return ''
    }
  }
  const fresh = result.marks.flatMap(([word, ...rest]) =>
    word === 'fresh' ? [{ name: rest.join(' '), before: '' }] : [],
  )
  const old = [...result.parts].flatMap(([part, text]) =>
    part.startsWith('old ') ? [{ name: part.slice(4), before: text.toString('utf8') }] : [],
  )
  return [...fresh, ...old].map(({ name, before }) => ({
    path: join(target, name),
    before,
    after: now(name),
  }))
}
