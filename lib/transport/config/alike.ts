/**
 * Which hosts the ssh configuration treats alike, so that one `ssh -G` serves all of them. Errs on the safe
 * side: anything it does not understand may distinguish any two hosts. Pure.
 */

import { type SshAnswer, valueIn } from './answer.ts'
import { matchesHost } from './host-patterns.ts'

/** What distinguishes hosts, if only their names do. */
export interface Telling {
  /** The patterns of each Host line in all files. */
  hostLines: readonly (readonly string[])[]
  /** The values of HostName, in lower case. */
  hostNames: ReadonlySet<string>
}

/** Tokens with the same value for every host: our home, our user, this machine. */
const everywhere = /%[%diLlu]/g

/** Values that we expand for each host: all tokens except the one that only ssh can expand. */
const expandedHere = /^(identityfile|certificatefile)$/
const perHost = /%C/

/** Values that are not used, or of which only the presence matters. */
const unread = /^(controlpath|localcommand|remotecommand|proxycommand|knownhostscommand)$/

/** Keywords that only set a value; ssh does not print those that are not set. */
const onlySetting = new Set(
  'bindaddress bindinterface certificatefile dynamicforward hostkeyalias hostname identityagent ignoreunknown knownhostscommand localcommand localforward pkcs11provider preferredauthentications proxycommand proxyjump remotecommand remoteforward revokedhostkeys sendenv setenv'.split(
    ' ',
  ),
)

/** Keywords that decide by more than a host’s name, or by asking a name service. */
const deciding = /^(tag|canonicalizepermittedcnames|canonicaldomains)$/

/**
 * @param texts the contents of all files that were read, including Includes
 * @param answer for any host: a keyword in it sets a value
 * @returns undefined: the configuration may distinguish any two hosts
 */
export function tellingOf(texts: readonly string[], answer: SshAnswer): Telling | undefined {
  const hostLines: string[][] = []
  const hostNames = new Set<string>()
  for (const line of texts.flatMap(text => text.split('\n')).map(each => each.trim())) {
    if (line === '' || line.startsWith('#')) continue
    const [, written, value = ''] = /^([A-Za-z0-9]+)(?:[ \t]+=?|=)[ \t]*(.*)$/.exec(line) ?? []
    if (written === undefined) return undefined
    const keyword = written.toLowerCase()
    if (keyword === 'host') {
      if (!/^[\w.*?!:/%@+ \t-]+$/.test(value)) return undefined
      hostLines.push(value.split(/[ \t]+/))
    } else if (keyword === 'match') {
      if (!/^(final[ \t]+)?all$/i.test(value)) return undefined
    } else if (!setsTheSame(keyword, value, answer)) {
      return undefined
    }
    if (keyword === 'hostname') hostNames.add(value.toLowerCase())
  }
  return { hostLines, hostNames }
}

function setsTheSame(keyword: string, value: string, answer: SshAnswer): boolean {
  if (keyword === 'include' || unread.test(keyword)) return true
  if (keyword === 'canonicalizehostname') return value.toLowerCase() === 'no'
  if (deciding.test(keyword) || !(answer.has(keyword) || onlySetting.has(keyword))) return false
  if (expandedHere.test(keyword)) return !perHost.test(value)
  // ssh removes quotes and comments; only plain host names are compared.
  if (keyword === 'hostname') return /^[\w.:-]+$/.test(value)
  return !value.replace(everywhere, '').includes('%')
}

/** The same text for all hosts that match the same Host lines. */
export const kindOf = ({ hostLines }: Telling, destination: string): string =>
  hostLines.map(patterns => (matchesHost(patterns, destination) ? '1' : '0')).join('')

/**
 * Turns the answer for one host into that for another of its kind.
 * @returns undefined: it is unclear whether HostName set its name
 */
export function answerFor(
  destination: string,
  said: { answer: SshAnswer; destination: string },
  { hostNames }: Telling,
): SshAnswer | undefined {
  const own = said.destination.toLowerCase()
  if (hostNames.has(own)) return undefined
  const renamed = valueIn(said.answer, 'hostname') !== own
  return renamed
    ? said.answer
    : new Map([...said.answer, ['hostname', [destination.toLowerCase()]]])
}

/** A name that ssh leaves unchanged except for case; it may rewrite addresses. */
export const isPlainName = (destination: string): boolean =>
  /^[a-z0-9_]([\w.-]*\.)?[a-z_][\w-]*$|^[a-z_][\w-]*$/i.test(destination) ||
  /^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(destination)
