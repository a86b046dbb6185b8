import { checkOptions, type OptionKinds } from '../options.ts'
import { type CommonOptions, declare, invalidOption, type Resource } from '../resource.ts'

export interface NpmPackageOptions extends CommonOptions {
  /** Exactly this version; for a single package. */
  version?: string
  /** The version that the registry has as `latest`, instead of any. */
  latest?: boolean
  /** Not installed, instead of installed. */
  absent?: boolean
}

const optionKinds: OptionKinds<NpmPackageOptions> = {
  version: 'text',
  latest: 'flag',
  absent: 'flag',
}

/**
 * Global packages of npm: installed, at a version, the latest, or absent. Several in one call are one
 * `npm install`, and all of a segment cost one `npm ls`. The registry and the prefix are those of npm's own
 * configuration on the host, of the user that the step works as.
 * @param names of packages: `typescript`, `@angular/cli`
 * @param options default: installed, in any version
 * @throws {UsageError} recipe_invalid, when declared
 * @example npmPackage(['pm2', '@angular/cli'])
 * @example npmPackage('typescript', { version: '5.9.3' })
 */
export function npmPackage(
  names: string | readonly string[],
  options: NpmPackageOptions = {},
): Resource {
  checkOptions('npmPackage', options, optionKinds)
  const list = [...new Set([names].flat())]
  const title = `npm package ${list.join(' ')}`
  const { version, latest, absent } = options
  checkNames(title, list)
  if (absent && (version !== undefined || latest))
    throw invalidOption(title, 'a package that is absent has no version and no latest')
  if (version !== undefined) checkVersion(title, list, options)
  const state = absent ? 'absent' : latest ? 'latest' : 'present'
  const wanted = version === undefined ? list : [`${list[0]}@${version}`]
  return declare({
    title,
    options,
    makes: ['anything'],
    call: {
      name: 'hw_npm_package',
      args: [state, ...wanted],
      gather: [{ by: 'hw_gather_npm_packages', of: [] }],
    },
  })
}

/** As validate-npm-package-name has them, those of old packages included; none is taken for an option. */
function checkNames(title: string, list: readonly string[]) {
  if (list.length === 0) throw invalidOption('npmPackage', 'give at least one package')
  for (const name of list) {
    const known = /^(@[A-Za-z0-9~][\w.~-]*\/)?[A-Za-z0-9~][\w.~-]*$/
    if (typeof name !== 'string' || !known.test(name) || name.length > 214)
      throw invalidOption(title, `${JSON.stringify(name)} is not the name of an npm package`)
  }
}

function checkVersion(title: string, list: readonly string[], options: NpmPackageOptions) {
  const { version = '', latest } = options
  if (latest) throw invalidOption(title, 'give version or latest, not both')
  if (list.length > 1) throw invalidOption(title, 'a version needs exactly one package')
  // Semantic Versioning 2.0.0, 9. npm drops what stands behind a plus.
  if (!/^(0|[1-9]\d*)(\.(0|[1-9]\d*)){2}(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$/.test(version))
    throw invalidOption(
      title,
      `${JSON.stringify(version)} is not an exact version: write it like 5.9.3`,
    )
}
