/** A host's merged variables, read as what we need to reach it. */
import { isAbsolute, join, posix } from 'node:path'
import { UsageError } from '../errors.ts'
import { printable } from '../shell/nearest.ts'
import type { Fail } from './fault.ts'
import { readPort, refuseUnsafe } from './host-name.ts'
import type { Host } from './inventory.ts'

/** A variable and how a fault in it is raised, which names the place it was set at. */
export interface Variable {
  readonly value: string
  readonly fail: Fail
}

/** What the file around the host says. */
export interface Surroundings {
  /** Directory that relative paths start from. */
  directory: string
  /** What `~` stands for; without it `~` stays. */
  home?: string
}

/** Names of one setting, the first that is set wins. Ansible's own come first, see docs/inventory.md. */
const names = {
  address: ['ansible_host', 'ansible_ssh_host', 'host'],
  port: ['ansible_port', 'ansible_ssh_port', 'port'],
  user: ['ansible_user', 'ansible_ssh_user', 'user'],
  privateKeyFile: ['ansible_ssh_private_key_file', 'ansible_private_key_file', 'private_key_file'],
  knownHostsFile: ['known_hosts_file'],
  connection: ['ansible_connection', 'connection'],
  bootstrapDir: ['bootstrap_dir'],
  root: ['root'],
} as const

const portHint = 'A port is a number from 1 to 65535.'

const connections: Record<string, Host['connection']> = {
  ssh: 'ssh',
  smart: 'ssh',
  paramiko: 'ssh',
  local: 'local',
  docker: 'docker',
  'community.docker.docker': 'docker',
  podman: 'podman',
  'containers.podman.podman': 'podman',
  chroot: 'chroot',
  'community.general.chroot': 'chroot',
}

/** The variables given on the command line. A fault in one is the command line's. */
export function readOverrides(overrides: Record<string, string> = {}): Map<string, Variable> {
  return new Map(
    Object.entries(overrides).map(([name, value]) => {
      const fail: Fail = (what, hint) => {
        throw new UsageError('invalid_value', printable(`--var ${name}: ${what}`), { hint })
      }
      return [name, { value, fail }]
    }),
  )
}

/**
 * The host that these variables describe. Settings that are empty count as not set.
 * @param groups names of its groups, in any order
 * @param vars from the inventory, merged
 * @param overrides win over `vars`, whichever of a setting's names they use
 */
export function describeHost(
  name: string,
  groups: readonly string[],
  vars: ReadonlyMap<string, Variable>,
  overrides: ReadonlyMap<string, Variable>,
  { directory, home }: Surroundings,
): Host {
  const find = (setting: keyof typeof names) => {
    for (const scope of [overrides, vars]) {
      for (const key of names[setting]) {
        const found = scope.get(key)
        if (found) return found.value === '' ? undefined : { what: `${key} of ${name}`, ...found }
      }
    }
    return undefined
  }
  const word = (setting: keyof typeof names) => {
    const found = find(setting)
    if (found) refuseUnsafe(found.what, found.value, found.fail)
    return found?.value
  }
  const localPath = (setting: keyof typeof names) => {
    const found = find(setting)
    if (!found) return undefined
    const { value, what, fail } = found
    refuseControl(what, value, fail)
    if (value === '~' || value.startsWith('~/')) {
      return home === undefined ? value : join(home, value.slice(1))
    }
    if (value.startsWith('~'))
      fail(`${what} is in another user’s home: '${value}'`, 'Write the whole path.')
    return isAbsolute(value) ? value : join(directory, value)
  }
  const remoteDirectory = (setting: keyof typeof names) => {
    const found = find(setting)
    if (!found) return undefined
    const { value, what, fail } = found
    refuseControl(what, value, fail)
    if (!value.startsWith('/') || value.split('/').includes('..')) {
      fail(`${what} must be an absolute path without '..': '${value}'`)
    }
    return posix.normalize(value).replace(/\/+$/, '')
  }
  const port = () => {
    const found = find('port')
    if (!found) return undefined
    const { value, what, fail } = found
    return readPort(value) ?? fail(`${what} is no port: '${value}'`, portHint)
  }
  const connection = find('connection')
  if (connection && !Object.hasOwn(connections, connection.value)) {
    const known = [...new Set(Object.values(connections))].join(', ')
    connection.fail(`${connection.what} is none of ${known}: '${connection.value}'`)
  }
  const kind = connections[connection?.value ?? 'ssh']!
  const root = remoteDirectory('root') ?? ''
  return {
    name,
    vars: Object.fromEntries([...vars, ...overrides].map(([key, { value }]) => [key, value])),
    groups: [...groups].sort(),
    connection: kind,
    // What a chroot is in has no name but its path.
    address: (kind === 'chroot' ? remoteDirectory('address') : word('address')) ?? name,
    port: port(),
    user: word('user'),
    privateKeyFile: localPath('privateKeyFile'),
    knownHostsFile: localPath('knownHostsFile'),
    bootstrapDir: remoteDirectory('bootstrapDir') || `${root}/var/bootstrap`,
    root,
  }
}

/**
 * What the pattern `localhost` means where the inventory names no such host: this machine, without
 * a connection. As in Ansible it has the variables of `all` and is in no group.
 */
export function implicitLocalhost(
  varsOfAll: ReadonlyMap<string, Variable>,
  overrides: ReadonlyMap<string, Variable>,
  surroundings: Surroundings,
): Host {
  const described = describeHost('localhost', [], varsOfAll, overrides, surroundings)
  return { ...described, connection: 'local', address: '127.0.0.1' }
}

function refuseControl(what: string, path: string, fail: Fail): void {
  if (path.includes('{{')) refuseUnsafe(what, path, fail)
  if (/\p{Cc}/u.test(path)) fail(`${what} holds a control character: ${JSON.stringify(path)}`)
}
