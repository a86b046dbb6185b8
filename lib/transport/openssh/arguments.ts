/** What the system's `ssh` is called with. Pure. Options of a command line stand over all files (ssh_config(5)). */
import type { SshSettings } from '../config/settings.ts'

export interface OpensshCall {
  /** Where its control socket goes: a path without `%`. */
  socket: string
  /** Instead of its own files, as `-F` takes it. */
  configFile?: string
  /** Host keys that are not known yet are added to the first of the user's files. */
  acceptNew: boolean
  /** Where they are added hashed. */
  hash: boolean
  /** Somebody answers its questions. */
  asks: boolean
  /** Of the agent's keys only those of identity files. */
  identitiesOnly?: boolean
  /** For a connection and the server's first words, in seconds: where nobody is left who ends it sooner. */
  connectSeconds: number
  /** The jump hosts by name, where they are not the settings' own words. */
  jumps?: readonly string[]
}

/**
 * A master that only holds the connection. It says where it is on standard error (LogLevel DEBUG1: there is no
 * other way to learn that), and starts nothing here or there.
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
    ProxyJump: jumps.length > 0 ? jumps.join(',') : undefined,
    ConnectTimeout: call.connectSeconds,
    // Tries are ours.
    ConnectionAttempts: 1,
    ServerAliveInterval: Math.max(1, Math.ceil(target.aliveIntervalMs / 1000)),
    ServerAliveCountMax: target.aliveCountMax,
    ClearAllForwardings: 'yes',
    // Before 8.7 there is no such option, so none is set where the configuration has it not.
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
    // No session of its own.
    '-N',
    ...Object.entries(options).flatMap(([name, value]) =>
      value === undefined ? [] : [`-o${name}=${value}`],
    ),
    ...(privateKeyFile === undefined ? [] : ['-i', privateKeyFile.replaceAll('%', '%%')]),
    ...['-l', user, '-p', String(port), '--', destination],
  ]
}

/** What no configuration decides. */
const trust = ({ insecureHostKey }: Pick<SshSettings, 'insecureHostKey'>, acceptNew: boolean) => ({
  StrictHostKeyChecking: insecureHostKey ? 'no' : acceptNew ? 'accept-new' : 'yes',
  NoHostAuthenticationForLocalhost: 'no',
  VerifyHostKeyDNS: 'no',
})

/** Files as ssh reads a list of them: in quotes, and `%` begins a token. */
const fileList = (files: readonly string[]) =>
  files.length === 0 ? 'none' : files.map(quoteWord).join(' ')

const quoteWord = (word: string) => `"${word.replaceAll('%', '%%').replace(/["\\]/g, '\\$&')}"`

/**
 * A configuration for the way through jump hosts: ssh starts another ssh for each, which is given the same file
 * and none of the options above.
 * @param hops those of them that are more than words: of each its own user, port, key and host keys
 * @param configFile the file that counts besides; undefined: ssh's own two, `none`: no other
 */
export function jumpConfig(
  hops: readonly SshSettings[],
  { acceptNew, configFile }: { acceptNew: boolean; configFile?: string },
): string {
  const blocks = hops.map(hop => {
    const { destination, address, user, port, privateKeyFile, insecureHostKey } = hop
    const files = insecureHostKey
      ? ['/dev/null', ...hop.userKnownHostsFiles]
      : hop.userKnownHostsFiles
    return block(destination, {
      HostName: address,
      User: user,
      Port: port,
      IdentityFile: privateKeyFile && quoteWord(privateKeyFile),
      UserKnownHostsFile: fileList(files),
      GlobalKnownHostsFile: fileList(hop.globalKnownHostsFiles),
      ...trust(hop, acceptNew),
    })
  })
  const all = block('*', {
    ...trust({ insecureHostKey: false }, acceptNew),
    // Why it fails is wanted, whatever a person wants to see.
    LogLevel: 'ERROR',
    PermitLocalCommand: 'no',
    UpdateHostKeys: 'no',
  })
  const others =
    configFile === undefined
      ? ['~/.ssh/config', '/etc/ssh/ssh_config']
      : configFile === 'none'
        ? []
        : [quoteWord(configFile)]
  return [...blocks, all, ...others.map(file => `Include ${file}\n`)].join('')
}

const block = (name: string, values: Record<string, string | number | undefined>) =>
  `Host ${name}\n${Object.entries(values)
    .filter(([, value]) => value !== undefined)
    .map(([keyword, value]) => `  ${keyword} ${value}\n`)
    .join('')}`
