/**
 * The prelude: the shell functions a session sends to its host. Those of every session go with the
 * first write; the others go once, before the first call that needs them, so that a recipe pays for
 * what it uses and no more.
 *
 * A part is a file NAME.sh, beside the TypeScript that calls its functions; where NAME.awk stands beside
 * it, that text is in $hw_NAME_awk, and that of a NAME.program.sh, which a shell of its own runs, in
 * $hw_NAME_program, behind the parts that it needs. A part that calls functions of others names them in its head, in the
 * line `# Needs: NAME…`.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { quote } from '../shell/quote.ts'

const lib = fileURLToPath(new URL('../', import.meta.url))

/** Where parts are. */
const folders = ['remote', 'resources', 'facts', 'heartbeat', 'balancer'] as const

/** The parts that every session has. */
const always = ['core', 'state'] as const

/** Not a part: what a second shell runs. */
const control = 'control'

/**
 * Comments and indentation are for readers here; the host is spared them. Safe because the lines of
 * here-documents hold nothing but variables, and in a quoted awk program a line that begins with # is
 * a comment as well.
 */
const strip = (text: string) =>
  text
    .split('\n')
    .map(line => line.trimStart())
    .filter(line => line !== '' && !line.startsWith('#'))
    .join('\n')

/** What a second shell runs to interrupt or end the work of a session's own. */
export const loadControl = (): string =>
  strip(readSources(lib).get(`remote/${control}.sh`)!).concat('\n')

/** One file of the prelude. */
export interface Part {
  name: string
  /** Where it is, from the project's lib/: `resources/files/file.sh`. */
  path: string
  source: string
  /** The texts of the programs beside it, by the last part of the names of their variables. */
  programs: Readonly<Record<string, string>>
  /** Names of the parts that it calls functions of. */
  needs: readonly string[]
}

/** All parts, each behind those that it needs; the same order on every machine. */
export function findParts(root: string = lib): Part[] {
  const sources = readSources(root)
  const files = [...sources.keys()]
  const programs = { awk: byName(files, '.awk'), program: byName(files, '.program.sh') }
  const found = byName(
    files.filter(path => !path.endsWith('.program.sh')),
    '.sh',
  )
  found.delete(control)
  const read = (path: string) => sources.get(path)!
  const sorted = new Map<string, Part>()
  const add = (name: string) => {
    const path = found.get(name)
    if (path === undefined || sorted.has(name)) return
    const source = read(path)
    const needs = needsIn(source)
    for (const other of needs) add(other)
    const texts = Object.entries(programs).flatMap(([kind, paths]) => {
      const beside = paths.get(name)
      if (beside === undefined) return []
      const text = read(beside)
      return [[kind, [...needsIn(text).map(each => read(found.get(each)!)), text].join('')]]
    })
    sorted.set(name, { name, path, source, needs, programs: Object.fromEntries(texts) })
  }
  for (const name of [...always, ...[...found.keys()].sort()]) add(name)
  return [...sorted.values()]
}

/** The texts of all files of the prelude, by their paths: in one file when built (build.mjs), as opening 100 takes 20 ms. */
function readSources(root: string): ReadonlyMap<string, string> {
  const packed = join(root, 'prelude.json')
  if (existsSync(packed))
    return new Map(
      Object.entries(JSON.parse(readFileSync(packed, 'utf8')) as Record<string, string>),
    )
  const files = folders.flatMap(folder => filesBelow(root, folder))
  const paths = files.filter(path => /\.(sh|awk)$/.test(path))
  return new Map(paths.map(path => [path, readFileSync(join(root, path), 'utf8')]))
}

/** Names of the parts that a text says it needs. */
const needsIn = (text: string): string[] => /^# Needs: (.+)$/m.exec(text)?.[1]?.split(' ') ?? []

/** Relative paths of all files below a folder. By hand: Node’s recursive readdirSync takes ten times as long. */
const filesBelow = (root: string, folder: string): string[] =>
  readdirSync(join(root, folder), { withFileTypes: true }).flatMap(entry => {
    const path = `${folder}/${entry.name}`
    return entry.isDirectory() ? filesBelow(root, path) : path
  })

/** Those of the paths that have this ending, by name. */
function byName(paths: readonly string[], ending: string): Map<string, string> {
  const found = new Map<string, string>()
  for (const path of paths) {
    if (!path.endsWith(ending)) continue
    const name = basename(path, ending)
    const other = found.get(name)
    if (other) throw new Error(`${path} has the name of ${other}: each part needs its own`)
    found.set(name, path)
  }
  return found
}

interface Parts {
  /** In the order in which they are sent. */
  all: ReadonlyMap<string, Part>
  /** Which part a function is in. */
  home: ReadonlyMap<string, string>
  /** The texts of those that were sent so far. */
  texts: Map<string, string>
}

let parts: Parts | undefined

/** Read once a process: every host gets the same. */
function loadParts(): Parts {
  parts ??= readParts()
  return parts
}

function readParts(): Parts {
  const all = findParts()
  const home = new Map<string, string>()
  for (const { name, source } of all) {
    for (const match of source.matchAll(/^(hw_\w+)\(\) [{(]/gm)) home.set(match[1]!, name)
  }
  return { all: new Map(all.map(part => [part.name, part])), home, texts: new Map() }
}

/** A part as it is sent: made once, as most runs need few of them. */
function textOf({ name, source, programs }: Part, { texts }: Parts): string {
  const known = texts.get(name)
  if (known !== undefined) return known
  const variables = Object.entries(programs).map(
    ([kind, program]) => `hw_${name.replaceAll('-', '_')}_${kind}=${quote(strip(program))}\n`,
  )
  const text = `${variables.join('')}${strip(source)}\n`
  texts.set(name, text)
  return text
}

/**
 * The text of all parts that these functions need and the session does not have yet.
 * @param functions names: `hw_file`
 * @param sent names of the parts that the session has; those of the text are added
 */
export function partsFor(functions: Iterable<string>, sent: Set<string>): string {
  const known = loadParts()
  const { all, home } = known
  const wanted = new Set<string>()
  const want = (name: string) => {
    if (sent.has(name) || wanted.has(name)) return
    wanted.add(name)
    for (const other of all.get(name)!.needs) want(other)
  }
  for (const name of always) want(name)
  for (const name of functions) {
    const part = home.get(name)
    // The functions of one call, hw_content_ID, are in no part.
    if (part) want(part)
  }
  let text = ''
  for (const [name, part] of all) {
    if (!wanted.has(name)) continue
    text += textOf(part, known)
    sent.add(name)
  }
  return text
}

/** Whether the prelude has a function. */
export const hasFunction = (name: string): boolean => loadParts().home.has(name)

/** All parts in one text, for tests that run without a session. */
export function loadPrelude(): string {
  return partsFor(loadParts().home.keys(), new Set())
}
