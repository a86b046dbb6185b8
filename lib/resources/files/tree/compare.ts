/** What is to be done with a host's directory, from a list of what is there. Pure. */
import { permissions } from '../../ownership.ts'
import type { Excludes } from './exclude.ts'
import type { Entry } from './scan.ts'

/** What the host said of one name. */
export interface Found {
  /** As `ls -l` writes them: `-rw-r--r--`. */
  perms: string
  uid: string
  gid: string
  user: string
  group: string
  size: number
}

export interface Listing {
  entries: ReadonlyMap<string, Found>
  /** SHA-256 of files. */
  sums: ReadonlyMap<string, string>
  /** What links point to. */
  targets: ReadonlyMap<string, string>
  /** All names there, where what is not wanted is to be removed. */
  all: readonly string[]
  /** Those of them that are directories. */
  directories: ReadonlySet<string>
}

/** The listing in the parts that hw_copy_tree sends. */
export function parseListing(parts: ReadonlyMap<string, Buffer>): Listing {
  const lines = (name: string) =>
    (parts.get(`text ${name}`)?.toString('utf8') ?? '').split('\n').filter(line => line !== '')
  const entries = new Map<string, Found>()
  for (const line of lines('stat')) {
    const fields = /^(.)(\S+?):(\d+):(\d+):(.*?):(.*?):(\d*):\.\/(.*)$/.exec(line)
    if (!fields) continue
    const [, type, perms, uid, gid, user, group, size, name] = fields as unknown as string[]
    entries.set(name!, {
      perms: `${type}${perms!.slice(0, 9)}`,
      uid: uid!,
      gid: gid!,
      user: user!,
      group: group!,
      size: Number(size),
    })
  }
  const sums = new Map<string, string>()
  for (const line of lines('sum')) {
    // A name that holds a backslash is written with two, and the line begins with one.
    const [, escaped, sum, name] = /^(\\?)([0-9a-f]{64}) [ *]\.\/(.*)$/.exec(line) ?? []
    if (sum) sums.set(escaped ? name!.replaceAll('\\\\', '\\') : name!, sum)
  }
  const targets = new Map<string, string>()
  const links = (parts.get('text link')?.toString('utf8') ?? '').split('\n')
  for (let at = 0; at + 1 < links.length; at += 2) {
    // Its newline at the end came as \x01.
    targets.set(links[at]!.slice(2), links[at + 1]!.slice(0, -1))
  }
  const names = (part: string) =>
    lines(part).flatMap(line => (line.startsWith('./') ? [line.slice(2)] : []))
  const directories = new Set(names('directory'))
  return { entries, sums, targets, all: names('extra'), directories }
}

export interface Changes {
  /** Files whose content is to be sent, with the size of what is there. */
  files: { entry: Entry & { kind: 'file' }; old: number | undefined }[]
  links: (Entry & { kind: 'link' })[]
  /** By mode. */
  directories: Map<number, string[]>
  chmod: Map<number, string[]>
  chown: string[]
  /** Files and links to be removed; directories from below. */
  remove: string[]
  rmdir: string[]
  /** Names by what becomes of them, for people. */
  made: string[]
  changed: string[]
  removed: string[]
  /** Why it can't be done. */
  failure?: string
}

const letters = { directory: 'd', file: '-', link: 'l' } as const
const words: Record<string, string> = { d: 'a directory', '-': 'a file', l: 'a link' }

/**
 * @param options.owner user name or number; default: any will do
 * @param options.remove what is there and not wanted is removed, unless it is excluded
 */
