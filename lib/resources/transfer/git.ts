import { words } from '../../session/words.ts'
import { quote } from '../../shell/quote.ts'
import { isSecret, type Secret } from '../../shell/secret.ts'
import { checkOptions, type OptionKinds } from '../options.ts'
import {
  type CommonOptions,
  checkPath,
  declare,
  invalidOption,
  plain,
  type Resource,
} from '../resource.ts'

export interface GitOptions extends CommonOptions {
  /** Where it comes from: `https://…`, `ssh://…`, `user@host:path`, or an absolute path. No password in it. */
  remote: string
  /**
   * Branch, tag, whole name of a reference (`refs/pull/7/head`), or a commit by its 40 digits. Of a
   * branch and a tag of one name the branch is taken. Default: the remote's own default branch.
   */
  revision?: string
  /** What the remote is called; default `origin`. */
  remoteName?: string
  /** How many commits of history to fetch; default: all. */
  depth?: number
  /** Check out submodules too, and theirs; default: no. */
  submodules?: boolean
  /** Drop local changes of files that git knows, and local commits; default: fail where they would be lost. */
  force?: boolean
  /** User and password or token, for http and https. */
  login?: { user: string; password: string | Secret }
  /** File of the host with the private key, for ssh. */
  key?: string
  /** Take the key of an ssh server that is not known yet; one that is known must not change. Default: no. */
  acceptNewHostKey?: boolean
}

const optionKinds: OptionKinds<GitOptions> = {
  remote: 'text',
  revision: 'text',
  remoteName: 'text',
  depth: 'number',
  submodules: 'flag',
  force: 'flag',
  login: 'other',
  key: 'text',
  acceptNewHostKey: 'flag',
}

/**
 * A revision of a git repository, checked out. A commit that is there already is not asked for again; of
 * a branch or a tag the remote is asked where it is, and only what is not there is fetched. Changed
 * means that HEAD moves, which is detached. Local changes are never lost silently.
 * @param path absolute path of the directory on the host; made if it is not there
 * @throws {UsageError} recipe_invalid, when declared
 * @example
 * git('/srv/app', {
 *   remote: 'https://example.org/app.git',
 *   revision: 'v1.4.2',
 *   login: { user: 'deploy', password: secret(process.env.TOKEN ?? '') },
 *   as: 'app',
 * })
 */
export function git(path: string, options: GitOptions): Resource {
  const title = `git ${path}`
  checkOptions(title, options, optionKinds)
  const target = checkPath(title, path)
  const { remote, revision = 'HEAD', remoteName = 'origin', depth, key, login } = options
  checkRemote(title, remote)
  checkName(title, 'revision', revision)
  checkName(title, 'name of the remote', remoteName)
  if (depth !== undefined && !(Number.isInteger(depth) && depth > 0))
    throw invalidOption(title, 'depth is a number of commits, at least 1')
  const ssh = [
    ...['ssh', '-o', 'BatchMode=yes'],
    ...(options.acceptNewHostKey ? ['-o', 'StrictHostKeyChecking=accept-new'] : []),
    ...(key === undefined ? [] : ['-o', 'IdentitiesOnly=yes', '-i', quote(checkPath(title, key))]),
  ]
  return declare({
    title,
    options,
    makes: [`tree ${target}`],
    secrets: login && isSecret(login.password) ? [login.password.reveal(), tokenOf(login)] : [],
    call: {
      name: 'hw_git',
      args: [
        target,
        ...words({
          remote,
          revision,
          name: remoteName,
          depth,
          submodules: options.submodules,
          force: options.force,
          ssh: ssh.join(' '),
          key,
          config: loginConfig(title, remote, login),
        }),
      ],
    },
  })
}

function checkRemote(title: string, remote: string): void {
  if (
    typeof remote !== 'string' ||
    remote === '' ||
    remote.startsWith('-') ||
    /[\0-\x1f\x7f]/.test(remote)
  )
    throw invalidOption(title, `${JSON.stringify(remote)} is not a valid remote`)
  if (/^[a-z+]+::/.test(remote)) throw invalidOption(title, 'remote helpers (ext::…) are not run')
  if (URL.canParse(remote) && new URL(remote).password !== '')
    throw invalidOption(
      title,
      'a password in the remote would stand in .git/config: give it as `login`',
    )
}

/** As git wants names of references; HEAD and commits are such, too. */
function checkName(title: string, what: string, name: string): void {
  const bad = /[\0-\x20\x7f~^:?*[\\]|\.\.|@\{|\/\/|^[-/.]|[/.]$|\.lock$|\/\./
  if (name === '' || bad.test(name))
    throw invalidOption(title, `the ${what} ${JSON.stringify(name)} is not valid in git`)
}

const tokenOf = ({ user, password }: NonNullable<GitOptions['login']>) =>
  Buffer.from(`${user}:${plain(password)}`).toString('base64')

/** A header as git's configuration has it, for the server of the remote and no other. */
function loginConfig(title: string, remote: string, login: GitOptions['login']) {
  if (!login) return undefined
  if (!/^https?:\/\//.test(remote) || !URL.canParse(remote))
    throw invalidOption(title, 'a login is for remotes of http and https')
  if (typeof login.user !== 'string' || login.password === undefined)
    throw invalidOption(title, 'a login is { user, password }')
  if (login.user.includes(':')) throw invalidOption(title, 'the user of the login contains a colon')
  const header = `Authorization: Basic ${tokenOf(login)}`
  // Neither holds what git's files would have to quote.
  return `[http "${new URL(remote).origin}/"]\nextraHeader = "${header}"`
}
