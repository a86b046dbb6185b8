import { editKinds } from '../editing/edited-file.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { invalidOption, type Resource } from '../resource.ts'
import { dataFile, type KeyOptions } from './edit/resource.ts'

export interface YamlOptions extends KeyOptions {
  /** Which document, where the file holds several; counted from 0. */
  document?: number
}

const optionKinds: OptionKinds<YamlOptions> = {
  document: 'number',
  set: 'other',
  unset: 'list',
  ...editKinds,
}

/**
 * Keys of a YAML file, edited in place: comments, order, spacing, quotes, anchors, line endings and the
 * last newline stay. A new key comes at the end of its mapping. Texts that readers of YAML 1.1 take
 * for something else (`no`, `1:30`) are quoted. The file is made if it is not there. It is written
 * only if nobody else has changed it since it was read, whole or not at all.
 * @param path absolute path on the host
 * @throws {UsageError} recipe_invalid, when declared
 * @example yaml('/etc/netplan/01.yaml', { set: { 'network.renderer': 'networkd' } })
 */
export function yaml(path: string, options: YamlOptions): Resource {
  checkOptions(`yaml ${path}`, options, optionKinds)
  const { document } = options
  if (document !== undefined && !(Number.isInteger(document) && document >= 0)) {
    throw invalidOption(`yaml ${path}`, 'document is the number of one, counted from 0')
  }
  const load = async () => (await import('./edit/yaml.ts')).yamlFormat(document)
  return dataFile('yaml', path, options, load, String(document ?? ''))
}
