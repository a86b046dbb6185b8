import { editKinds } from '../editing/edited-file.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import type { Resource } from '../resource.ts'
import { dataFile, type KeyOptions } from './edit/resource.ts'

export interface TomlOptions extends KeyOptions {}

const optionKinds: OptionKinds<TomlOptions> = {
  set: 'other',
  unset: 'list',
  ...editKinds,
}

/**
 * Keys of a TOML file, edited in place: comments, order, spacing, line endings and the last newline
 * stay. A new key comes at the end of its table; a table that is not there, at the end of the file.
 * The file is made if it is not there. It is written only if nobody else has changed it since it was
 * read, whole or not at all.
 * @param path absolute path on the host
 * @throws {UsageError} recipe_invalid, when declared
 * @example toml('/etc/containerd/config.toml', { set: { 'grpc.address': '/run/c.sock', version: 3 } })
 */
export function toml(path: string, options: TomlOptions): Resource {
  checkOptions(`toml ${path}`, options, optionKinds)
  return dataFile('toml', path, options, async () => (await import('./edit/toml.ts')).tomlFormat)
}
