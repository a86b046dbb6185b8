/** Formats in which the first line of a keyword counts, and which have blocks: those of OpenSSH. */
import { invalidOption } from '../resource.ts'

export type BlockFormat = 'plain' | 'sshd' | 'ssh'

interface Blocks {
  /** A line that begins a block, which goes on to the next, or to the end of the file. */
  header: RegExp
  /** Keywords, in lower case, of which every line counts; sshd_config(5), ssh_config(5). */
  repeated: readonly string[]
}

export const blockFormat: Readonly<Record<'sshd' | 'ssh', Blocks>> = {
  sshd: {
    header: /^\s*match[\s=]/i,
    repeated: [
      ...['acceptenv', 'allowgroups', 'allowusers', 'denygroups', 'denyusers', 'hostcertificate'],
      ...[
        'hostkey',
        'include',
        'listenaddress',
        'persourcepenalties',
        'port',
        'setenv',
        'subsystem',
      ],
    ],
  },
  ssh: {
    header: /^\s*(?:host|match)[\s=]/i,
    repeated: [
      ...['certificatefile', 'dynamicforward', 'identityfile', 'include', 'localforward'],
      ...['remoteforward', 'sendenv', 'setenv'],
    ],
  },
}

/**
 * The format of a file: as given, else by its path.
 * @throws {UsageError} recipe_invalid
 */
export function formatOf(title: string, path: string, given?: BlockFormat): BlockFormat {
  if (given !== undefined) {
    if (!['plain', 'sshd', 'ssh'].includes(given))
      throw invalidOption(title, 'format is plain, sshd or ssh')
    return given
  }
  if (/\/sshd_config(?:\.d\/[^/]+\.conf)?$/.test(path)) return 'sshd'
  return /\/(?:ssh_config(?:\.d\/[^/]+\.conf)?|\.ssh\/config)$/.test(path) ? 'ssh' : 'plain'
}
