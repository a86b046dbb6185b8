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
import { type RepositoryKey, readKey } from './repository-key.ts'

export interface AptRepoOptions extends CommonOptions {
  /** Where the repository is: `'https://deb.example.org/debian'`. */
  uris?: string | readonly string[]
  /** `'bookworm'`; one that ends with `/` is a path below the URI, and takes no components. */
  suites?: string | readonly string[]
  /** `'main'`. */
  components?: string | readonly string[]
  /** `deb` (default), `deb-src`, or both. */
  types?: 'deb' | 'deb-src' | readonly ('deb' | 'deb-src')[]
  /** Default: those of the host. */
  architectures?: string | readonly string[]
  /** The key that signs it; see RepositoryKey. Default: apt’s own keys. */
  key?: RepositoryKey
  /** Further fields of sources.list(5): `{ 'Check-Valid-Until': 'no' }`. */
  fields?: Readonly<Record<string, string>>
  /** Whether apt uses it; default true. */
  enabled?: boolean
  /** Replace a file or key of that name which hostwright did not make, or a link. Default: the step fails. */
  takeOver?: boolean
  /** Neither the repository nor its key are there. */
  absent?: boolean
}

const optionKinds: OptionKinds<AptRepoOptions> = {
  uris: 'text or texts',
  suites: 'text or texts',
  components: 'text or texts',
  types: 'other',
  architectures: 'text or texts',
  key: 'other',
  fields: 'values',
  enabled: 'flag',
  takeOver: 'flag',
  absent: 'flag',
}

/**
 * A repository of apt: `/etc/apt/sources.list.d/NAME.sources`, in deb822 style, and its key in a keyring
 * of its own, `/etc/apt/keyrings/NAME.asc` or `.gpg`, which is trusted for this repository alone. After
 * a change its index is fetched before the next `pkg` that changes something; no other is.
 * @param name letters, digits, `.`, `_` and `-`
 * @throws {UsageError} recipe_invalid, when declared
 * @example
 * aptRepo('example', {
 *   uris: 'https://deb.example.org/debian',
 *   suites: 'bookworm',
 *   components: 'main',
 *   key: { path: 'keys/example.asc' },
 * })
 */
export function aptRepo(name: string, options: AptRepoOptions = {}): Resource {
  const title = `aptRepo ${name}`
  checkOptions(title, options, optionKinds)
  checkRepoName(title, name)
  const path = `/etc/apt/sources.list.d/${name}.sources`
  if (options.absent) {
    const [no] = Object.keys(options).filter(key => !['absent', ...commonOptions].includes(key))
    if (no) throw invalidOption(title, `${no} can’t be combined with absent`)
    return declare({ title, options, path, call: { name: 'hw_apt_repo_absent', args: [name] } })
  }
  const text = stanza(title, options)
  const key = options.key === undefined ? undefined : readKey(title, options.key)
  const call: HostCall = {
    name: 'hw_apt_repo',
    args: [
      name,
      text,
      ...words({
        take_over: takeOverWord(options),
        sum: key?.sha256,
        kind: key?.kind || undefined,
      }),
    ],
    content: key?.content,
    answer: key?.fetch,
  }
  const whole = hashOf(Buffer.from(`${text}${key?.sha256 ?? ''}`))
  return declare({ title, options, path, whole, call })
}

/** Checks the name of a repository, which is that of its file. */
export function checkRepoName(title: string, name: string) {
  if (!/^[A-Za-z0-9_][A-Za-z0-9_.-]*$/.test(name))
    throw invalidOption(title, `${JSON.stringify(name)} can’t be the name of a repository`)
}

/** The lines of the .sources file, but for Signed-By. */
function stanza(title: string, options: AptRepoOptions): string {
  const words = (what: string, value: string | readonly string[] = []) => {
    const list = [value].flat()
    for (const word of list) {
      if (!/^[\x21-\x7e]+$/.test(word))
        throw invalidOption(title, `${JSON.stringify(word)} can’t be one of ${what}`)
    }
    return list.join(' ')
  }
  const { types = 'deb', enabled = true, fields = {} } = options
  const uris = words('uris', options.uris)
  const suites = words('suites', options.suites)
  const components = words('components', options.components)
  if (uris === '') throw invalidOption(title, 'needs uris')
  if (!uris.split(' ').every(uri => /^[a-z][a-z+-]*:/.test(uri)))
    throw invalidOption(title, `${uris} is not a URI: it has no https: or the like`)
  if (suites === '') throw invalidOption(title, 'needs suites')
  const paths = suites.split(' ').filter(suite => suite.endsWith('/'))
  if (components === '' ? paths.length < suites.split(' ').length : paths.length > 0)
    throw invalidOption(title, 'needs components, unless its suites end with a slash')
  const lines = {
    ...(enabled ? {} : { Enabled: 'no' }),
    Types: words('types', types),
    URIs: uris,
    Suites: suites,
    Components: components,
    Architectures: words('architectures', options.architectures),
    ...fields,
  }
  for (const [field, value] of Object.entries(fields)) {
    if (!/^[A-Za-z][A-Za-z-]*$/.test(field) || !/^[\x20-\x7e]+$/.test(value))
      throw invalidOption(title, `${JSON.stringify(`${field}: ${value}`)} is not a valid field`)
    if (/^(enabled|types|uris|suites|components|architectures|signed-by)$/i.test(field))
      throw invalidOption(title, `the field ${field} has an option of its own`)
  }
  return Object.entries(lines)
    .filter(([, value]) => value !== '')
    .map(([field, value]) => `${field}: ${value}\n`)
    .join('')
}
