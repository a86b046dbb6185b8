/**
 * ansible.cfg: the inventory, the user, the key, becoming another user and the vault's password that it names are
 * taken as Ansible takes them. What else it says is named, in one line.
 */
import { statSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, relative } from 'node:path'
import { readFile, reasonOf } from '../read-file.ts'
import { type CfgSetting, parseCfg } from './ansible-cfg-file.ts'
import { failAt } from './fault.ts'
import type { Host } from './inventory.ts'
import type { Variable } from './setting.ts'

export interface AnsibleCfgOptions {
  cwd: string
  /** The project’s directory, if there is one. */
  project?: string
  /** For ANSIBLE_CONFIG. */
  env: Readonly<Record<string, string | undefined>>
}

export interface AnsibleCfg {
  /** Absolute paths, or lists of hosts; undefined: it names none. */
  inventory?: readonly string[]
  /** Weaker than everything in an inventory, by the name of the variable. */
  defaults: ReadonlyMap<string, Variable>
  vault: { directory: string; passwordFile?: string; identityList?: string }
  /** Says what it is used for, and what it is not. */
  note?: string
  /** @throws {UsageError} inventory_invalid: it sets how one of the hosts is reached, and we can’t follow it */
  refuseDeciding(hosts: readonly Host[]): void
}

/**
 * The one that Ansible would read for this project: of ANSIBLE_CONFIG, or else the nearest in the current directory and
 * above it, up to the project’s. Undefined: there is none, or it sets nothing.
 * @throws {UsageError} inventory_invalid: it can’t be read
 */
export async function readAnsibleCfg(options: AnsibleCfgOptions): Promise<AnsibleCfg | undefined> {
  const path = findCfg(options)
  if (path === undefined) return undefined
  const near = relative(options.cwd, path)
  const shown = near.startsWith('../..') ? path : near
  const directory = dirname(path)
  if (options.env.ANSIBLE_CONFIG === undefined && anybodyWrites(directory))
    return ignored(directory, `not read: ${shown}, as anybody can write to its directory`)
  const bytes = await readFile(path).catch((cause: unknown) =>
    failAt(shown)(`can’t be read (${reasonOf(cause)})`),
  )
  const settings = parseCfg(String(bytes))
  const named = (key: string) => settings.get(`defaults.${key}`)?.value
  const found = defaultsOf(settings, shown, directory)
  return {
    inventory: named('inventory')
      ?.split(',')
      .map(each => each.trim())
      .filter(each => each !== '')
      .map(each => from(directory, each)),
    defaults: found.defaults,
    vault: {
      directory,
      passwordFile: named('vault_password_file'),
      identityList: named('vault_identity_list'),
    },
    note: noteOf(shown, settings, found.used),
    refuseDeciding: hosts => refuseDeciding(settings, hosts, shown),
  }
}

const ignored = (directory: string, note: string): AnsibleCfg => ({
  defaults: new Map(),
  vault: { directory },
  note,
  refuseDeciding: () => {},
})

function findCfg({ cwd, project, env }: AnsibleCfgOptions): string | undefined {
  if (env.ANSIBLE_CONFIG) {
    const path = from(cwd, env.ANSIBLE_CONFIG)
    return isDirectory(path) ? join(path, 'ansible.cfg') : path
  }
  const top = project !== undefined && isIn(cwd, project) ? project : cwd
  return upTo(cwd, top)
    .map(directory => join(directory, 'ansible.cfg'))
    .find(path => statSync(path, { throwIfNoEntry: false })?.isFile())
}

const isIn = (path: string, directory: string) =>
  path === directory || path.startsWith(directory.endsWith('/') ? directory : `${directory}/`)

const upTo = (start: string, top: string): string[] =>
  start === top ? [top] : [start, ...upTo(dirname(start), top)]

const isDirectory = (path: string) =>
  statSync(path, { throwIfNoEntry: false })?.isDirectory() === true

