/** A row of the comparison with `ssh`: how to reach a host, and the outcome. */
import type { ErrorCode } from '../../../lib/errors.ts'
import type { Host } from '../../../lib/inventory/inventory.ts'
import type { Sshd, SshdOptions } from '../../support/sshd.ts'
import type { UserHost } from '../../support/user-hosts.ts'

export interface Row {
  name: string
  /** hostwright’s outcome: it works, or refuses with this code. */
  expected: 'works' | ErrorCode
  /** Why hostwright deliberately differs from `ssh`. Without it, both have the same outcome. */
  differs?: string
  /** Needs its own users on the host: root, and overlays. */
  users?: true
  setUp(servers: Servers): Promise<Attempt>
}

/** The input of `ssh -F config target` and hostwright. */
export interface Attempt {
  /** ssh_config(5). */
  config: string
  /** The host’s name. Default: `target`. */
  alias?: string
  /** The answer to every prompt. Without one, there is nobody to ask. */
  answer?: string
  /** Set for both. SSH_AUTH_SOCK is unset unless it is here. */
  env?: Record<string, string>
  /** Inventory settings in addition to the name. */
  inventory?: Partial<Host>
  /** Each of these must have accepted a login if the target was reached. */
  through?: readonly Sshd[]
}

/** The servers of the whole table, and files of one row. */
export interface Servers {
  /** Returns the same server for the same options; keys are added with `authorize`. */
  sshd(options?: SshdOptions): Promise<Sshd>
  users(): Promise<UserHost>
  /**
   * Writes a file for the row.
   * @returns its path
   */
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
