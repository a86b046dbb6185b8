import { words } from '../../session/words.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import { type CommonOptions, declare, invalidOption, type Resource } from '../resource.ts'
import { checkAccount, checkNumber, type Names, readNames } from './account.ts'

export interface GroupOptions extends CommonOptions {
  /** Its number; default: the next that is free. */
  gid?: number
  /** Made with a number of the range for systems; of one that exists nothing changes. */
  system?: boolean
  /** Users that are to be in it, others staying; `{ exactly: […] }` for these and no others. */
  members?: Names
  /** Not there, instead of there. */
  absent?: boolean
}

const optionKinds: OptionKinds<GroupOptions> = {
  gid: 'number',
  system: 'flag',
  members: 'other',
  absent: 'flag',
}

/**
 * A group of the host's own files. Users in it need to be there, and are named here or in the users'
 * own `groups`, whichever reads better.
 * @throws {UsageError} recipe_invalid, when declared
 * @example group('deploy', { gid: 1500, members: ['ann', 'ben'] })
 */
export function group(name: string, options: GroupOptions = {}): Resource {
  checkOptions(`group ${name}`, options, optionKinds)
  const { gid, system, members, absent } = options
  const title = `group ${name}`
  checkAccount(title, 'group', name)
  if (absent && (gid !== undefined || system || members))
    throw invalidOption(title, 'a group that is absent has no gid, system or members')
  const wanted = members && readNames(title, 'user', members)
  const call = {
    name: 'hw_group',
    args: [
      name,
      absent ? 'absent' : 'present',
      ...words({
        gid: checkNumber(title, 'gid', gid) || undefined,
        system,
        members: wanted && `${wanted.exactly ? '=' : '+'}${wanted.names.join(',')}`,
      }),
    ],
  }
  return declare({ title, options, makes: options.absent ? [] : [`group ${name}`], call })
}
