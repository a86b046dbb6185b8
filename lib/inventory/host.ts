/** Turns a host’s merged variables into the settings for reaching it. */
import { UsageError } from '../errors.ts'
import { printable } from '../shell/nearest.ts'
import { becomeOf } from './become.ts'
import type { Fail } from './fault.ts'
import { isTemplate } from './host-name.ts'
import { found, type HostValue, type HostVars, hostVars } from './host-vars.ts'
import type { Host, HostTimeouts } from './inventory.ts'
import { isPasswordName, passwordOf } from './password.ts'
import { checkProxyJump } from './proxy-jump.ts'
import {
  createSettings,
  type Names,
  type Settings,
  type Surroundings,
  type Variable,
} from './setting.ts'
import { plainOf, textOf } from './value.ts'

/** Names of each setting; the first one that is set wins. Ansible’s own come first, see docs/inventory.md. */
const names = {
  address: ['ansible_host', 'ansible_ssh_host', 'host'],
  port: ['ansible_port', 'ansible_ssh_port', 'port'],
  user: ['ansible_user', 'ansible_ssh_user', 'user'],
  password: ['ansible_password', 'ansible_ssh_pass', 'ansible_ssh_password'],
  privateKeyFile: ['ansible_ssh_private_key_file', 'ansible_private_key_file', 'private_key_file'],
  knownHostsFile: ['known_hosts_file'],
  connection: ['ansible_connection', 'connection'],
  sshConfigFile: ['ssh_config_file'],
  proxyJump: ['proxy_jump'],
  insecureHostKey: ['insecure_host_key'],
  connectTimeout: ['connect_timeout', 'ansible_ssh_timeout', 'ansible_timeout'],
  handshakeTimeout: ['handshake_timeout'],
  authTimeout: ['auth_timeout'],
  commandTimeout: ['command_timeout'],
  reconnect: ['reconnect_timeout'],
  bootstrapDir: ['bootstrap_dir'],
  root: ['root'],
} as const

type Connection = Pick<Host, 'connection' | 'sshTransport'>

const connections: Readonly<Record<string, Connection>> = {
  ssh: { connection: 'ssh' },
  smart: { connection: 'ssh' },
  openssh: { connection: 'ssh', sshTransport: 'openssh' },
  paramiko: { connection: 'ssh', sshTransport: 'ssh' },
  local: { connection: 'local' },
  docker: { connection: 'docker' },
  podman: { connection: 'podman' },
  chroot: { connection: 'chroot' },
  'ansible.builtin.ssh': { connection: 'ssh' },
  'ansible.builtin.paramiko_ssh': { connection: 'ssh', sshTransport: 'ssh' },
  'ansible.builtin.local': { connection: 'local' },
  'community.docker.docker': { connection: 'docker' },
  'containers.podman.podman': { connection: 'podman' },
  'community.general.chroot': { connection: 'chroot' },
}

/** The variables given on the command line, which errors name as their source. */
export function readOverrides(overrides: Record<string, string> = {}): Map<string, Variable> {
  for (const name of Object.keys(overrides)) {
    if (!isPasswordName(name)) continue
    throw new UsageError('usage', `--var ${name}: command lines show in process lists`, {
      hint: 'See --ask-pass and --ask-become-pass, and ssh_password_from in docs/inventory.md.',
    })
  }
  return fromOptions(overrides, name => `--var ${name}`)
}

/** Defaults for hosts that set nothing else: command line options, and behind them ansible.cfg. */
export interface Defaults {
  /** --become */
  become?: boolean
  /** --become-user */
  becomeUser?: string
  /** From ansible.cfg, by the name of the variable. */
  configured?: ReadonlyMap<string, Variable>
}

/** They are weaker than everything in the inventory, and are not variables of a host. */
export const readDefaults = ({ become, becomeUser, configured = new Map() }: Defaults = {}) =>
  new Map<string, Variable>([
    ...configured,
    ...fromOptions(
      {
        ...(become && { ansible_become: 'yes' }),
        ...(becomeUser !== undefined && { ansible_become_user: becomeUser }),
      },
      name => (name === 'ansible_become' ? '--become' : '--become-user'),
    ),
  ])

function fromOptions(
  values: Readonly<Record<string, string>>,
  shownAs: (name: string) => string,
): Map<string, Variable> {
  return new Map(
    Object.entries(values).map(([name, value]) => {
      const fail: Fail = (what, hint) => {
        throw new UsageError('invalid_value', printable(`${shownAs(name)}: ${what}`), { hint })
      }
      return [name, { value, at: { file: shownAs(name) }, fail }]
    }),
  )
}

/** Settings for all hosts of an inventory. */
export interface Common extends Surroundings {
  /** They override the inventory, with any of a setting’s names. */
  overrides: ReadonlyMap<string, Variable>
  defaults: ReadonlyMap<string, Variable>
}

/** A host’s own: its groups, its variables, and how they are resolved. */
export interface Described {
  name: string
  /** In any order. */
  groups: readonly string[]
  /** From the inventory, merged. */
  vars: ReadonlyMap<string, Variable>
  /** The value of one of them. @throws {UsageError} its template fails */
  resolve(name: string, variable: Variable): unknown
}

