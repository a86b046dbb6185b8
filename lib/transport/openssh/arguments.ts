/** The arguments of the system’s `ssh`. Pure. Command line options override all files (ssh_config(5)). */
import type { SshSettings } from '../config/settings.ts'

export interface OpensshCall {
  /** Path of its control socket, without `%`. */
  socket: string
  /** Used instead of its own files, as with `-F`. */
  configFile?: string
  /** Add unknown host keys to the first of the user’s files. */
  acceptNew: boolean
  /** Hash the names that are added. */
  hash: boolean
  /** Whether somebody answers its prompts. */
  asks: boolean
  /** Use only agent keys that belong to identity files. */
  identitiesOnly?: boolean
  /**
   * Timeout for the connection and the server’s version string, in seconds, in case nobody is left to end it
   * sooner.
   */
  connectSeconds: number
  /** The jump hosts by name, if they differ from the settings. */
  jumps?: readonly string[]
}

/**
 * A master that only holds the connection. It reports its progress on standard error (LogLevel DEBUG1, as
 * there is no other way), and runs no command here or there.
 */
export function opensshArguments(target: SshSettings, call: OpensshCall): string[] {
  const { destination, user, port, privateKeyFile, userKnownHostsFiles } = target
  const files = target.insecureHostKey ? ['/dev/null', ...userKnownHostsFiles] : userKnownHostsFiles
  const jumps = call.jumps ?? target.jumps
  const options: Record<string, string | number | undefined> = {
    ControlMaster: 'yes',
    ControlPath: call.socket,
    ControlPersist: 'no',
    LogLevel: 'DEBUG1',
    BatchMode: call.asks ? 'no' : 'yes',
    ...trust(target, call.acceptNew),
    UserKnownHostsFile: fileList(files),
    GlobalKnownHostsFile: fileList(target.globalKnownHostsFiles),
    HashKnownHosts: call.hash ? 'yes' : 'no',
    IdentitiesOnly: call.identitiesOnly ? 'yes' : undefined,
    // Its tokens are expanded by now.
    ProxyJump: jumps.length > 0 ? jumps.join(',').replaceAll('%', '%%') : undefined,
    ConnectTimeout: call.connectSeconds,
    // hostwright does the retries.
    ConnectionAttempts: 1,
    ServerAliveInterval: Math.max(1, Math.ceil(target.aliveIntervalMs / 1000)),
    ServerAliveCountMax: target.aliveCountMax,
    ClearAllForwardings: 'yes',
    // The option does not exist before 8.7, so it is set only if the configuration has it.
    ForkAfterAuthentication: target.background ? 'no' : undefined,
    ForwardX11: 'no',
    PermitLocalCommand: 'no',
    RemoteCommand: 'none',
    RequestTTY: 'no',
    Tunnel: 'no',
    UpdateHostKeys: 'no',
  }
  return [
    ...(call.configFile === undefined ? [] : ['-F', call.configFile]),
    // No session on this connection.
    '-N',
    ...Object.entries(options).flatMap(([name, value]) =>
      value === undefined ? [] : [`-o${name}=${value}`],
    ),
    ...(privateKeyFile === undefined ? [] : ['-i', privateKeyFile.replaceAll('%', '%%')]),
    ...['-l', user, '-p', String(port), '--', destination],
  ]
}

/** Settings that no configuration can override. */
const trust = ({ insecureHostKey }: Pick<SshSettings, 'insecureHostKey'>, acceptNew: boolean) => ({
  StrictHostKeyChecking: insecureHostKey ? 'no' : acceptNew ? 'accept-new' : 'yes',
  NoHostAuthenticationForLocalhost: 'no',
  VerifyHostKeyDNS: 'no',
})

/** A list of files for ssh: quoted, with `%` escaped. */
const fileList = (files: readonly string[]) =>
  files.length === 0 ? 'none' : files.map(quoteWord).join(' ')

const quoteWord = (word: string) => `"${word.replaceAll('%', '%%').replace(/["\\]/g, '\\$&')}"`

/**
 * A configuration for jump hosts: ssh starts another ssh for each, which gets the same file but none of the
 * options above. Who logs in there is said by `jumpsOf`.
 * @param hops the jump hosts with settings of their own: port, key and host keys
 * @param more.apart takes no connection that another ssh holds (ControlPath)
 * @param more.configFile the file that applies otherwise; undefined: ssh’s own two, `none`: no file
 */
export function jumpConfig(
  hops: readonly SshSettings[],
  { acceptNew, configFile, apart }: { acceptNew: boolean; configFile?: string; apart?: boolean },
): string {
  const blocks = hops.map(hop => {
    const { destination, address, port, privateKeyFile, insecureHostKey } = hop
    const files = insecureHostKey
      ? ['/dev/null', ...hop.userKnownHostsFiles]
      : hop.userKnownHostsFiles
    return block(destination, {
      HostName: address.replaceAll('%', '%%'),
      Port: port,
      IdentityFile: privateKeyFile && quoteWord(privateKeyFile),
      UserKnownHostsFile: fileList(files),
      GlobalKnownHostsFile: fileList(hop.globalKnownHostsFiles),
      ...trust(hop, acceptNew),
    })
  })
  const all = block('*', {
    ...trust({ insecureHostKey: false }, acceptNew),
    // We need the reason for a failure, whatever the user wants to see.
    LogLevel: 'ERROR',
    PermitLocalCommand: 'no',
    UpdateHostKeys: 'no',
    ...(apart && { ControlMaster: 'no', ControlPath: 'none' }),
  })
  const others =
    configFile === undefined
      ? ['~/.ssh/config', '/etc/ssh/ssh_config']
      : configFile === 'none'
        ? []
        : [quoteWord(configFile)]
  return [...blocks, all, ...others.map(file => `Include ${file}\n`)].join('')
}

/**
 * The jump hosts as ProxyJump has them, with their users: ssh passes a user on by `-l`, as it stands. A User in a
 * file has tokens since OpenSSH 10, and had none before.
 */
export const jumpsOf = (hops: readonly SshSettings[]): string[] =>
  hops.map(({ user, destination }) => `${user}@${destination}`)

const block = (name: string, values: Record<string, string | number | undefined>) =>
  `Host ${name}\n${Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([keyword, value]) => `  ${keyword} ${value}\n`)
    .join('')}`
