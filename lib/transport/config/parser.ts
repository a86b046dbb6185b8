/**
 * A partial parser of the ssh configuration, for machines without `ssh`: Host blocks with patterns, Include,
 * and keywords whose first value counts (ssh_config(5)). What it can’t read is refused: what ssh would refuse,
 * and what needs ssh, a name service or a program to decide how a host is reached.
 */
import { join } from 'node:path'
import type { Line, Section } from 'ssh-config'
import type { SshAnswer } from './answer.ts'
import {
  type ConfigFile,
  configFiles,
  deepestInclude,
  includedFiles,
  invalidConfig,
  readConfigFile,
} from './config-files.ts'
import { matchesHost } from './host-patterns.ts'
import { isValue, keywordOf } from './keywords.ts'
import type { Surroundings } from './settings.ts'
import type { Question } from './ssh-program.ts'

/** Keywords of which every value counts, not only the first. */
const gathering = new Set(['identityfile', 'certificatefile'])

/** Keywords that only ssh can follow, with the values that ask for nothing. */
const beyond: Readonly<Record<string, RegExp>> = {
  canonicalizehostname: /^no$/i,
  knownhostscommand: /^none$/i,
  refuseconnection: /^\b$/,
  revokedhostkeys: /^none$/i,
}

/** A place in a file. */
interface At extends ConfigFile {
  depth: number
  /** Whether the lines apply to the host. ssh refuses what is wrong in others, too. */
  active: boolean
}

/**
 * @returns what `ssh -G` would print for these keywords
 * @throws {UsageError} ssh_config_invalid
 */
export async function parseSshConfig(
  question: Question,
  here: Pick<Surroundings, 'home' | 'user'>,
): Promise<SshAnswer> {
  const { default: SshConfig } = await import('ssh-config')
  const { destination, user, port, configFile } = question
  const found = new Map<string, string[]>()
  const unknown: string[] = []
  if (user !== undefined) found.set('user', [user])
  if (port !== undefined) found.set('port', [`${port}`])

  const set = (keyword: string, values: readonly string[]) => {
    const before = found.get(keyword)
    if (!before) found.set(keyword, [...values])
    else if (gathering.has(keyword)) before.push(...values)
    // The first of the two counts, but `ProxyJump none` does not prevent a ProxyCommand.
    if (keyword === 'proxycommand' && !found.has('proxyjump')) found.set('proxyjump', ['none'])
    const jumps = keyword === 'proxyjump' && found.get(keyword)?.[0]?.toLowerCase() !== 'none'
    if (jumps && !found.has('proxycommand')) found.set('proxycommand', ['none'])
  }
  const include = (names: readonly string[], at: At) => {
    const files = includedFiles(names, { from: at.includesFrom, home: here.home })
    if (!files) throw onlySsh(at.file, `Include ${names.join(' ')}`)
    for (const file of files) {
      read({ ...at, file, required: false, guarded: true, depth: at.depth + 1 })
    }
  }
  const line = (param: string, value: Section['value'], at: At) => {
    const [word, values] = [param.trim(), valuesOf(value)]
    const keyword = keywordOf(word)
    if (keyword === undefined) {
      if (unknown.some(pattern => matchesHost([pattern], word.toLowerCase()))) return
      throw invalidConfig(`${at.file}: unknown keyword ${word}`, mistyped)
    }
    // The library’s representation of a keyword without a value.
    if (word !== param) throw invalidConfig(`${at.file}: ${word} has no value`)
    const written = `${word} ${values.join(' ')}`
    if (!isValue(keyword, values)) throw invalidConfig(`${at.file}: ${written} is not valid`)
    if (keyword === 'include') return include(values, at)
    if (!at.active || keyword === 'host' || keyword === 'match') return
    if (keyword === 'ignoreunknown' && !found.has(keyword)) {
      unknown.push(
        ...values
          .join(',')
          .toLowerCase()
          .split(/[,\s]+/),
      )
    }
    if (beyond[keyword] && !beyond[keyword].test(values[0]!)) throw onlySsh(at.file, written)
    set(keyword, values)
  }
  const walk = (lines: readonly Line[], at: At): void => {
    for (const each of lines) {
      if (!('param' in each)) continue
      line(each.param, each.value, at)
      const keyword = keywordOf(each.param)
      if (keyword === 'host' || keyword === 'match') {
        const values = valuesOf(each.value)
        const all = values.join(' ').toLowerCase() === 'all'
        if (keyword === 'match' && at.active && !all) {
          throw onlySsh(at.file, `Match ${values.join(' ')}`)
        }
        const matches = keyword === 'match' ? all : matchesHost(values, destination)
        walk((each as Section).config, { ...at, active: at.active && matches })
      }
    }
  }
  const read = (at: At) => {
    const text = readConfigFile(at)
    if (text === undefined) return
    if (at.depth > deepestInclude) throw invalidConfig(`${at.file}: too many nested Includes`)
    walk(parsed(SshConfig, text, at.file), at)
  }
  for (const each of configFiles(configFile, here.home)) read({ ...each, depth: 0, active: true })
  return withDefaults(found, question, here)
}

const mistyped =
  'Correct it; if a newer ssh knows it, name it in a line before, `IgnoreUnknown NAME`, or install OpenSSH’s client (openssh-client).'

const onlySsh = (file: string, what: string) =>
  invalidConfig(
    `${file}: only ssh can follow ${what}, and there is no \`ssh\` on this machine`,
    'Install OpenSSH’s client (openssh-client), or use another file: --ssh-config FILE, or none.',
  )

function parsed(
  library: { parse(text: string): readonly Line[] },
  text: string,
  file: string,
): readonly Line[] {
  try {
    return library.parse(text)
  } catch (error) {
    throw invalidConfig(`${file}: ${(error as Error).message}`)
  }
}

const valuesOf = (value: Section['value']): string[] =>
  typeof value === 'string' ? [value] : value.map(({ val }) => val)

/** ssh’s default key files, in its order; before OpenSSH 10 there was `dsa`, too. */
const usualIdentities = ['rsa', 'ecdsa', 'ecdsa_sk', 'ed25519', 'ed25519_sk', 'xmss']

function withDefaults(
  found: Map<string, string[]>,
  { destination }: Question,
  { user, home }: Pick<Surroundings, 'home' | 'user'>,
): SshAnswer {
  const own = (name: string) => join(home, '.ssh', name)
  const name = found.get('hostname')?.[0] ?? destination
  if (/%[^h%]|%$/.test(name.replaceAll('%%', '')))
    throw invalidConfig(`HostName ${name} is not valid`)
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