/** The host that these variables describe. Empty settings count as not set. */
export function describeHost(described: Described, common: Common): Host {
  const { name, groups, vars, resolve } = described
  const { overrides, defaults } = common
  const settings = createSettings(name, [overrides, vars, defaults], common, (key, variable) =>
    textOf(resolve(key, variable)),
  )
  const { word, localPath, remoteDirectory, truth, port } = settings
  refuseUnsupported(settings)
  const { connection, sshTransport } = settings.choice(
    names.connection,
    connections,
    otherConnection,
  ) ?? { connection: 'ssh' }
  const jump = settings.find(names.proxyJump)
  const root = remoteDirectory(names.root) ?? ''
  refusePassphrase(name, vars)
  return {
    name,
    vars: readableVars(described, overrides),
    groups: [...groups].sort(),
    connection,
    sshTransport,
    // A chroot is identified only by its path; all paths lose their trailing slash, including `/`.
    address:
      (connection === 'chroot'
        ? remoteDirectory(names.address)?.replace(/^$/, '/')
        : word(names.address)) ?? name,
    port: port(names.port),
    user: word(names.user),
    privateKeyFile: localPath(names.privateKeyFile),
    knownHostsFile: localPath(names.knownHostsFile),
    sshConfigFile:
      settings.find(names.sshConfigFile)?.value === 'none'
        ? 'none'
        : localPath(names.sshConfigFile),
    proxyJump: jump && checkProxyJump(jump),
    insecureHostKey: truth(names.insecureHostKey),
    // Nothing else logs in: there a template or a vault does no harm. What stands there is hidden all the same.
    password:
      connection === 'ssh' || isLiteral(names.password, [overrides, vars])
        ? passwordOf(settings, names.password, 'ssh_password_from', common)
        : undefined,
    become: becomeOf(settings, common),
    timeouts: timeoutsOf(settings),
    bootstrapDir: remoteDirectory(names.bootstrapDir) || `${root}/var/bootstrap`,
    root,
  }
}

/** Whether the first of these that is set needs no template and no vault for its value. */
function isLiteral(of: Names, layers: readonly ReadonlyMap<string, Variable>[]): boolean {
  const value = layers.flatMap(layer => of.map(name => layer.get(name)?.value)).find(Boolean)
  return typeof value === 'string' ? !isTemplate(value) : typeof value !== 'object'
}

/** What recipes read. */
export function readableVars(
  { name, vars, resolve }: Described,
  overrides: ReadonlyMap<string, Variable>,
): HostVars {
  const shown = [...vars, ...overrides].filter(([key]) => !isPasswordName(key))
  return hostVars(
    name,
    found(
      shown.map(
        ([key, variable]) => [key, (): HostValue => plainOf(resolve(key, variable))] as const,
      ),
    ),
  )
}

/** A host whose variables ask for what is not supported: enough to list and select it, not to reach it. */
export function unsupportedHost(described: Described, { overrides }: Common): Host {
  const { name, groups } = described
  return {
    name,
    vars: readableVars(described, overrides),
    groups: [...groups].sort(),
    connection: 'ssh',
    address: name,
    bootstrapDir: '/var/bootstrap',
    root: '',
  }
}

function timeoutsOf({ duration }: Settings): HostTimeouts | undefined {
  const timeouts: HostTimeouts = {
    connectMs: duration(names.connectTimeout),
    handshakeMs: duration(names.handshakeTimeout),
    authMs: duration(names.authTimeout),
    commandMs: duration(names.commandTimeout),
    reconnectMs: duration(names.reconnect, 0),
  }
  return Object.values(timeouts).some(each => each !== undefined) ? timeouts : undefined
}

/** Why Ansible’s other connections can’t be supported. */
function otherConnection(value: string): string | undefined {
  if (/(?:^|\.)(?:winrm|psrp|aws_ssm)$/.test(value))
    return 'A host needs a POSIX shell, reached by SSH: Windows and agents of clouds are not supported.'
  if (/(?:^|\.)(?:network_cli|netconf|httpapi)$/.test(value))
    return 'A host needs a POSIX shell: network devices are not supported.'
  return undefined
}

/** Settings without which another machine, or none, would be reached. */
function refuseUnsupported({ find }: Settings): void {
  const shell = find(['ansible_shell_type'])
  if (shell && /^(?:powershell|cmd)$/i.test(shell.value))
    shell.fail(`${shell.what} is ${shell.value}`, 'A host needs a POSIX shell: Windows has none.')
  const daemon = find(['ansible_docker_host', 'ansible_docker_docker_host'])
  daemon?.fail(
    `${daemon.what} is not supported`,
    'Containers are reached on this machine only: run hostwright where they are.',
  )
}

/** Settings that are nothing to this machine when it is reached without an inventory’s line. */
const reachingOthers: ReadonlySet<string> = new Set([
  ...names.connection,
  ...names.address,
  ...names.port,
  ...names.password,
  ...names.proxyJump,
  'ssh_password_from',
  'ansible_shell_type',
])

/** Recipes don’t get this variable, so it can’t be reported later as having no effect. */
function refusePassphrase(name: string, vars: ReadonlyMap<string, Variable>): void {
  for (const key of ['ansible_ssh_private_key_passphrase', 'ansible_private_key_passphrase']) {
    const found = vars.get(key)
    if (!found || found.value === '' || found.value === null) continue
    found.fail(
      `${key} of ${name} is not supported`,
      'Remove it: you are asked for the key’s passphrase once. Or add the key to your agent.',
    )
  }
}

/**
 * The host for the pattern `localhost` if the inventory does not have one: this machine, without SSH. As in
 * Ansible, it has the variables of `all` and is in no group.
 */
export function implicitLocalhost(described: Described, common: Common): Host {
  // How the others are reached is nothing to this machine, and that they can’t be, least of all.
  const own = new Map([...described.vars].filter(([key]) => !reachingOthers.has(key)))
  const { name, groups, resolve } = described
  const host = describeHost({ name, groups, resolve, vars: own }, common)
  const vars = readableVars(described, common.overrides)
  return { ...host, vars, connection: 'local', address: '127.0.0.1', sshTransport: undefined }
}