export function compareTree(
  wanted: readonly Entry[],
  found: Listing,
  options: { owner?: string; group?: string; remove: boolean; excludes: Excludes },
): Changes {
  const changes: Changes = {
    files: [],
    links: [],
    directories: new Map(),
    chmod: new Map(),
    chown: [],
    remove: [],
    rmdir: [],
    made: [],
    changed: [],
    removed: [],
  }
  const named = new Set(wanted.map(({ name }) => name))
  const replaced = new Set<string>()
  if (options.remove) addRemovals(changes, found, named, options.excludes)
  for (const entry of wanted) {
    const { name, kind } = entry
    // What is seen through a link that is to go is somewhere else.
    let there = isWithin(replaced, name) ? undefined : found.entries.get(name)
    if (there && there.perms[0] !== letters[kind]) {
      if (!options.remove) {
        const what = words[there.perms[0]!] ?? 'something else'
        changes.failure ??= `${name} is ${what} on the host, and ${words[letters[kind]]} in the source`
        continue
      }
      if (there.perms[0] === 'd') changes.rmdir.push(name)
      else changes.remove.push(name)
      replaced.add(name)
      there = undefined
    }
    if (!there) {
      make(changes, entry)
      // What is made has its owner already, unless it is a directory.
      if (kind === 'directory' && (options.owner || options.group)) changes.chown.push(name)
      ;(found.entries.has(name) ? changes.changed : changes.made).push(name)
      continue
    }
    const content =
      (kind === 'file' && found.sums.get(name) !== entry.sha256) ||
      (kind === 'link' && found.targets.get(name) !== entry.target)
    // What is made anew has its mode and owner from the start.
    if (content) make(changes, entry, there.size)
    if (content || attributes(changes, entry, there, options)) changes.changed.push(name)
  }
  // The deepest first.
  changes.rmdir.sort((a, b) => b.split('/').length - a.split('/').length)
  return changes
}

/** Whether one of the directories that a name is in is among these. */
function isWithin(directories: ReadonlySet<string>, name: string): boolean {
  if (directories.size === 0) return false
  const parts = name.split('/')
  return parts.some((_, depth) => depth > 0 && directories.has(parts.slice(0, depth).join('/')))
}

function addRemovals(
  changes: Changes,
  { all, directories }: Listing,
  named: ReadonlySet<string>,
  excludes: Excludes,
) {
  const kept = new Set<string>()
  for (const name of all) {
    if (!excludes.has(name)) continue
    // What holds something that is left alone stays too.
    for (let at = name.lastIndexOf('/'); at > 0; at = name.lastIndexOf('/', at - 1)) {
      kept.add(name.slice(0, at))
    }
  }
  for (const name of all) {
    if (named.has(name) || kept.has(name) || excludes.has(name)) continue
    changes.removed.push(name)
    if (directories.has(name)) changes.rmdir.push(name)
    else changes.remove.push(name)
  }
}

function make(changes: Changes, entry: Entry, old?: number) {
  if (entry.kind === 'file') changes.files.push({ entry, old })
  else if (entry.kind === 'link') changes.links.push(entry)
  else push(changes.directories, entry.mode, entry.name)
}

/** @returns whether its mode or owner is another */
function attributes(
  changes: Changes,
  entry: Entry,
  there: Found,
  { owner, group }: { owner?: string; group?: string },
): boolean {
  const mode = entry.kind !== 'link' && permissions(entry.mode) !== there.perms.slice(1)
  if (mode) push(changes.chmod, entry.mode, entry.name)
  const owned =
    [undefined, there.user, there.uid].includes(owner) &&
    [undefined, there.group, there.gid].includes(group)
  if (!owned) changes.chown.push(entry.name)
  return mode || !owned
}

function push<K>(map: Map<K, string[]>, key: K, value: string) {
  const known = map.get(key)
  if (known) known.push(value)
  else map.set(key, [value])
}

/** `2 new, 1 removed: a, b, c`: how many and, as far as a line holds, which. */
export function describeChanges({ made, changed, removed }: Changes): string {
  const counts = [
    made.length > 0 ? `${made.length} new` : '',
    changed.length > 0 ? `${changed.length} changed` : '',
    removed.length > 0 ? `${removed.length} removed` : '',
  ].filter(each => each !== '')
  const names = [...made, ...changed, ...removed]
  const more = names.length > shownNames ? ` and ${names.length - shownNames} more` : ''
  return `${counts.join(', ')}: ${names.slice(0, shownNames).join(', ')}${more}`
}

const shownNames = 10