/** As in Ansible, which would otherwise run what somebody else has put there. */
const anybodyWrites = (directory: string) => (statSync(directory).mode & 0o002) !== 0

/** A path of the file: it starts from the file’s directory. */
function from(directory: string, path: string): string {
  if (path === '~' || path.startsWith('~/')) return join(homedir(), path.slice(1))
  return isAbsolute(path) || path.includes(',') ? path : join(directory, path)
}

/** Settings for hosts that the inventory says nothing about: by which variable it would. */
const variables: Readonly<Record<string, string>> = {
  'defaults.remote_user': 'ansible_user',
  'defaults.remote_port': 'ansible_port',
  'defaults.private_key_file': 'ansible_ssh_private_key_file',
  'defaults.transport': 'ansible_connection',
  'privilege_escalation.become': 'ansible_become',
  'defaults.become': 'ansible_become',
  'privilege_escalation.become_user': 'ansible_become_user',
  'defaults.become_user': 'ansible_become_user',
  'privilege_escalation.become_method': 'ansible_become_method',
  'defaults.become_method': 'ansible_become_method',
}

/** Further settings that are followed. */
const followed = [
  'defaults.inventory',
  'defaults.vault_password_file',
  'defaults.vault_identity_list',
]

function defaultsOf(settings: Map<string, CfgSetting>, shown: string, directory: string) {
  const used = new Set(followed.filter(name => settings.has(name)))
  const defaults = new Map<string, Variable>()
  for (const [name, variable] of Object.entries(variables)) {
    const setting = settings.get(name)
    if (!setting || defaults.has(variable)) continue
    used.add(name)
    defaults.set(variable, {
      value: name === 'defaults.private_key_file' ? from(directory, setting.value) : setting.value,
      at: { file: shown, line: setting.line },
      fail: failAt(shown, setting.line),
    })
  }
  return { defaults, used }
}

/** `ansible.cfg: inventory and remote_user are used; not read: host_key_checking (keys are always checked), forks`. */
function noteOf(shown: string, settings: Map<string, CfgSetting>, used: ReadonlySet<string>) {
  const keys = (names: readonly string[]) => [
    ...new Set(names.map(name => settings.get(name)!.key)),
  ]
  const taken = keys([...used])
  const left = keys([...settings.keys()].filter(name => !used.has(name)))
  if (taken.length + left.length === 0) return undefined
  const checked = 'host_key_checking'
  const named = [
    ...(left.includes(checked) ? [`${checked} (keys are always checked)`] : []),
    ...left.filter(key => key !== checked),
  ]
  const more = named.length > 4 ? ` and ${named.length - 4} more` : ''
  const parts = [
    ...(taken.length > 0 ? [`takes ${taken.join(', ')}`] : []),
    ...(named.length > 0 ? [`not read: ${named.slice(0, 4).join(', ')}${more}`] : []),
  ]
  return `${shown}: ${parts.join('; ')}`
}

/** Whether ssh’s arguments say which machine is reached, or as whom. */
const decidingArguments =
  /(?:^|\s)-[JFlpiW]|-o\s*["']?(?:ProxyJump|ProxyCommand|HostName|User|Port|IdentityFile|HostKeyAlias)\b/i

function refuseDeciding(
  settings: Map<string, CfgSetting>,
  hosts: readonly Host[],
  shown: string,
): void {
  const found = ['ssh_args', 'ssh_common_args', 'ssh_extra_args']
    .map(key => settings.get(`ssh_connection.${key}`))
    .find(each => each !== undefined && decidingArguments.test(each.value))
  const other = hosts.find(
    ({ connection, proxyJump, sshConfigFile }) =>
      connection === 'ssh' && proxyJump === undefined && sshConfigFile === undefined,
  )
  if (!found || !other) return
  failAt(shown, found.line)(
    `sets ${found.key}, which decides how ${other.name} is reached, but hostwright does not follow it`,
    'Set proxy_jump or ssh_config_file in the inventory: for the host, or for all.',
  )
}
