/** The inventory, as data: draft.ts makes it, pattern.ts selects from it. */
import type { UsageError } from '../errors.ts'
import type { Secret } from '../shell/secret.ts'
import type { GroupTree } from './group-tree.ts'
import type { HostVars } from './host-vars.ts'
import type { Variable } from './setting.ts'

/** A secret that is obtained when it is needed, once for all hosts that share its source. */
export type SecretOf =
  | { from: 'value'; value: Secret }
  | { from: 'env'; name: string }
  | { from: 'file'; path: string }
  | { from: 'command'; words: readonly string[] }

/** How a login becomes another user: once per host, not for each step. */
export interface Become {
  readonly method: 'sudo' | 'doas' | 'su'
  /** Default: root. */
  readonly user: string
  /** Undefined: none is needed, or --ask-become-pass prompts for it. */
  readonly password?: SecretOf
}

/** Undefined: the default from lib/transport/connecting/timeouts.ts. */
export interface HostTimeouts {
  /** Timeout for the TCP connection. */
  readonly connectMs?: number
  /** Timeout for the SSH handshake. */
  readonly handshakeMs?: number
  /** Timeout for the login, not counting the time a person takes to answer. */
  readonly authMs?: number
  /** Timeout of each step. */
  readonly commandMs?: number
  /** For connecting again when the connection is lost; 0: not at all. */
  readonly reconnectMs?: number
}

/** One host, with everything needed to reach it. */
export interface Host {
  readonly name: string
  /**
   * All variables with their types, merged: groups, then host, then overrides. A template in one is evaluated when
   * it is read. Reading one that the host does not have is an error: `vars.maybe('port')` reads an optional one.
   */
  readonly vars: HostVars
  /** Its groups, including all ancestors but `all`; sorted. */
  readonly groups: readonly string[]
  readonly connection: 'ssh' | 'local' | 'docker' | 'podman' | 'chroot'
  /** `ansible_host`, or `host`, or the name; the name of a container, or the path of a chroot. */
  readonly address: string
  /** Undefined if the inventory does not set it: ~/.ssh/config may, else 22. */
  readonly port?: number
  readonly user?: string
  /** Relative paths start from the inventory’s directory; absolute if the inventory’s path is. */
  readonly privateKeyFile?: string
  /** As `privateKeyFile`. */
  readonly knownHostsFile?: string
  /** Which SSH: in this process, or the system’s `ssh`. Undefined: in process if that is sufficient. */
  readonly sshTransport?: 'ssh' | 'openssh'
  /** Used instead of ~/.ssh/config and the system-wide file; `none` for neither. */
  readonly sshConfigFile?: string
  /** As for `ssh -J`: `user@host:port,…`, or `none`. Names may be hosts of the inventory. */
  readonly proxyJump?: string
  /** Any host key is accepted, with a warning in each run. */
  readonly insecureHostKey?: boolean
  /** For a login with a password; never in `vars`. */
  readonly password?: SecretOf
  /** Work as a user other than the login. */
  readonly become?: Become
  /** Timeouts in milliseconds, if the inventory sets them. */
  readonly timeouts?: HostTimeouts
  /** Where the host keeps its state: `bootstrap_dir`, by default `<root>/var/bootstrap`. */
  readonly bootstrapDir: string
  /** `''`, or an absolute directory under which a recipe puts all its paths. */
  readonly root: string
}

/** Hosts and groups of one environment. */
export interface Inventory {
  /** Name of the directory that contains the inventory. */
  readonly environment: string
  readonly file: string
  /** The directory of `file`, which also contains bootstrap.ini. */
  readonly directory: string
  /** In the order of their first mention in the file. */
  readonly hosts: readonly Host[]
  /** Names of the hosts in each group and its descendants, in file order; includes `all` and `ungrouped`. */
  readonly groups: ReadonlyMap<string, readonly string[]>
  /**
   * The hosts of each group in the order in which slices count them, which is Ansible’s: the group’s own
   * hosts, then its children’s, level by level. Without it, `groups` is used.
   */
  readonly sliceOrder?: ReadonlyMap<string, readonly string[]>
  /**
   * Why hosts are not supported: their variables ask for what is not, or can’t be evaluated. They have a name, groups
   * and variables; a command that selects one is refused.
   */
  readonly unsupported: Pick<ReadonlyMap<string, UsageError>, 'get' | 'has'>
  /** What is odd in the files, but no error. */
  readonly warnings?: readonly string[]
  /** The host for the pattern `localhost` if the file does not have one. */
  readonly localhost?: Host
  /** What `list` shows of it; undefined: it was not read from files. */
  readonly read?: ReadInventory
}

/** An inventory as it is written, before anything is resolved. */
export interface ReadInventory {
  tree(): GroupTree
  /** All variables of a host by name, the strongest of each first. */
  variablesOf(host: string): ReadonlyMap<string, readonly Variable[]>
  /** The value of a host’s variable. @throws {UsageError} inventory_invalid: its template fails */
  valueOf(host: string, name: string, variable: Variable): unknown
}
