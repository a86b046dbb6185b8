import { editKinds } from '../editing/edited-file.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import type { Resource } from '../resource.ts'
import { dataFile, type KeyOptions } from './edit/resource.ts'

export interface JsonOptions extends KeyOptions {}

const optionKinds: OptionKinds<JsonOptions> = {
  set: 'other',
  unset: 'list',
  ...editKinds,
}

/**
 * Keys of a JSON file, with or without comments, edited in place: comments, order, spacing, line
 * endings and the last newline stay. A new key comes at the end of its object, written like its
 * neighbours. The file is made if it is not there. It is written only if nobody else has changed it
 * since it was read, whole or not at all.
 * @param path absolute path on the host
 * @throws {UsageError} recipe_invalid, when declared
 * @example json('/etc/docker/daemon.json', { set: { 'log-opts.max-size': '10m' }, unset: ['debug'] })
 */
export function json(path: string, options: JsonOptions): Resource {
  checkOptions(`json ${path}`, options, optionKinds)
  return dataFile('json', path, options, async () => (await import('./edit/json.ts')).jsonFormat)
}
