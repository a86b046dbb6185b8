import { checkOptions, type OptionKinds } from '../options.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  type Resource,
} from '../resource.ts'
import { checkAccount } from './account.ts'
import { checkOptions as checkKeyOptions, type PublicKey, parsePublicKey } from './public-key.ts'

/** A key that may log in: as its .pub file has it, or with what goes for it. */
export type AuthorizedKey =
  | string
  | {
      /** As the .pub file has it. */
      key: string
      /** Its options for sshd: `['restrict', 'command="/usr/bin/backup"']`. */
      options?: string | readonly string[]
      /** What stands behind it; default: what the key’s text has, else what is on the host. */
      comment?: string
    }

export interface AuthorizedKeysOptions extends CommonOptions {
  /** No other key may log in. Default false. */
  exclusive?: boolean
  /** These keys may not log in, instead of may; the host’s others stay. */
  absent?: boolean
  /** The file; default `.ssh/authorized_keys` in the user’s home. */
  path?: string
}

const optionKinds: OptionKinds<AuthorizedKeysOptions> = {
  exclusive: 'flag',
  absent: 'flag',
  path: 'text',
}

/**
 * Keys that may log in as a user, each once. Comments, other keys and the order of lines stay as they are;
 * a key that is there with other options gets those that are wanted. In the user’s home the directory has
 * mode 0700 and the file 0600, and both are the user’s.
 * @param user who is there, or made by a resource before this one
 * @param keys lines of .pub files; a text may hold several
 * @throws {UsageError} recipe_invalid, when declared: a key that is none, for one
 * @example authorizedKeys('deploy', [readFileSync('keys/ann.pub', 'utf8')], { exclusive: true })
 * @example authorizedKeys('backup', [{ key: line, options: ['restrict', 'command="/usr/bin/backup"'] }])
 */
export function authorizedKeys(
  user: string,
  keys: readonly AuthorizedKey[],
  options: AuthorizedKeysOptions = {},
): Resource {
  const title = `authorizedKeys ${user}`
  checkOptions(title, options, optionKinds)
  checkAccount(title, 'user', user)
  const { exclusive = false, absent = false } = options
  if (exclusive && absent) throw invalidOption(title, 'exclusive can’t be combined with absent')
  const found = readKeys(title, keys)
  if (found.length === 0 && !exclusive) throw invalidOption(title, 'give at least one key')
  const path = options.path === undefined ? '' : checkPath(title, options.path)
  return declare({
    title,
    options,
    path: path || `~${user}/.ssh/authorized_keys`,
    call: {
      name: 'hw_authorized_keys',
      args: [
        user,
        path,
        ...found.flatMap(key => requests(key, absent)),
        ...(exclusive ? ['E'] : []),
      ],
    },
  })
}

/** The lines that lib/resources/users/authorized-keys.awk reads. */
function requests({ type, blob, options, comment }: PublicKey, absent: boolean): string[] {
  if (absent) return [`A ${blob}`]
  return [
    `P ${blob}`,
    `T ${type}`,
    `O ${options}`,
    ...(comment === undefined ? [] : [`C ${comment}`]),
  ]
}

function readKeys(title: string, keys: readonly AuthorizedKey[]): PublicKey[] {
  const found = new Map<string, PublicKey>()
  if (!Array.isArray(keys)) throw invalidOption(title, 'the keys are not a list')
  for (const [index, each] of keys.entries()) {
    for (const key of readKey(title, index, each)) {
      const other = found.get(key.blob)
      if (other && other.options !== key.options)
        throw invalidOption(title, `key ${index + 1} is there twice, with other options`)
      found.set(key.blob, key)
    }
  }
  return [...found.values()]
}

function readKey(title: string, index: number, given: AuthorizedKey): PublicKey[] {
  const { key, options, comment } =
    typeof given === 'string' ? { key: given, options: undefined, comment: undefined } : given
  const lines = key.split(/\r?\n/).filter(line => !/^\s*(#|$)/.test(line))
  try {
    if (lines.length === 0) throw new SyntaxError('it is empty')
    const parsed = lines.map(parsePublicKey)
    if (options !== undefined && parsed.some(each => each.options !== ''))
      throw new SyntaxError('its text has options of its own')
    if (comment !== undefined && /[\0-\x1f\x7f]/.test(comment))
      throw new SyntaxError('the comment holds control characters')
    return parsed.map(each => ({
      ...each,
      comment: comment?.trim() ?? each.comment,
      options: options === undefined ? each.options : checkKeyOptions([options].flat().join(',')),
    }))
  } catch (error) {
    throw invalidOption(title, `key ${index + 1}: ${(error as Error).message}`)
  }
}
