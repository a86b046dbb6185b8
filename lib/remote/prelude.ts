/**
 * The prelude: the shell functions a session sends to its host. Those of every session go with the
 * first write; the others go once, before the first call that needs them, so that a recipe pays for
 * what it uses and no more.
 */
import { existsSync, readFileSync } from 'node:fs'
import { quote } from '../shell/quote.ts'

const place = (name: string) => new URL(name, import.meta.url)
const read = (name: string) => readFileSync(place(name), 'utf8')

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
export const loadControl = (): string => strip(read('control.sh')).concat('\n')

/** One file of the prelude. */
interface Part {
  text: string
  /** Names of the parts it calls functions of; the line `# Needs: ini path` of its head. */
  needs: readonly string[]
}

interface Parts {
  /** In the order of prelude.sh. */
  all: ReadonlyMap<string, Part>
  /** Those that every session has. */
  always: readonly string[]
  /** Which part a function is in. */
  home: ReadonlyMap<string, string>
}

let parts: Parts | undefined

/** Read once a process: every host gets the same. */
function loadParts(): Parts {
  parts ??= readParts()
  return parts
}

function readParts(): Parts {
  const list = read('prelude.sh')
  const namesIn = (text: string) =>
    [...text.matchAll(/^\. \.\/([\w-]+)\.sh$/gm)].map(match => match[1]!)
  const all = new Map<string, Part>()
  const home = new Map<string, string>()
  for (const name of namesIn(list)) {
    const source = read(`${name}.sh`)
    const editor = existsSync(place(`${name}.awk`))
      ? `hw_${name}_awk=${quote(strip(read(`${name}.awk`)))}\n`
      : ''
    const needs = /^# Needs: (.+)$/m.exec(source)?.[1]?.split(' ') ?? []
    all.set(name, { text: `${editor}${strip(source)}\n`, needs })
    for (const match of source.matchAll(/^(hw_\w+)\(\) [{(]/gm)) home.set(match[1]!, name)
  }
  return { all, always: namesIn(list.split('# On demand')[0]!), home }
}

/**
 * The text of all parts that these functions need and the session does not have yet.
 * @param functions names: `hw_file`
 * @param sent names of the parts that the session has; those of the text are added
 */
export function partsFor(functions: Iterable<string>, sent: Set<string>): string {
  const { all, always, home } = loadParts()
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
    text += part.text
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
