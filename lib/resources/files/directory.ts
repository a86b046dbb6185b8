import { words } from '../../session/words.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { type Ownership, ownershipKinds, ownershipWords } from '../ownership.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  type Resource,
} from '../resource.ts'
import { copiesBits } from '../symbolic-mode.ts'

export interface DirectoryOptions extends Ownership, CommonOptions {
  /**
   * Owner, group and mode also for all directories in it, and owner and group for all files; a mode in letters with an `X`
   * for the files too.
   */
  recurse?: boolean
  /** With `recurse`: permission bits of all regular files in it. */
  fileMode?: number | string
  /** No directory of this name, nor anything in it. */
  absent?: boolean
}

const optionKinds: OptionKinds<DirectoryOptions> = {
  recurse: 'flag',
  fileMode: 'other',
  absent: 'flag',
  ...ownershipKinds,
}

/**
 * A directory with this mode and owner; those above it are made where they are missing. One that is
 * made gets mode 0755 unless you say otherwise. With `recurse` all that is in it has the same owner and
 * group, directories the same mode, and regular files `fileMode`; links are not followed. With `absent`
 * it is removed with all that is in it: never a directory of the system, nor one with a mount in it.
 * @param path absolute path on the host
 * @param options.recurse default: false
 * @param options.fileMode default: any
 * @param options.absent default: false
 * @throws {UsageError} recipe_invalid, when declared
 * @example directory('/srv/app', { owner: 'app', mode: 0o750 })
 * @example directory('/srv/www', { owner: 'www-data', mode: 0o755, fileMode: 0o644, recurse: true })
 * @example directory('/srv/app', { owner: 'app', mode: 'u=rwX,go=rX', recurse: true })
 * @example directory('/opt/app-1.9', { absent: true })
 */
export function directory(path: string, options: DirectoryOptions = {}): Resource {
  const title = `directory ${path}`
  checkOptions(title, options, optionKinds)
  const target = checkPath(title, path)
  const { recurse, fileMode, absent } = options
  if (absent) return noDirectory(title, target, options)
  const owned = ownershipWords(title, options)
  const makes = [`path ${target}`]
  const gather = [{ by: 'hw_gather_stat', of: [target] }]
  if (!recurse) {
    if (fileMode !== undefined) throw invalidOption(title, 'fileMode needs recurse: true')
    return declare({
      title,
      options,
      makes,
      call: { name: 'hw_directory', args: [target, ...words(owned)], gather },
    })
  }
  const ofFiles = fileMode ?? (/X/.test(String(options.mode)) ? options.mode : undefined)
  const all = { ...owned, file_mode: ownershipWords(title, { mode: ofFiles }).mode }
  const rules = [all.mode, all.file_mode].flatMap(mode => mode?.split(' ').slice(1) ?? [])
  if (rules.some(copiesBits))
    throw invalidOption(
      title,
      'with recurse a mode names its bits by letters of rwxXst, and copies none',
    )
  if (Object.values(all).every(each => each === undefined))
    throw invalidOption(title, 'recurse: true needs mode, fileMode, owner or group')
  return declare({
    title,
    options,
    makes,
    call: { name: 'hw_directory_all', args: [target, ...words(all)], gather },
  })
}

function noDirectory(title: string, target: string, options: DirectoryOptions): Resource {
  for (const name of ['recurse', 'fileMode', 'mode', 'owner', 'group'] as const) {
    if (options[name] !== undefined)
      throw invalidOption(title, `an absent directory has no ${name}`)
  }
  // The host looks again, where links lead.
  const names = target.split('/').slice(1)
  if (names.some(name => name === '.' || name === '..'))
    throw invalidOption(title, 'what is to be removed is named without . and ..')
  if (names.length < 2) throw invalidOption(title, `${target} is a directory of the system`)
  const makes = [`gone ${target}`]
  return declare({ title, options, makes, call: { name: 'hw_remove_tree', args: [target] } })
}
