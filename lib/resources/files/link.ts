import { words } from '../../session/words.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { type Ownership, ownershipWords } from '../ownership.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  type Resource,
} from '../resource.ts'

export interface LinkOptions extends Pick<Ownership, 'owner' | 'group'>, CommonOptions {
  /** What it points to, as the link holds it: absolute, or from the link's own directory. It need not exist. */
  target?: string
  /** Also replace what exists and is not a link. Never a directory. */
  force?: boolean
  /** No link of this name. */
  absent?: boolean
}

const optionKinds: OptionKinds<LinkOptions> = {
  target: 'text',
  force: 'flag',
  absent: 'flag',
  owner: 'other',
  group: 'other',
}

/**
 * A symbolic link. One that points elsewhere is replaced, at once; what exists and is not a link fails the
 * step unless `force` is given.
 * @param path absolute path of the link on the host
 * @param options.target what it points to
 * @param options.force replace a file; default: false
 * @param options.owner user name or number of the link itself; default: any
 * @param options.group the same for the group
 * @param options.absent remove the link, not what it points to; default: false
 * @throws {UsageError} recipe_invalid, when declared
 * @example link('/srv/app/current', { target: 'releases/2.4.0' })
 * @example link('/etc/nginx/sites-enabled/default', { absent: true })
 */
export function link(path: string, options: LinkOptions): Resource {
  const title = `link ${path}`
  checkOptions(title, options, optionKinds)
  const place = checkPath(title, path)
  if (options.absent) {
    for (const name of ['target', 'force', 'owner', 'group'] as const) {
      if (options[name] !== undefined) throw invalidOption(title, `an absent link has no ${name}`)
    }
    const makes = [`gone ${place}`]
    return declare({ title, options, makes, call: { name: 'hw_no_link', args: [place] } })
  }
  const { target, force, owner, group } = options
  if (typeof target !== 'string' || target === '') throw invalidOption(title, 'it has no target')
  if (/[\0-\x1f\x7f]/.test(target))
    throw invalidOption(title, 'its target holds control characters')
  const { user, group: ofGroup } = ownershipWords(title, { owner, group })
  return declare({
    title,
    options,
    makes: [`tree ${place}`],
    call: {
      name: 'hw_link',
      args: [place, target, ...words({ force, user, group: ofGroup })],
      gather: [{ by: 'hw_gather_link', of: [place] }],
    },
  })
}
