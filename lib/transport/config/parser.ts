/**
 * ssh's configuration read without an `ssh` program, in part: Host blocks with their patterns, Include,
 * and keywords whose first value counts (ssh_config(5)). Match, tokens of names and whatever looks
 * names up are left out, and told.
 */
import { dirname, join, resolve } from 'node:path'
import type { Line, Section } from 'ssh-config'
import { UsageError } from '../../errors.ts'
import type { SshAnswer } from './answer.ts'
import { matchesHost } from './host-patterns.ts'
import type { Question } from './program.ts'

export interface ParserFiles {
  /** Undefined: there is no such file. */
  read(path: string): string | undefined
  /** Paths that a pattern of Include means, sorted. */
  glob(pattern: string): readonly string[]
}

export interface ParserOptions extends ParserFiles {
  /** The user's file and the machine's, in this order; relative Includes start in the other's folder. */
  configs: readonly { file: string; includesFrom: string; required: boolean }[]
  home: string
  user: string
}

export interface Parsed {
  answer: SshAnswer
  /** What is in the files and was passed over: `Match`. */
  passedOver: readonly string[]
}

/** Keywords of which each value counts, not only the first. */
const gathering = new Set(['identityfile', 'certificatefile'])

/** What would have to look names up, run programs, or is ours to set. */
const left = new Map(
  ['Match', 'CanonicalizeHostname', 'CanonicalDomains', 'CanonicalizePermittedCNAMEs'].map(name => [
    name.toLowerCase(),
    name,
  ]),
)

/** Deeper Includes are a circle (ssh's own limit). */
const maxDepth = 16

/**
 * @returns what `ssh -G` would say of these keywords
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
    // Of the two the first counts; but a ProxyJump that is none leaves room for a ProxyCommand.
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
      // How the library has a keyword that nothing follows.
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

/** What ssh looks for where nobody named a key, in its order. */
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
  // Ours asks ssh for a hash under this name.
  answer.delete('controlpath')
  for (const keyword of ['proxyjump', 'proxycommand']) {
    if (answer.get(keyword)?.[0]?.toLowerCase() === 'none') answer.delete(keyword)
  }
  return answer
}

const units: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 }

/** `1h30m` in seconds (sshd_config(5), TIME FORMATS); what is no time stays. */
function secondsOf(value: string): string {
  if (!/^(\d+[smhdw]?)+$/i.test(value)) return value
  const parts = [...value.toLowerCase().matchAll(/(\d+)([smhdw]?)/g)]
  return `${parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit!] ?? 1), 0)}`
}

/** The files that ssh reads, by `-F` or its own. */
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
