/** A row of the comparison with `ssh`: a way to a host, and how it ends. */
import type { ErrorCode } from '../../../lib/errors.ts'
import type { Host } from '../../../lib/inventory/inventory.ts'
import type { Sshd, SshdOptions } from '../../support/sshd.ts'
import type { UserHost } from '../../support/user-hosts.ts'

export interface Row {
  name: string
  /** How hostwright ends: it works, or refuses with this code. */
  expected: 'works' | ErrorCode
  /** Why hostwright differs from `ssh`, on purpose. Without it both end alike. */
  differs?: string
  /** It takes users of the host's own: root, and overlays. */
  users?: true
  setUp(servers: Servers): Promise<Attempt>
}

/** What `ssh -F config target` and hostwright are given. */
export interface Attempt {
  /** ssh_config(5). */
  config: string
  /** What the host is called. Default: `target`. */
  alias?: string
  /** What every question is answered with. Without one nobody is there to ask. */
  answer?: string
  /** Set for both. SSH_AUTH_SOCK is not there unless it is here. */
  env?: Record<string, string>
  /** What the inventory says beside the name. */
  inventory?: Partial<Host>
  /** Every one of these must have let in whoever reached the target. */
  through?: readonly Sshd[]
}

/** The servers of the whole table, and files of one row. */
export interface Servers {
  /** The same one for the same options; every key a row needs is added to it by `authorize`. */
  sshd(options?: SshdOptions): Promise<Sshd>
  users(): Promise<UserHost>
  /** Writes a file of the row's. @returns its path */
  file(name: string, text: string): Promise<string>
}

/** Refused by both. */
export const refused = (
  name: string,
  expected: ErrorCode,
  setUp: Row['setUp'],
  more: Partial<Row> = {},
): Row => ({ name, expected, setUp, ...more })

/** Works with both. */
export const works = (name: string, setUp: Row['setUp'], more: Partial<Row> = {}): Row => ({
  name,
  expected: 'works',
  setUp,
  ...more,
})
