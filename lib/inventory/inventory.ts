/** What an inventory is, once read. Plain data: parse.ts makes it, pattern.ts selects from it. */

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
  /** 22 unless set. */
  readonly port: number
  readonly user?: string
  /** Relative paths start from the inventory's directory; absolute where the inventory's path is. */
  readonly privateKeyFile?: string
  /** As `privateKeyFile`. */
  readonly knownHostsFile?: string
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
