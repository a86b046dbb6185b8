/**
 * The files of variables that Ansible reads beside an inventory: group_vars and host_vars. They are not read
 * yet, so a setting in them that decides which machine is reached, or as whom, must not be passed over.
 */
import { readdir, stat } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { UsageError } from '../errors.ts'
import { readFile, reasonOf } from '../read-file.ts'
import { failAt } from './fault.ts'
import type { Host } from './inventory.ts'
import { isPasswordName } from './password.ts'

/** What decides how a host is reached. Names of one word (`port`) mean something else in most files. */
const connectionSetting =
  /^(?:ansible_(?:connection|host|port|user|password|timeout|private_key_file|(?:ssh|become|sudo|su|doas|paramiko|docker|podman|chroot|winrm|psrp|shell)(?:_.*)?)|known_hosts_file|ssh_config_file|proxy_jump|insecure_host_key|bootstrap_dir)$/

/** Endings of files of variables; none is the empty one. As Ansible’s `YAML_FILENAME_EXTENSIONS`. */
const endings = ['', '.yml', '.yaml', '.json']

/** In bytes: more is not looked at. */
const largest = 4_194_304

export interface VariableFilesOptions {
  /** Where group_vars and host_vars may be: beside the inventory, beside the project. */
  directories: readonly string[]
  /** Paths in messages are relative to it. */
  cwd: string
}

/**
 * Looks for files of variables that apply to these hosts.
 * @returns the warning that there are some; undefined if there are none
 * @throws {UsageError} inventory_invalid: one of them sets how a host is reached, otherwise than hosts.ini
 */
export async function checkVariableFiles(
  hosts: readonly Host[],
  { directories, cwd }: VariableFilesOptions,
): Promise<string | undefined> {
  const found: string[] = []
  for (const directory of new Set(directories)) {
    const groups = new Set(['all', ...hosts.flatMap(host => host.groups)])
    if (hosts.some(host => host.groups.length === 0)) groups.add('ungrouped')
    for (const group of groups) {
      const its = group === 'all' ? hosts : hosts.filter(host => host.groups.includes(group))
      for (const path of await filesFor(join(directory, 'group_vars'), group)) {
        found.push(await checkFile(path, its, cwd))
      }
    }
    for (const host of hosts) {
      for (const path of await filesFor(join(directory, 'host_vars'), host.name)) {
        found.push(await checkFile(path, [host], cwd))
      }
    }
  }
  if (found.length === 0) return undefined
  const shown = found.slice(0, 3).join(', ')
  const more = found.length > 3 ? ` and ${found.length - 3} more` : ''
  return `not read: ${shown}${more}; hostwright knows only the variables in hosts.ini`
}

/** Files for one group or host: NAME, NAME.yml, …, and all files below a directory NAME. */
async function filesFor(directory: string, name: string): Promise<string[]> {
  const paths = endings.map(ending => join(directory, name + ending))
  const seen = new Set<string>()
  return (await Promise.all(paths.map(path => filesAt(path, seen)))).flat()
}

/** @param seen directories that were looked into: a link may lead back to one */
async function filesAt(path: string, seen: Set<string>): Promise<string[]> {
  const found = await stat(path).catch(() => undefined)
  if (found?.isFile()) return [path]
  if (!found?.isDirectory()) return []
  const directory = `${found.dev} ${found.ino}`
  if (seen.has(directory)) return []
  seen.add(directory)
  const all = await readdir(path).catch(cause => unreadable(path, cause))
  const names = all.filter(name => !/^\.|~$/.test(name)).sort()
  const below = await Promise.all(names.map(name => filesAt(join(path, name), seen)))
  return below.flat().filter(file => endings.includes(/(?<=[^/])\.[^./]*$/.exec(file)?.[0] ?? ''))
}

/** @returns the path, as it is shown */
async function checkFile(path: string, hosts: readonly Host[], cwd: string): Promise<string> {
  const near = relative(cwd, path)
  const shown = near.startsWith('..') ? path : near
  const found = await stat(path)
  if (found.size > largest) return `${shown} (too large to look at)`
  const text = String(await readFile(path).catch(cause => unreadable(shown, cause)))
  // As Vault itself decides. Nobody can see what it sets: most hold secrets only.
  if (text.startsWith('$ANSIBLE_VAULT'))
    return `${shown} (encrypted: it may set how hosts are reached)`
  for (const [name, value, line] of await settingsIn(text)) {
    const other = hosts.find(host => !hasToo(host, name, value))
    if (other === undefined) continue
    failAt(shown, line)(
      `sets ${name} of ${other.name}, but hostwright does not read this file yet`,
      `Set ${name} in hosts.ini, with the same value: in the line of the host, or under [GROUP:vars].`,
    )
  }
  return shown
}

/** It may say where a host is: Ansible fails too. */
function unreadable(shown: string, cause: NodeJS.ErrnoException): never {
  throw new UsageError('inventory_invalid', `${shown}: can’t be read (${reasonOf(cause)})`, {
    at: shown,
    cause,
    hint: 'It may set how a host is reached. Make it readable, or move it away.',
  })
}

/** Whether hosts.ini has the same. A password is not compared: it may come from elsewhere. */
function hasToo({ vars, password, become }: Host, name: string, value: string | undefined) {
  if (isPasswordName(name))
    return (/become|sudo|su_|doas/.test(name) ? become?.password : password) !== undefined
  return value !== undefined && vars.maybe(name) === value
}

/** Settings of the connection: name, value, line. A value that is not plain is undefined. */
async function settingsIn(text: string): Promise<[string, string | undefined, number][]> {
  const { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument } = await import('yaml')
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, logLevel: 'silent', uniqueKeys: false })
  const { contents } = document
  if (!isMap(contents)) return []
  // `<<: *defaults` and `<<: [*a, *b]` bring the keys of other mappings.
  const merged = contents.items.flatMap(({ key, value }) => {
    if (!isScalar(key) || key.value !== '<<') return []
    const sources = isSeq(value) ? value.items : [value]
    return sources.flatMap(source => {
      const found = isAlias(source) ? source.resolve(document) : source
      return isMap(found) ? found.items : []
    })
  })
  return [...contents.items, ...merged].flatMap(({ key, value }) => {
    if (!isScalar(key) || !connectionSetting.test(String(key.value))) return []
    const plain = isScalar(value) && !value.tag?.startsWith('!') ? String(value.value) : undefined
    const { line } = lineCounter.linePos(key.range?.[0] ?? 0)
    return [[String(key.value), plain, line] as [string, string | undefined, number]]
  })
}
