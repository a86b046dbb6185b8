import type { HostCall } from '../../session/call.ts'
import { hashOf } from '../../session/content-source.ts'
import { words } from '../../session/words.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import {
  type CommonOptions,
  commonOptions,
  declare,
  invalidOption,
  type Resource,
} from '../resource.ts'
import { takeOverWord } from '../take-over.ts'
import { checkRepoName } from './apt-repo.ts'
import { readKey } from './repository-key.ts'

export interface DnfRepoOptions extends CommonOptions {
  /** For people; default: the name of the repository. */
  description?: string
  /** Where it is. One of baseurl, mirrorlist and metalink. */
  baseurl?: string | readonly string[]
  mirrorlist?: string
  metalink?: string
  /** Whether packages must be signed; default true. */
  gpgcheck?: boolean
  /** URLs of keys that the host fetches: `'https://rpm.example.org/KEY'`, `'file:///etc/pki/…'`. */
  gpgkey?: string | readonly string[]
  /** The key itself, kept in `/etc/pki/rpm-gpg/RPM-GPG-KEY-NAME`; instead of gpgkey. */
  key?: string | Buffer | { path: string | URL }
  /** Whether dnf uses it; default true. */
  enabled?: boolean
  /** Further options of dnf.conf(5): `{ module_hotfixes: 1, priority: 10 }`. */
  set?: Readonly<Record<string, string | number | boolean>>
  /** Replace a file or key of that name which hostwright did not make, or a link. Default: the step fails. */
  takeOver?: boolean
  /** Neither the repository nor its key are there. */
  absent?: boolean
}

const optionKinds: OptionKinds<DnfRepoOptions> = {
  description: 'text',
  baseurl: 'text or texts',
  mirrorlist: 'text',
  metalink: 'text',
  gpgcheck: 'flag',
  gpgkey: 'text or texts',
  key: 'other',
  enabled: 'flag',
  set: 'values',
  takeOver: 'flag',
  absent: 'flag',
}

/**
 * A repository of dnf or yum: `/etc/yum.repos.d/NAME.repo`. After a change its index is fetched before
 * the next `pkg` that changes something.
 * @param name letters, digits, `.`, `_` and `-`: the name of the file and of its section
 * @throws {UsageError} recipe_invalid, when declared
 * @example
 * dnfRepo('example', {
 *   baseurl: 'https://rpm.example.org/el$releasever/$basearch/',
 *   gpgkey: 'https://rpm.example.org/KEY',
 * })
 */
export function dnfRepo(name: string, options: DnfRepoOptions = {}): Resource {
  const title = `dnfRepo ${name}`
  checkOptions(title, options, optionKinds)
  checkRepoName(title, name)
  if (name === 'main') throw invalidOption(title, '[main] is dnf’s own section')
  const path = `/etc/yum.repos.d/${name}.repo`
  if (options.absent) {
    const [no] = Object.keys(options).filter(key => !['absent', ...commonOptions].includes(key))
    if (no) throw invalidOption(title, `${no} can’t be combined with absent`)
    return declare({ title, options, path, call: { name: 'hw_dnf_repo_absent', args: [name] } })
  }
  const key = options.key === undefined ? undefined : readKey(title, options.key)
  const call: HostCall = {
    name: 'hw_dnf_repo',
    args: [
      name,
      section(title, name, options),
      ...words({ take_over: takeOverWord(options), sum: key?.sha256 }),
    ],
    content: key?.content,
  }
  const whole = hashOf(Buffer.from(`${call.args[1]!}${key?.sha256 ?? ''}`))
  return declare({ title, options, path, whole, call })
}

/** The text of the .repo file. */
function section(title: string, name: string, options: DnfRepoOptions): string {
  const { description = name, gpgcheck = true, enabled = true, key, set = {} } = options
  const places = {
    baseurl: options.baseurl,
    mirrorlist: options.mirrorlist,
    metalink: options.metalink,
  }
  const given = Object.entries(places).filter(([, value]) => value !== undefined)
  if (given.length !== 1)
    throw invalidOption(title, 'needs one of baseurl, mirrorlist and metalink')
  if (key !== undefined && options.gpgkey !== undefined)
    throw invalidOption(title, 'give key or gpgkey, not both')
  if (gpgcheck && key === undefined && options.gpgkey === undefined)
    throw invalidOption(title, 'needs gpgkey or key, or gpgcheck: false')
  const urls = [...[given[0]![1]!].flat(), ...[options.gpgkey ?? []].flat()]
  for (const url of urls) {
    if (!/^[a-z]+:\/\/?[\x21-\x7e]+$/.test(url))
      throw invalidOption(title, `${JSON.stringify(url)} is not a URL`)
  }
  const keys = key === undefined ? options.gpgkey : `file:///etc/pki/rpm-gpg/RPM-GPG-KEY-${name}`
  const lines: Record<string, string | number | boolean> = {
    name: description,
    [given[0]![0]]: [given[0]![1]!].flat().join(' '),
    enabled,
    gpgcheck,
    ...(keys === undefined ? {} : { gpgkey: [keys].flat().join(' ') }),
  }
  for (const [option, value] of Object.entries({ name: description, ...set })) {
    if (!/^[a-z_]+$/.test(option) || !/^[^\0-\x1f\x7f]+$/.test(String(value)))
      throw invalidOption(title, `${JSON.stringify(`${option}=${value}`)} is not a valid option`)
    if (option !== 'name' && option in lines)
      throw invalidOption(title, `${option} has an option of its own`)
  }
  const text = Object.entries({ ...lines, ...set }).map(([option, value]) => {
    const shown = typeof value === 'boolean' ? Number(value) : value
    return `${option}=${shown}\n`
  })
  return `[${name}]\n${text.join('')}`
}
