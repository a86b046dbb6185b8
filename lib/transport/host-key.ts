/** Whether to trust the key that a host shows: by the known_hosts files of this machine. */
import { UnreachableError } from '../errors.ts'
import { quote } from '../shell/quote.ts'
import { checkHostKey, fingerprint, type KnownHost, keyType } from './known-hosts.ts'
import { addKnownHost, readKnownHosts } from './known-hosts-files.ts'

export interface Presented {
  /** Of all files: the user's, then the machine's. */
  entries: readonly KnownHost[]
  /** From `knownHostName`. */
  name: string
  /** As the host shows it. */
  key: Buffer
  /** Where a new key is written: the first of the user's files. Undefined: there is none. */
  file?: string
  /** Adds a key that is not known; never a changed one. */
  acceptNew: boolean
  /** New lines are hashed, also where the file's first is not. */
  hash: boolean
  /** Any key will do, but a revoked one. */
  insecure: boolean
}

/**
 * The reason to refuse the key, if there is one. With `acceptNew` an unknown key is known from then on: it
 * is taken only where that could be written down.
 */
export function verifyHostKey(presented: Presented): UnreachableError | undefined {
  const { entries, name, key, file, acceptNew, insecure } = presented
  const result = checkHostKey(entries, name, key)
  if (result.verdict === 'revoked') return revoked(presented, result.known)
  if (result.verdict === 'known' || insecure) return undefined
  if (result.verdict === 'changed') return changed(presented, result.known)
  if (!acceptNew) return unknown(presented)
  if (file === undefined) return notAdded(presented, 'no file is set for it')
  // Somebody may have been faster: another host of the run under the same name, or another run.
  const now = readKnownHosts(file)
  const again = checkHostKey(now, name, key)
  if (again.verdict !== 'unknown') return verifyHostKey({ ...presented, entries: now })
  try {
    addKnownHost(file, presented)
    return undefined
  } catch (cause) {
    return notAdded(presented, cause instanceof Error ? cause.message : String(cause), cause)
  }
}

const describe = (key: Buffer) => `${keyType(key)} ${fingerprint(key)}`

function unknown({ name, key, file = 'known_hosts' }: Presented) {
  return new UnreachableError(
    'host_key_unknown',
    `the host key of ${name} is not known: ${describe(key)}`,
    {
      hint: `Compare the fingerprint with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then run again with --accept-new to add it to ${file}.`,
    },
  )
}

function notAdded({ name, key, file = 'known_hosts' }: Presented, reason: string, cause?: unknown) {
  return new UnreachableError(
    'host_key_unknown',
    `the host key of ${name} (${describe(key)}) can’t be added to ${file}: ${reason}`,
    {
      cause,
      hint: 'See who may write there, and UserKnownHostsFile of ssh’s configuration: a key is only taken where it can be known from then on.',
    },
  )
}

function changed({ name, key }: Presented, known: readonly KnownHost[]) {
  const before = known.map(entry => `${describe(entry.key)} (${entry.at})`).join(', ')
  const files = new Set(known.map(({ at }) => at.replace(/:\d+$/, '')))
  const remove = [...files].map(file => `ssh-keygen -R ${quote(name)} -f ${quote(file)}`)
  return new UnreachableError(
    'host_key_changed',
    `the host key of ${name} has CHANGED: it is ${describe(key)}, known is ${before}`,
    {
      hint: `Somebody may be in between. If the host was really set up anew: ${remove.join(' && ')}, then --accept-new.`,
    },
  )
}

function revoked({ name, key }: Presented, known: readonly KnownHost[]) {
  return new UnreachableError(
    'host_key_revoked',
    `the host key of ${name} is revoked: ${describe(key)} (${known[0]!.at})`,
    { hint: 'The key was given up as stolen or lost: give the host a new one.' },
  )
}
