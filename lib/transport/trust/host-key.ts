/** Whether to trust the key that a host presents, from the known_hosts files on this machine. */
import { UnreachableError } from '../../errors.ts'
import type { Debug } from '../../events.ts'
import { quote } from '../../shell/quote.ts'
import { checkHostKey, fingerprint, type KnownHost, keyType } from './known-hosts.ts'
import { addKnownHost, readKnownHosts } from './known-hosts-files.ts'

export interface Presented {
  /** The entries of all files: the user’s, then the system’s. */
  entries: readonly KnownHost[]
  /** From `knownHostName`. */
  name: string
  /** As presented by the host. */
  key: Buffer
  /** Where a new key is saved: the first of the user’s files. Undefined: there is none. */
  file?: string
  /** Add an unknown key; never a changed one. */
  acceptNew: boolean
  /** Hash new lines, even if the file’s first line is not hashed. */
  hash: boolean
  /** Accept any key, except a revoked one. */
  insecure: boolean
  /** Logs the verdict. */
  debug?: Debug
}

/**
 * The reason to refuse the key, if there is one. With `acceptNew`, an unknown key is accepted if it could be
 * saved.
 */
export function verifyHostKey(presented: Presented): UnreachableError | undefined {
  const { entries, name, key, file, acceptNew, insecure, debug } = presented
  const result = checkHostKey(entries, name, key)
  const shown = { name, file, key: describe(key) }
  const verdict =
    insecure && result.verdict !== 'known'
      ? `${result.verdict}, which does not count here (insecure_host_key)`
      : result.verdict
  const at = entries.find(entry => entry.key.equals(key))?.at
  debug?.(
    'host key',
    `${name} presents ${shown.key}: ${verdict}${at === undefined ? '' : ` (${at})`}`,
  )
  if (result.verdict === 'revoked') return revokedKey(shown, result.known)
  if (result.verdict === 'known' || insecure) return undefined
  if (result.verdict === 'changed') return changedKey(shown, result.known)
  if (!acceptNew) return unknownKey(shown)
  if (file === undefined) return keyNotAdded(shown, 'no known_hosts file is set')
  // Someone may have been faster: another host of the run with the same name, or another run.
  const now = readKnownHosts(file)
  const again = checkHostKey(now, name, key)
  if (again.verdict !== 'unknown') return verifyHostKey({ ...presented, entries: now })
  try {
    addKnownHost(file, presented)
    debug?.('host key', `added to ${file}`)
    return undefined
  } catch (cause) {
    return keyNotAdded(shown, cause instanceof Error ? cause.message : String(cause), cause)
  }
}

const describe = (key: Buffer) => `${keyType(key)} ${fingerprint(key)}`

/** A refused key, for messages. */
export interface ShownKey {
  /** From `knownHostName`. */
  name: string
  /** Type and fingerprint. */
  key: string
  /** Where new keys are saved. */
  file?: string
}

export function unknownKey({ name, key, file = 'known_hosts' }: ShownKey): UnreachableError {
  return new UnreachableError('host_key_unknown', `the host key of ${name} is not known: ${key}`, {
    hint: `Compare the fingerprint with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then run again with --accept-new to add it to ${file}.`,
  })
}

export function keyNotAdded(
  { name, key, file = 'known_hosts' }: ShownKey,
  reason: string,
  cause?: unknown,
): UnreachableError {
  return new UnreachableError(
    'host_key_unknown',
    `the host key of ${name} (${key}) can’t be added to ${file}: ${reason}`,
    {
      cause,
      hint: 'Check who can write there, and UserKnownHostsFile in the ssh configuration: a new key is accepted only if it can be saved.',
    },
  )
}

export function changedKey({ name, key }: ShownKey, known: readonly KnownHost[]): UnreachableError {
  const before = known.map(entry => `${describe(entry.key)} (${entry.at})`).join(', ')
  const files = new Set(known.map(({ at }) => at.replace(/:\d+$/, '')))
  const remove = [...files].map(file => `ssh-keygen -R ${quote(name)} -f ${quote(file)}`)
  return new UnreachableError(
    'host_key_changed',
    `the host key of ${name} has CHANGED: it is ${key}, but known_hosts has ${before}`,
    {
      hint: `Someone may be intercepting the connection. If the host was really reinstalled: ${remove.join(' && ')}, then --accept-new.`,
    },
  )
}

export function revokedKey({ name, key }: ShownKey, known: readonly KnownHost[]): UnreachableError {
  const at = known[0] ? ` (${known[0].at})` : ''
  return new UnreachableError(
    'host_key_revoked',
    `the host key of ${name} is revoked: ${key}${at}`,
    { hint: 'The key was declared stolen or lost: give the host a new one.' },
  )
}
