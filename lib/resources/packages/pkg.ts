import type { HostCall } from '../../session/call.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { type CommonOptions, declare, invalidOption, type Resource } from '../resource.ts'

export interface PkgOptions extends CommonOptions {
  /** This very version; for a single package. */
  version?: string
  /** With `version`: a newer one that is installed stays. */
  atLeast?: boolean
  /**
   * With `version`: only whether the host’s repositories have it, so that it could be installed. Nothing is
   * changed but the index, which is fetched if it lacks the version.
   */
  available?: boolean
  /** The newest version that the host's repositories have, instead of any. */
  latest?: boolean
  /** Not installed, instead of installed. */
  absent?: boolean
  /** With `absent`: without the config files that it would leave behind. */
  purge?: boolean
  /** Held (true) at its version, so that upgrades leave it alone, or not held (false). Default: as it is. */
  hold?: boolean
}

/** The package managers there are parts of the prelude for, by the name that facts have for them. */
const managers: Readonly<Record<string, string>> = {
  apt: 'apt',
  dnf: 'dnf',
  yum: 'dnf',
  zypper: 'zypper',
  apk: 'apk',
  pacman: 'pacman',
}

const optionKinds: OptionKinds<PkgOptions> = {
  version: 'text',
  atLeast: 'flag',
  available: 'flag',
  latest: 'flag',
  absent: 'flag',
  purge: 'flag',
  hold: 'flag',
}

/**
 * Packages of the distribution, by apt, dnf, yum, zypper, apk or pacman: installed, absent, the latest, at
 * a version, held. Several in one call cost one transaction, and all of a segment one look at what is
 * installed. The index of what is to be had is fetched at most once a run, and only if it has to be:
 * for `latest`, for a package that is not in it, and where a repository changed. Where another process
 * has the package manager's lock, it is waited for.
 * @param names of packages, not of what they provide
 * @param options default: installed, in any version
 * @throws {UsageError} recipe_invalid, when declared
 * @example pkg(['haproxy', 'socat'])
 * @example pkg('postgresql-15', { version: '15.10-0+deb12u1', hold: true })
 */
export function pkg(names: string | readonly string[], options: PkgOptions = {}): Resource {
  checkOptions('pkg', options, optionKinds)
  const list = [...new Set([names].flat())]
  const looks = options.available ? ` ${options.version} available` : ''
  const title = `pkg ${list.join(' ')}${looks}`
  check(title, list, options)
  const { version, hold } = options
  const wanted = version === undefined ? list : [`${list[0]}=${version}`]
  const held = hold === undefined ? '' : hold ? 'held' : 'unheld'
  const state = stateOf(options)
  // Where processes would be another machine's, no service of a package is started.
  const both = (name: string, gather?: HostCall['gather']) => ({
    call: { name, args: [state, held, ...wanted], gather },
    need: {
      own: 'processes' as const,
      files: { name, args: [`${state}-offline`, held, ...wanted], gather },
    },
  })
  const declared = declare({ title, options, makes: ['anything'], ...both('hw_package') })
  return {
    ...declared,
    forHost: ({ facts }) => {
      const by = managers[facts.packageManager]
      if (!by) return declared
      const gather = [{ by: `hw_gather_${by}`, of: list }]
      return { ...declared, ...both(`hw_package_${by}`, gather) }
    },
  }
}

function stateOf({ absent, purge, latest, atLeast, available }: PkgOptions) {
  if (available) return 'available'
  if (atLeast) return 'least'
  if (absent) return purge ? 'purged' : 'absent'
  return latest ? 'latest' : 'present'
}

function check(title: string, list: readonly string[], options: PkgOptions) {
  const { version, latest, absent, purge, hold, atLeast, available } = options
  if (list.length === 0) throw invalidOption('pkg', 'give at least one package')
  for (const name of list) {
    // What any of the package managers allows, with an architecture behind it. apt-get would remove what
    // ends with a minus.
    if (!/^[A-Za-z0-9_][A-Za-z0-9+._-]*(:[a-z0-9-]+)?$/.test(name) || name.endsWith('-')) {
      throw invalidOption(title, `${JSON.stringify(name)} is not the name of a package`)
    }
  }
  if (absent) {
    const [no] = Object.entries({ version, latest, hold }).find(([, value]) => value) ?? []
    if (no) throw invalidOption(title, `${no} can’t be combined with absent`)
  } else if (purge) throw invalidOption(title, 'purge needs absent')
  if (version === undefined) {
    if (atLeast || available)
      throw invalidOption(title, `${atLeast ? 'atLeast' : 'available'} needs a version`)
    return
  }
  if (available && (atLeast || hold !== undefined))
    throw invalidOption(title, `${atLeast ? 'atLeast' : 'hold'} can’t be combined with available`)
  if (latest) throw invalidOption(title, 'give version or latest, not both')
  if (list.length > 1) throw invalidOption(title, 'a version needs exactly one package')
  if (!/^[A-Za-z0-9][A-Za-z0-9.+~:^_-]*$/.test(version))
    throw invalidOption(title, `${JSON.stringify(version)} is not a version`)
}
