import { type Ownership, ownershipArgs } from './ownership.ts'
import { type CommonOptions, checkPath, declare, type Resource } from './resource.ts'

export interface DirectoryOptions extends Ownership, CommonOptions {}

/**
 * A directory with this mode and owner; those above it are made where they are missing. One that is
 * made gets mode 0755 unless told otherwise.
 * @param path absolute path on the host
 * @throws {UsageError} recipe_invalid, when declared
 * @example directory('/srv/app', { owner: 'app', mode: 0o750 })
 */
export function directory(path: string, options: DirectoryOptions = {}): Resource {
  const title = `directory ${path}`
  const target = checkPath(title, path)
  return declare({
    title,
    options,
    call: {
      name: 'hw_directory',
      args: [target, ...ownershipArgs(title, options)],
      gather: { stat: target },
    },
  })
}
