/**
 * ansible.cfg, which is not read: a setting in it that decides how a host is reached, or as whom, must not be
 * passed over, no more than one in group_vars.
 */
import { stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { readFile, reasonOf } from '../read-file.ts'
import { failAt } from './fault.ts'
import type { Host } from './inventory.ts'

export interface AnsibleCfgOptions {
  /** The inventory’s directory and the current one. */
  directories: readonly string[]
  /** The project’s directory, if there is one. */
  project?: string
  cwd: string
}

/** A line of ansible.cfg that has a value. */
interface Setting {
  /** `remote_user` */
  key: string
  value: string
  line: number
}

/**
 * Looks for ansible.cfg beside the inventory, in the current directory, and above them.
 * @returns the warning that there is one; undefined: there is none, or it sets nothing
 * @throws {UsageError} inventory_invalid: it sets how a host is reached, and hosts.ini does not
 */
export async function checkAnsibleCfg(
  hosts: readonly Host[],
  { directories, project, cwd }: AnsibleCfgOptions,
): Promise<string | undefined> {
  const top = project ?? cwd
  const near = new Set(directories.flatMap(start => (isIn(start, top) ? upTo(start, top) : start)))
  const shown = (directory: string) => {
    const path = relative(cwd, join(directory, 'ansible.cfg'))
    return path.startsWith('../..') ? join(directory, 'ansible.cfg') : path
  }
  const found: string[] = []
  for (const directory of near) {
    const settings = await settingsOf(directory)
    if (!settings) continue
    if (typeof settings !== 'string') refuseDeciding(settings, hosts, shown(directory))
    found.push(describe(shown(directory), settings))
  }
  // Ansible would not read it for this project: it is only named.
  for (const directory of found.length === 0 ? above(top) : []) {
    const settings = await settingsOf(directory)
    if (!settings) continue
    found.push(describe(shown(directory), settings))
    break
  }
  const warnings = found.filter(text => text !== '')
  return warnings.length === 0 ? undefined : `not read: ${warnings.join('; ')}`
}

const isIn = (path: string, directory: string) =>
  path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`)

const upTo = (start: string, top: string): string[] =>
  start === top ? [top] : [start, ...upTo(dirname(start), top)]

/** Directories above one, up to the home directory, which is somebody’s and no project’s. */
function above(directory: string): string[] {
  const parent = dirname(directory)
  return parent === directory || isIn(homedir(), parent) ? [] : [parent, ...above(parent)]
}

/** The settings of a directory’s ansible.cfg, or why it can’t be read; undefined: there is none. */
async function settingsOf(directory: string): Promise<Map<string, Setting> | string | undefined> {
  const path = join(directory, 'ansible.cfg')
  const found = await stat(path).catch(() => undefined)
  if (!found?.isFile()) return undefined
  try {
    return parse(String(await readFile(path)))
  } catch (cause) {
    return `can’t be read (${reasonOf(cause as NodeJS.ErrnoException)})`
  }
}

/** By `section.key`, in lower case. As Python’s configparser, with Ansible’s comments behind `;`. */
function parse(text: string): Map<string, Setting> {
  const settings = new Map<string, Setting>()
  let section = ''
  let last: Setting | undefined
  for (const [index, whole] of text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .entries()) {
    const line = whole.replace(/(^|\s);.*/, '').trimEnd()
    if (line === '' || /^\s*#/.test(line)) continue
    const header = /^\[(.+)\]/.exec(line)
    const [, key, value] = /^([^\s=:][^=:]*?)\s*(?:[=:]\s*(.*))?$/.exec(line) ?? []
    if (header) section = header[1]!.toLowerCase()
    else if (key !== undefined) {
      last = { key: key.toLowerCase(), value: value ?? '', line: index + 1 }
      settings.set(`${section}.${last.key}`, last)
    } else if (last) last.value = `${last.value} ${line.trim()}`.trim()
  }
  return new Map([...settings].filter(([, { value }]) => value !== ''))
}

/** Settings that people look for first. */
const first = ['inventory', 'host_key_checking', 'remote_user', 'private_key_file', 'become']

/** `ansible.cfg, which sets inventory and forks`; nothing if it sets nothing. */
function describe(shown: string, settings: Map<string, Setting> | string): string {
  if (typeof settings === 'string') return `${shown}, which ${settings}`
  const names = [...new Set([...settings.values()].map(({ key }) => key))]
  const sorted = [
    ...first.filter(key => names.includes(key)),
    ...names.filter(n => !first.includes(n)),
  ]
  if (sorted.length === 0) return ''
  const more = sorted.length > 5 ? ` and ${sorted.length - 5} more` : ''
  return `${shown}, which sets ${sorted.slice(0, 5).join(', ')}${more}`
}

/** Whether ssh’s arguments say which machine is reached, or as whom. */
const decidingArguments =
  /(?:^|\s)-[JFlpiW]|-o\s*["']?(?:ProxyJump|ProxyCommand|HostName|User|Port|IdentityFile|HostKeyAlias)\b/i

const isTrue = (value: string) => /^(?:yes|true|on|1|y|t)$/i.test(value)

interface Deciding {
  /** By section and key. */
  names: readonly string[]
  /** Whether a host would be reached otherwise, or as another user. */
  concerns(value: string, host: Host): boolean
  /** What to write into hosts.ini. */
  instead: string
}

const bySsh = ({ connection }: Host) => connection === 'ssh'
const lacks = ({ vars }: Host, name: string) => vars.maybe(name) === undefined

const deciding: readonly Deciding[] = [
  {
    names: ['defaults.remote_user'],
    concerns: (_, host) => bySsh(host) && host.user === undefined,
    instead: 'ansible_user',
  },
  {
    names: ['defaults.remote_port'],
    concerns: (_, host) => bySsh(host) && host.port === undefined,
    instead: 'ansible_port',
  },
  {
    names: ['defaults.private_key_file'],
    concerns: (_, host) => bySsh(host) && host.privateKeyFile === undefined,
    instead: 'ansible_ssh_private_key_file',
  },
  {
    names: ['defaults.transport'],
    concerns: (value, host) =>
      !/^(?:ansible\.builtin\.)?(?:smart|ssh|paramiko|paramiko_ssh)$/.test(value) &&
      lacks(host, 'ansible_connection'),
    instead: 'ansible_connection',
  },
  {
    names: [
      'ssh_connection.ssh_args',
      'ssh_connection.ssh_common_args',
      'ssh_connection.ssh_extra_args',
    ],
    concerns: (value, host) =>
      bySsh(host) &&
      decidingArguments.test(value) &&
      host.proxyJump === undefined &&
      host.sshConfigFile === undefined,
    instead: 'proxy_jump or ssh_config_file',
  },
  {
    names: ['privilege_escalation.become', 'defaults.become'],
    concerns: (value, host) => isTrue(value) && !host.become && lacks(host, 'ansible_become'),
    instead: 'ansible_become',
  },
  {
    names: ['privilege_escalation.become_user', 'defaults.become_user'],
    concerns: (value, { become }) => become !== undefined && become.user !== value,
    instead: 'ansible_become_user',
  },
  {
    names: ['privilege_escalation.become_method', 'defaults.become_method'],
    concerns: (value, { become }) =>
      become !== undefined && become.method !== value.replace(/^.*\./, ''),
    instead: 'ansible_become_method',
  },
]

function refuseDeciding(settings: Map<string, Setting>, hosts: readonly Host[], shown: string) {
  for (const { names, concerns, instead } of deciding) {
    const found = names.map(name => settings.get(name)).find(each => each !== undefined)
    const other =
      found && hosts.find(host => lacksAll(host, instead) && concerns(found.value, host))
    if (!found || !other) continue
    failAt(shown, found.line)(
      `sets ${found.key}, which decides how ${other.name} is reached, but hostwright does not read this file`,
      `Set ${instead} in hosts.ini: in the line of the host, or under [all:vars].`,
    )
  }
}

/** What hosts.ini says overrides ansible.cfg for Ansible too. */
const lacksAll = (host: Host, instead: string) =>
  instead.split(' or ').every(name => lacks(host, name))
