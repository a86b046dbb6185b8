/** The files of a lab's inventory: hosts.ini, known_hosts, bootstrap.ini. */
import type { LabAddress } from './addresses.ts'
import { keyData } from './keys.ts'

export interface InventoryHost extends LabAddress {
  name: string
  /** The directory that confines recipes; absent if the host has its own view. */
  root?: string
}

export interface InventoryOptions {
  hosts: InventoryHost[]
  user: string
  privateKey: string
  knownHosts: string
  /** Absolute path of a node program on the hosts. */
  node: string
}

/** Hosts with haproxy have their own addresses, so they can share a port. */
const haproxyPort = 8000

/** A value in a host line, which is split as in a shell. */
function word(value: string | number): string {
  const text = String(value)
  return /^[\w@%+:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'"'"'`)}'`
}

/** hosts.ini, with one group, `lab`. */
export function hostsIni(options: InventoryOptions): string {
  const line = ({ name, address, port, deepfilerPort, root }: InventoryHost) => {
    const variables: Record<string, string | number | undefined> = {
      ansible_host: address,
      ansible_port: port,
      ansible_user: options.user,
      ansible_ssh_private_key_file: options.privateKey,
      known_hosts_file: options.knownHosts,
      node: options.node,
      deepfiler_address: address,
      deepfiler_port: deepfilerPort,
      // Installing packages requires the host’s own file system.
      haproxy_bind: root === undefined ? `${address}:${haproxyPort}` : undefined,
      haproxy_backends: root === undefined ? `${address}:${deepfilerPort}` : undefined,
      root,
      bootstrap_dir: root && `${root}/var/bootstrap`,
    }
    const words = Object.entries(variables).flatMap(([key, value]) =>
      value === undefined ? [] : [`${key}=${word(value)}`],
    )
    return [name, ...words].join(' ')
  }
  return `# Written by "hostwright lab up".\n[lab]\n${options.hosts.map(line).join('\n')}\n`
}

/** known_hosts lines (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"). `keys` are the hosts' public keys. */
export function knownHosts(hosts: LabAddress[], keys: string[]): string {
  return hosts
    .map(({ address, port }, index) => {
      const name = port === 22 ? address : `[${address}]:${port}`
      return `${name} ssh-ed25519 ${keyData(keys[index]!)}\n`
    })
    .join('')
}

const common = `# Written by "hostwright lab up". docs/bootstrap-ini.md describes the format.
[server]
modes = provisioning, active, maintenance, upgrading

[role:app]
products = deepfiler, appstack
`

const deepfiler = `
[product:deepfiler]
description = Example product: a small HTTP service
version = 1.0.0
archive = releases/deepfiler-{version}.tar.gz
home = {root}/opt/deepfiler
config = {root}/etc/deepfiler.ini
validate = {home}/current/bin/deepfiler check %s
service = {home}/current/bin/deepfiler
heartbeat = http://{address}:{port}/heartbeat
heartbeat_json = status=ok
heartbeat_interval = 200ms
heartbeat_attempts = 25
heartbeat_timeout = 2s

[setting:deepfiler:address]
type = string
default = 127.0.0.1
section = server
description = Address to listen on

[setting:deepfiler:port]
type = integer
default = 8080
allowed = 1..65535
section = server
description = TCP port to listen on

[setting:deepfiler:workers]
type = integer
default = 4
allowed = 1..64
section = server
description = How many requests it works on at once

[setting:deepfiler:log_level]
type = string
default = info
allowed = error, warn, info, debug
section = server
description = How much it writes to its log

[product:appstack]
description = The whole stack of a host
heartbeat = stack
`

const webRole = `
[role:web]
products = haproxy, deepfiler, appstack
`

const haproxy = `
[product:haproxy]
description = The load balancer, from the distribution's packages
packages = haproxy
config = /etc/haproxy/haproxy.cfg
config_format = words
validate = haproxy -c -f %s
service = haproxy
heartbeat = haproxy:/run/haproxy/admin.sock

[setting:haproxy:maxconn]
type = integer
default = 2000
allowed = 1..100000
section = global
key = maxconn
description = Connections at once

[setting:haproxy:timeout_connect]
default = 5s
section = defaults
key = timeout connect
description = How long a server may take to accept a connection

[setting:haproxy:timeout_client]
default = 50s
section = defaults
key = timeout client
description = How long a client may be silent

[setting:haproxy:timeout_server]
default = 50s
section = defaults
key = timeout server
description = How long a server may be silent

[setting:haproxy:bind]
default = 127.0.0.1:8000
section = frontend stack
key = bind
description = Where it listens
`

/**
 * The lab’s catalogue. haproxy is installed from packages, so it requires a host with its own file system.
 */
export function bootstrapIni(kind: 'overlay' | 'directory'): string {
  return kind === 'overlay' ? common + webRole + deepfiler + haproxy : common + deepfiler
}
