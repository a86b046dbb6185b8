/** Whether to trust the key that a host shows: by the known_hosts files of this machine. */
import { appendFileSync, mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { UnreachableError } from '../errors.ts'
import { checkHostKey, fingerprint, type KnownHost, keyType, knownHostLine } from './known-hosts.ts'
import { readIfThere } from './text-file.ts'

export interface Presented {
  entries: readonly KnownHost[]
  name: string
  key: Buffer
  /** Where a new key is written: the first of the user's files. Undefined: there is none. */
  file?: string
  /** Adds a key that is not known; never a changed one. */
  acceptNew: boolean
  /** New lines are hashed, also where the file has none that is. */
  hash: boolean
  /** Any key will do, but a revoked one. */
  insecure: boolean
}

/** The reason to refuse the key, if there is one. */
export function verifyHostKey({
  entries,
  name,
  key,
  file,
  acceptNew,
}: Presented): UnreachableError | undefined {
  const shown = `${keyType(key)} ${fingerprint(key)}`
  const result = checkHostKey(entries, name, key)
  switch (result.verdict) {
    case 'known':
      return undefined
    case 'unknown':
      if (!acceptNew) {
        return new UnreachableError(
          'host_key_unknown',
          `the host key of ${name} is not known: ${shown}`,
          {
            hint: `Compare the fingerprint with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then run again with --accept-new to add it to ${file}.`,
          },
        )
      }
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      appendFileSync(file, lineBreakBefore(readIfThere(file)) + knownHostLine(name, key), {
        mode: 0o600,
      })
      return undefined
    case 'changed': {
      const { known } = result
      const before = known
        .map(entry => `${entry.type} ${fingerprint(entry.key)} (${entry.at})`)
        .join(', ')
      return new UnreachableError(
        'host_key_changed',
        `the host key of ${name} has CHANGED: it is ${shown}, known is ${before}`,
        {
          hint: `Somebody may be in between. If the host was really set up anew: ssh-keygen -R '${name}' -f ${known[0]!.at.replace(/:\d+$/, '')}, then --accept-new.`,
        },
      )
    }
    case 'revoked':
      return new UnreachableError(
        'host_key_changed',
        `the host key of ${name} is revoked: ${shown} (${result.known[0]!.at})`,
        {
          hint: 'The key was given up as stolen or lost: give the host a new one.',
        },
      )
  }
}

const lineBreakBefore = (text: string) => (text === '' || text.endsWith('\n') ? '' : '\n')
