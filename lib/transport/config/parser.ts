/**
 * A partial parser of the ssh configuration, for machines without `ssh`: Host blocks with patterns, Include,
 * and keywords whose first value counts (ssh_config(5)). Match, and everything that needs a name service, is
 * left out and reported.
 */
import { dirname, join, resolve } from 'node:path'
import type { Line, Section } from 'ssh-config'
import { UsageError } from '../../errors.ts'
import type { SshAnswer } from './answer.ts'
import { matchesHost } from './host-patterns.ts'
import type { Question } from './ssh-program.ts'

export interface ParserFiles {
  /** The file’s text; undefined if it does not exist. */
  read(path: string): string | undefined
  /** Paths that match an Include pattern, sorted. */
  glob(pattern: string): readonly string[]
}

export interface ParserOptions extends ParserFiles {
  /**
   * The user’s file and the system-wide one, in this order, with the directory of their relative Includes.
   */
  configs: readonly { file: string; includesFrom: string; required: boolean }[]
  home: string
  user: string
}

export interface Parsed {
  answer: SshAnswer
  /** Keywords in the files that were ignored: `Match`. */
  passedOver: readonly string[]
}

/** Keywords of which every value counts, not only the first. */
const gathering = new Set(['identityfile', 'certificatefile'])

/** Keywords that would need name lookups or programs, or that are ours to set. */
const left = new Map(
  ['Match', 'CanonicalizeHostname', 'CanonicalDomains', 'CanonicalizePermittedCNAMEs'].map(name => [
    name.toLowerCase(),
    name,
  ]),
)

/** Deeper Includes must be circular (ssh’s own limit). */
const maxDepth = 16

/**
 * @returns what `ssh -G` would print for these keywords
 * @throws {UsageError} ssh_config_invalid
 */
export async function parseSshConfig(question: Question, options: ParserOptions): Promise<Parsed> {
  const { default: SshConfig } = await import('ssh-config')
  const { destination, user, port } = question
  const found = new Map<string, string[]>()
  const passedOver = new Set<string>()
  if (user !== undefined) found.set('user', [user])
  if (port !== undefined) found.set('port', [`${port}`])

  const set = (written: string, values: readonly string[]) => {
    const keyword = written.toLowerCase()
    const known = found.get(keyword)
    if (left.has(keyword)) passedOver.add(left.get(keyword)!)
    else if (!known) found.set(keyword, [...values])
    else if (gathering.has(keyword)) known.push(...values)
    // The first of the two counts, but `ProxyJump none` does not prevent a ProxyCommand.
    if (keyword === 'proxycommand' && !found.has('proxyjump')) found.set('proxyjump', ['none'])
    const jumps = keyword === 'proxyjump' && found.get(keyword)?.[0]?.toLowerCase() !== 'none'
    if (jumps && !found.has('proxycommand')) found.set('proxycommand', ['none'])
  }
  const readFile = (file: string, from: string, depth: number, required = false) => {
    const text = options.read(file)
    if (text === undefined && required) throw invalid(`can’t read ${file}`)
    if (text === undefined) return
    if (depth > maxDepth) throw invalid(`${file}: too many nested Includes`)
    walk(parsed(SshConfig, text, file), { file, from, depth })
  }
  const walk = (lines: readonly Line[], at: { file: string; from: string; depth: number }) => {
    for (const line of lines) {
      if (!('param' in line)) continue
      // The library’s representation of a keyword without a value.
      if (/\s/.test(line.param)) throw invalid(`${at.file}: ${line.param.trim()} has no value`)
      const keyword = line.param.toLowerCase()
      const values = valuesOf(line.value)
      if (keyword === 'host') {
        if (matchesHost(values, destination)) walk((line as Section).config, at)
      } else if (keyword === 'match') {
        passedOver.add('Match')
      } else if (keyword === 'include') {
        for (const value of values) {
          const path = resolve(at.from, value.replace(/^~(?=\/|$)/, options.home))
          for (const each of options.glob(path)) readFile(each, at.from, at.depth + 1)
        }
      } else {
        set(line.param, values)
      }
    }
  }
  for (const { file, includesFrom, required } of options.configs) {
    readFile(file, includesFrom, 0, required)
  }
  return { answer: withDefaults(found, question, options), passedOver: [...passedOver] }
}

const invalid = (message: string) =>
  new UsageError('ssh_config_invalid', message, { hint: 'Fix the ssh configuration.' })

function parsed(
  library: { parse(text: string): readonly Line[] },
  text: string,
  file: string,
): readonly Line[] {
  try {
    return library.parse(text)
  } catch (error) {
    throw invalid(`${file}: ${(error as Error).message}`)
  }
}

const valuesOf = (value: Section['value']): string[] =>
  typeof value === 'string' ? [value] : value.map(({ val }) => val)

/** ssh’s default key files, in its order. */
const usualIdentities = ['rsa', 'ecdsa', 'ecdsa_sk', 'ed25519', 'ed25519_sk', 'xmss', 'dsa']

function withDefaults(
  found: Map<string, string[]>,
  { destination }: Question,
  { user, home }: ParserOptions,
): SshAnswer {
  const own = (name: string) => join(home, '.ssh', name)
  const name = found.get('hostname')?.[0] ?? destination
  const seconds = found.get('connecttimeout')?.map(secondsOf)
  const interval = found.get('serveraliveinterval')?.map(secondsOf)
  const usual: [string, string[]][] = [
    ['user', [user]],
    ['port', ['22']],
    ['identityfile', usualIdentities.map(each => `~/.ssh/id_${each}`)],
    ['userknownhostsfile', [own('known_hosts'), own('known_hosts2')]],
    ['globalknownhostsfile', ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']],
  ]
  const answer = new Map([...usual, ...found])
  answer.set('hostname', [
    name.replace(/%[h%]/g, token => (token === '%h' ? destination : '%')).toLowerCase(),
  ])
  if (seconds) answer.set('connecttimeout', seconds)
  if (interval) answer.set('serveraliveinterval', interval)
  // Our query gets a hash from ssh under this name.
  answer.delete('controlpath')
  for (const keyword of ['proxyjump', 'proxycommand']) {
    if (answer.get(keyword)?.[0]?.toLowerCase() === 'none') answer.delete(keyword)
  }
  return answer
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** Converts `1h30m` to seconds (sshd_config(5), TIME FORMATS); anything else is unchanged. */
function secondsOf(value: string): string {
  if (!/^(\d+[smhdw]?)+$/i.test(value)) return value
  const parts = [...value.toLowerCase().matchAll(/(\d+)([smhdw]?)/g)]
  return `${parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit!] ?? 1), 0)}`
}

/** The files that ssh reads, with `-F` or by default. */
export function configFiles(
  configFile: string | undefined,
  home: string,
): ParserOptions['configs'] {
  const user = join(home, '.ssh/config')
  const system = '/etc/ssh/ssh_config'
  const within = dirname(user)
  if (configFile?.toLowerCase() === 'none') return []
  if (configFile) return [{ file: configFile, includesFrom: within, required: true }]
  return [
    { file: user, includesFrom: within, required: false },
    { file: system, includesFrom: dirname(system), required: false },
  ]
}
