/** Whether ssh's configuration says the same of all hosts: then it is asked once for all. Pure. */
import type { SshAnswer } from './ssh-answer.ts'

/** Tokens that stand for the same whichever host is meant: our home, our user, this machine. */
const everywhere = /%[%diLlu]/g

/** Values that are expanded by us for each host: all tokens but the one that ssh has to tell. */
const expandedHere = /^(identityfile|certificatefile)$/
const perHost = /%C/

/** Values that are not used, and those of which it only counts that they are set. */
const unread = /^(controlpath|localcommand|remotecommand|proxycommand|knownhostscommand)$/

/** What decides for itself, by names or by asking a name service. */
const deciding =
  /^(host|match|hostname|tag|canonicalizehostname|canonicalizepermittedcnames|canonicaldomains)$/

/**
 * Errs on the safe side: what it does not understand may tell hosts apart.
 * @param texts all the files that were read, Includes too
 * @param answer of one host: a keyword that it has is one that sets a value and does nothing else
 */
export function alikeForAll(texts: readonly string[], answer: SshAnswer): boolean {
  return texts.every(text => text.split('\n').every(line => isForAll(line.trim(), answer)))
}

function isForAll(line: string, answer: SshAnswer): boolean {
  if (line === '' || line.startsWith('#')) return true
  const [, written, value] = /^([A-Za-z0-9]+)(?:[ \t]+=?|=)[ \t]*(.*)$/.exec(line) ?? []
  if (written === undefined) return false
  const keyword = written.toLowerCase()
  if (keyword === 'include') return true
  if (keyword === 'host') return value === '*'
  if (keyword === 'canonicalizehostname') return value!.toLowerCase() === 'no'
  if (deciding.test(keyword) || !answer.has(keyword)) return false
  if (unread.test(keyword)) return true
  return expandedHere.test(keyword)
    ? !perHost.test(value!)
    : !value!.replace(everywhere, '').includes('%')
}

/** A name that ssh takes as it is, but for its case; addresses it may write in another way. */
export const isPlainName = (destination: string): boolean =>
  /^[a-z0-9_]([\w.-]*\.)?[a-z_][\w-]*$|^[a-z_][\w-]*$/i.test(destination) ||
  /^(0|[1-9]\d{0,2})(\.(0|[1-9]\d{0,2})){3}$/.test(destination)
