import { type CommonOptions, declare, invalidOption, type Resource } from './resource.ts'

export interface PkgOptions extends CommonOptions {
  /** This very version; for a single package. */
  version?: string
  /** Not installed, instead of installed. */
  absent?: boolean
}

/**
 * Packages of the distribution (apt), installed or absent; several in one call cost one check and one
 * transaction. The package lists are fetched only if one of them is not in those the host has.
 * @throws {UsageError} recipe_invalid, when declared
 * @example pkg(['haproxy', 'socat'])
 */
export function pkg(names: string | readonly string[], options: PkgOptions = {}): Resource {
  const list = [names].flat()
  const title = `pkg ${list.join(' ')}`
  if (list.length === 0) throw invalidOption('pkg', 'names no package')
  for (const name of list) {
    // Debian Policy 5.6.1, with an architecture behind it. apt-get would remove what ends with a minus.
    if (!/^[a-z0-9][a-z0-9+.-]*[a-z0-9+.](:[a-z0-9-]*[a-z0-9])?$/.test(name)) {
      throw invalidOption(title, `${JSON.stringify(name)} is not the name of a package`)
    }
  }
  if (options.version !== undefined) {
    if (list.length > 1) throw invalidOption(title, 'a version goes with one package')
    if (!/^[A-Za-z0-9.+~:-]+$/.test(options.version))
      throw invalidOption(title, 'the version is not one')
  }
  const wanted = options.version === undefined ? list : [`${list[0]}=${options.version}`]
  const call = { name: 'hw_package', args: [options.absent ? 'absent' : 'present', ...wanted] }
  return declare({ title, options, call })
}
