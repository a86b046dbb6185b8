/** What is needed to reach a host by SSH: the inventory's values over those of `~/.ssh/config`. Pure. */

/** One endpoint, whole: a host, or a jump host on the way to one. */
export interface SshSettings {
  /** What `ssh` is called with: a name of its configuration, or an address. */
  destination: string
  /** Instead of ssh's own files, as `ssh -F` takes it; `none` for no file at all. */
  configFile?: string
  address: string
  port: number
  user: string
  /** What known_hosts calls the host, in the place of its address and port. */
  hostKeyAlias?: string
  /** The inventory's key: tried before all others. */
  privateKeyFile?: string
  /** The configuration's, in its order; absolute. */
  identityFiles: readonly string[]
  /** Of an agent's keys, only those of these files. */
  identitiesOnly: boolean
  /** An agent's socket. Undefined: none. */
  agent?: string
  /** Where host keys are looked up; what --accept-new learns goes to the first. */
  userKnownHostsFiles: readonly string[]
  globalKnownHostsFiles: readonly string[]
  /** New entries are hashed, also where the file has none yet. */
  hashKnownHosts: boolean
  /** Any host key is taken for the right one. */
  insecureHostKey: boolean
  /** Jump hosts in the order of connecting, each as `ssh -J` takes one: `[user@]host[:port]`. */
  jumps: readonly string[]
  /** Ways to log in that are allowed, in order. */
  methods: readonly AuthMethod[]
  /** Nobody is asked for anything: passwords and passphrases are known, or there are none. */
  batchMode?: boolean
  /** The configuration sends `ssh` to the background (ForkAfterAuthentication). */
  background?: boolean
  /** How often a person is asked for a password. Undefined: as often as the default of ssh, 3. */
  passwordPrompts?: number
  /** Allowed algorithms by name. Undefined: the transport's own choice. */
  algorithms?: {
    kex: readonly string[]
    cipher: readonly string[]
    mac: readonly string[]
    hostKey: readonly string[]
  }
  addressFamily?: 4 | 6
  /** Milliseconds. Undefined: the configuration does not say. */
  connectTimeoutMs?: number
  /** Milliseconds between questions whether the host is still there. */
  aliveIntervalMs: number
  /** How many of them may stay without an answer. */
  aliveCountMax: number
  /** What only the system's `ssh` can, as people say it: `ProxyCommand`, `a certificate (…-cert.pub)`. */
  needs: readonly string[]
  /** Keywords that are set and could not be honoured. */
  ignored: readonly string[]
}

export type AuthMethod = 'publickey' | 'keyboard-interactive' | 'password'

/** Who and where we are. */
export interface Surroundings {
  home: string
  user: string
  env: NodeJS.ProcessEnv
}
