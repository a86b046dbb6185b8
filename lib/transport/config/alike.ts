/**
 * Which hosts ssh's configuration says the same of: then it is asked once for all of them. Errs on the safe
 * side: what it does not understand may tell any host from any other. Pure.
 */

import { type SshAnswer, valueIn } from './answer.ts'
import { matchesHost } from './host-patterns.ts'

/** What tells hosts apart, where their names alone do. */
export interface Telling {
  /** Of each Host line in all the files. */
  hostLines: readonly (readonly string[])[]
  /** What HostName has for some of them, in lower case. */
  hostNames: ReadonlySet<string>
}

/** Tokens that stand for the same whichever host is meant: our home, our user, this machine. */
const everywhere = /%[%diLlu]/g

/** Values that are expanded by us for each host: all tokens but the one that ssh has to tell. */
const expandedHere = /^(identityfile|certificatefile)$/
const perHost = /%C/

/** Values that are not used, and those of which it only counts that they are set. */
const unread = /^(controlpath|localcommand|remotecommand|proxycommand|knownhostscommand)$/

/** What sets a value and does nothing else; of these ssh says nothing where they are not set. */
const onlySetting = new Set(
  'bindaddress bindinterface certificatefile dynamicforward hostkeyalias hostname identityagent ignoreunknown knownhostscommand localcommand localforward pkcs11provider preferredauthentications proxycommand proxyjump remotecommand remoteforward revokedhostkeys sendenv setenv'.split(
    ' ',
  ),
)

/** What decides for itself, by more than a host's name, or by asking a name service. */
const deciding = /^(tag|canonicalizepermittedcnames|canonicaldomains)$/

/**
 * @param texts all the files that were read, Includes too
 * @param answer of any host: a keyword that it has is one that sets a value
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
  // ssh takes quotes and comments off; as a name of a host only the plain ones are compared.
  if (keyword === 'hostname') return /^[\w.:-]+$/.test(value)
  return !value.replace(everywhere, '').includes('%')
}

/** The same text for all hosts that the same Host lines mean. */
export const kindOf = ({ hostLines }: Telling, destination: string): string =>
  hostLines.map(patterns => (matchesHost(patterns, destination) ? '1' : '0')).join('')

/**
 * What was said of a host, for another of its kind.
 * @returns undefined: it does not show whether a HostName made its name
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

/** A name that ssh takes as it is, but for its case; addresses it may write in another way. */
export const isPlainName = (destination: string): boolean =>
  /^[a-z0-9_]([\w.-]*\.)?[a-z_][\w-]*$|^[a-z_][\w-]*$/i.test(destination) ||
  /^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(destination)
