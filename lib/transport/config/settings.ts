/** The settings for reaching a host over SSH: the inventory’s values over those of `~/.ssh/config`. Pure. */

/** All settings of one endpoint: a host, or a jump host on the way to one. */
export interface SshSettings {
  /** The argument of `ssh`: a name in its configuration, or an address. */
  destination: string
  /** Used instead of ssh’s own files, as with `ssh -F`; `none` for no file. */
  configFile?: string
  address: string
  port: number
  user: string
  /** The host’s name in known_hosts, instead of its address and port. */
  hostKeyAlias?: string
  /** The inventory's key: tried before all others. */
  privateKeyFile?: string
  /** Key files from the configuration, in order; absolute paths. */
  identityFiles: readonly string[]
  /** Use only agent keys that belong to these files. */
  identitiesOnly: boolean
  /** The socket of the agent, if there is one. */
  agent?: string
  /** Where host keys are looked up; --accept-new adds keys to the first. */
  userKnownHostsFiles: readonly string[]
  globalKnownHostsFiles: readonly string[]
  /** New entries are hashed, even if the file has no hashed ones yet. */
  hashKnownHosts: boolean
  /** Any host key is accepted. */
  insecureHostKey: boolean
  /** Jump hosts in the order of connecting, each as `ssh -J` takes one: `[user@]host[:port]`. */
  jumps: readonly string[]
  /** Allowed login methods, in order. */
  methods: readonly AuthMethod[]
  /** No prompts: passwords and passphrases must be known. */
  batchMode?: boolean
  /** The configuration sends `ssh` to the background (ForkAfterAuthentication). */
  background?: boolean
  /** How often to prompt for a password. Default: 3, as in ssh. */
  passwordPrompts?: number
  /** Allowed algorithms by name. Undefined: the transport's own choice. */
  algorithms?: {
    kex: readonly string[]
    cipher: readonly string[]
    mac: readonly string[]
    hostKey: readonly string[]
  }
  addressFamily?: 4 | 6
  /** In milliseconds; undefined if the configuration does not set it. */
  connectTimeoutMs?: number
  /** Milliseconds between keep-alive requests. */
  aliveIntervalMs: number
  /** How many of them may go unanswered. */
  aliveCountMax: number
  /**
   * Needs that only the system’s `ssh` can meet, as phrases: `ProxyCommand`, `a certificate (…-cert.pub)`.
   */
  needs: readonly string[]
  /** Keywords that are set but not honoured. */
  ignored: readonly string[]
}

export type AuthMethod = 'publickey' | 'keyboard-interactive' | 'password'

/** Our user and machine. */
export interface Surroundings {
  home: string
  user: string
  env: NodeJS.ProcessEnv
}
