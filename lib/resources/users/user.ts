import { words } from '../../session/words.ts'
import { isSecret, type Secret } from '../../shell/secret.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import {
  type CommonOptions,
  checkPath,
  commonOptions,
  declare,
  invalidOption,
  type Resource,
} from '../resource.ts'
import { checkAccount, checkNumber, type Names, readNames } from './account.ts'

export interface UserOptions extends CommonOptions {
  /** Its number; default: the next that is free. */
  uid?: number
  /** Main group, a name or number; default: one of the user's own name. */
  group?: string | number
  /** Further groups, others staying; `{ exactly: […] }` for these and no others. They must be there. */
  groups?: Names
  /** Home directory; default: what the system gives, `/home/NAME`. */
  home?: string
  /** Where `home` changes, the directory moves along. Default false. */
  moveHome?: boolean
  /**
   * `true`: the home directory is there, made of /etc/skel if it is not. `false`: it is not made with the
   * user. Default: made with a user who is not a system user, and not checked later.
   */
  createHome?: boolean
  /** Login shell; default: the system's. */
  shell?: string
  /** Full name, or what the account is for. */
  comment?: string
  /** Made with a number of the range for systems; of one that exists nothing changes. */
  system?: boolean
  /** Hash of the password, as `mkpasswd` or `openssl passwd -6` prints it. */
  password?: Secret
  /** `created`: the password is set with the user and not looked at later. Default `always`. */
  updatePassword?: 'always' | 'created'
  /** No login by password. Keys still log in: see `expires`. */
  locked?: boolean
  /** The first day, `2027-01-31`, on which nobody logs in any more; `never` takes it away. */
  expires?: string
  /** Not there, instead of there. */
  absent?: boolean
  /** With `absent`: the home directory and mail go too. Default false. */
  removeHome?: boolean
}

const optionKinds: OptionKinds<UserOptions> = {
  uid: 'number',
  group: 'other',
  groups: 'other',
  home: 'text',
  moveHome: 'flag',
  createHome: 'flag',
  shell: 'text',
  comment: 'text',
  system: 'flag',
  password: 'other',
  updatePassword: 'text',
  locked: 'flag',
  expires: 'text',
  absent: 'flag',
  removeHome: 'flag',
}

/**
 * A user of the host's own files. What is not named stays as it is.
 * @throws {UsageError} recipe_invalid, when declared
 * @example user('deploy', { groups: ['docker'], shell: '/bin/bash', password: secret(hash) })
 */
export function user(name: string, options: UserOptions = {}): Resource {
  const title = `user ${name}`
  checkOptions(title, options, optionKinds)
  checkAccount(title, 'user', name)
  const { password } = options
  return declare({
    title,
    options,
    makes: madeFor(name, options),
    secrets: isSecret(password) ? [password.reveal()] : [],
    call: {
      name: 'hw_user',
      args: [
        name,
        options.absent ? 'absent' : 'present',
        ...words(options.absent ? wordsOfAbsent(title, options) : wordsOf(title, options)),
      ],
    },
  })
}

/** A home may hold more than its directory: useradd copies /etc/skel. */
function madeFor(name: string, options: UserOptions): string[] {
  const { absent, group, system, createHome = !system, home = `/home/${name}` } = options
  if (absent) return []
  return [
    `user ${name}`,
    ...(group === undefined ? [`group ${name}`] : []),
    ...(createHome ? [`tree ${home}`] : []),
  ]
}

function wordsOfAbsent(title: string, options: UserOptions) {
  for (const [key, value] of Object.entries(options)) {
    if (!['absent', 'removeHome', ...commonOptions].includes(key) && value !== undefined)
      throw invalidOption(title, `a user that is absent has no ${key}`)
  }
  return { remove: options.removeHome ? 'yes' : undefined }
}

/** KEY=VALUE words of hw_user. */
function wordsOf(title: string, options: UserOptions): Parameters<typeof words>[0] {
  const { group, groups, createHome, locked, comment, password } = options
  if (options.removeHome) throw invalidOption(title, 'removeHome needs absent')
  if (options.moveHome && options.home === undefined)
    throw invalidOption(title, 'moveHome needs home')
  if (options.moveHome && createHome === false)
    throw invalidOption(title, 'moveHome can’t be combined with createHome: false')
  const further = groups && readNames(title, 'group', groups)
  const yes = (value: boolean | undefined) =>
    value === undefined ? undefined : value ? 'yes' : 'no'
  return {
    uid: checkNumber(title, 'uid', options.uid) || undefined,
    group: typeof group === 'number' ? checkNumber(title, 'gid', group) : mainGroup(title, group),
    groups: further?.names.join(' '),
    groups_are: further && (further.exactly ? 'all' : 'some'),
    home:
      options.home === undefined ? undefined : field(title, 'home', checkPath(title, options.home)),
    move: options.moveHome ? 'yes' : undefined,
    create: yes(createHome),
    shell:
      options.shell === undefined
        ? undefined
        : field(title, 'shell', checkPath(title, options.shell)),
    comment: comment ? field(title, 'comment', comment) : undefined,
    no_comment: comment === '',
    system: options.system ? 'yes' : undefined,
    hash: password === undefined ? undefined : checkHash(title, password),
    hash_when: password === undefined ? undefined : (options.updatePassword ?? 'always'),
    locked: yes(locked),
    ...expiry(title, options.expires),
  }
}

const mainGroup = (title: string, name: string | undefined) =>
  name === undefined ? undefined : checkAccount(title, 'group', name)

/** A field of /etc/passwd: colons part its fields, newlines its lines. */
function field(title: string, what: string, text: string): string {
  if (/[:\0-\x1f\x7f]/.test(text))
    throw invalidOption(title, `the ${what} contains a colon or control characters`)
  return text
}

function checkHash(title: string, password: Secret): string {
  if (!isSecret(password))
    throw invalidOption(title, 'the password is not a secret: write secret(hash)')
  const hash = password.reveal()
  if (!/^\$[0-9a-z]+\$[!-9;-~]+$/i.test(hash)) {
    throw invalidOption(
      title,
      'the password is not a hash ($6$…): make one by `openssl passwd -6` or `mkpasswd`',
    )
  }
  return hash
}

/** The same as date, as days and as seconds since 1970: each system's programs want another. */
function expiry(title: string, expires: string | undefined) {
  if (expires === undefined) return {}
  if (expires === 'never') return { expires }
  const ms = Date.parse(`${expires}T00:00:00Z`)
  if (!/^\d{4}-\d\d-\d\d$/.test(expires) || new Date(ms).toJSON()?.slice(0, 10) !== expires)
    throw invalidOption(title, `expires is not a date like 2027-01-31, nor never: ${expires}`)
  return { expires, days: String(ms / 86_400_000), seconds: String(ms / 1000) }
}
