/** What an inventory is, once read. Plain data: parse.ts makes it, pattern.ts selects from it. */
import type { Secret } from '../shell/secret.ts'

/** A secret that is fetched when it is needed, once for all hosts that share its source. */
export type SecretOf =
  | { from: 'value'; value: Secret }
  | { from: 'env'; name: string }
  | { from: 'file'; path: string }
  | { from: 'command'; words: readonly string[] }

/** How a login becomes another user: once a host, not once a step. */
export interface Become {
  readonly method: 'sudo' | 'doas' | 'su'
  /** Default: root. */
  readonly user: string
  /** Undefined: none is needed, or --ask-become-pass asks for it. */
  readonly password?: SecretOf
}

/** Undefined: the default of lib/transport/connecting/timeouts.ts. */
export interface HostTimeouts {
  /** Until the TCP connection stands. */
  readonly connectMs?: number
  /** Until both sides have their keys. */
  readonly handshakeMs?: number
  /** Until the login is let in, without the time a person takes to answer. */
  readonly authMs?: number
  /** Of each step. */
  readonly commandMs?: number
}

/** One host, with everything needed to reach it. */
export interface Host {
  readonly name: string
  /** All variables, merged: groups, then host, then overrides; strings. */
  readonly vars: Readonly<Record<string, string>>
  /** Groups it is in, all ancestors too, without `all`; sorted. */
  readonly groups: readonly string[]
  readonly connection: 'ssh' | 'local' | 'docker' | 'podman' | 'chroot'
  /** `ansible_host`, or `host`, or the name; of a container its name, of a chroot its path. */
  readonly address: string
  /** Undefined where the inventory does not say: ~/.ssh/config may, else 22. */
  readonly port?: number
  readonly user?: string
  /** Relative paths start from the inventory's directory; absolute where the inventory's path is. */
  readonly privateKeyFile?: string
  /** As `privateKeyFile`. */
  readonly knownHostsFile?: string
  /** Which SSH: in this process, or the system's `ssh`. Undefined: in process unless it lacks a need. */
  readonly sshTransport?: 'ssh' | 'openssh'
  /** Instead of ~/.ssh/config and the machine's; `none` for neither. */
  readonly sshConfigFile?: string
  /** As `ssh -J` takes it: `user@host:port,…`, or `none`. Names may be hosts of the inventory. */
  readonly proxyJump?: string
  /** Any host key is taken for the right one. Warned of in each run. */
  readonly insecureHostKey?: boolean
  /** For a login by password; never in `vars`. */
  readonly password?: SecretOf
  /** Work as another user than the login. */
  readonly become?: Become
  /** Limits in milliseconds, where the inventory sets them. */
  readonly timeouts?: HostTimeouts
  /** Where the host keeps its state: `bootstrap_dir`, by default `<root>/var/bootstrap`. */
  readonly bootstrapDir: string
  /** `''`, or an absolute directory that all of a recipe's paths are put under. */
  readonly root: string
}

/** Hosts and groups of one environment. */
export interface Inventory {
  /** Name of the directory that hosts.ini is in. */
  readonly environment: string
  readonly file: string
  /** The directory of `file`, where bootstrap.ini is too. */
  readonly directory: string
  /** In the order in which the file first names them. */
  readonly hosts: readonly Host[]
  /** Names of the hosts in each group and its descendants, in file order; has `all` and `ungrouped`. */
  readonly groups: ReadonlyMap<string, readonly string[]>
  /**
   * The hosts of each group in the order slices count them in, which is Ansible's: the group's own
   * hosts, then its children's, level by level. Without it, `groups` is used.
   */
  readonly sliceOrder?: ReadonlyMap<string, readonly string[]>
  /** What the pattern `localhost` means where the file names no such host. */
  readonly localhost?: Host
}
