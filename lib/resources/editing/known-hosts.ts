import { checkOptions, type OptionKinds } from '../options.ts'
import { invalidOption, type Resource } from '../resource.ts'
import { parsePublicKey } from '../users/public-key.ts'
import { type EditOptions, editKinds, editorResource } from './edited-file.ts'

export interface KnownHostsOptions extends EditOptions {
  /** Its public keys: lines of .pub files, or of what ssh-keyscan prints; a text may hold several. */
  keys?: string | readonly string[]
  /** Where its sshd listens; default 22. */
  port?: number
  /** What the keys are: those of an authority that signs keys of servers, or keys that must not be accepted. */
  marker?: 'cert-authority' | 'revoked'
  /** It has no other keys, of any type; default: none of the same types. */
  exclusive?: boolean
  /** The file; default: `/etc/ssh/ssh_known_hosts`, which all users of the host trust. */
  path?: string
  /** It must not have these keys; without `keys`: none. */
  absent?: boolean
}

const optionKinds: OptionKinds<KnownHostsOptions> = {
  keys: 'text or texts',
  port: 'number',
  marker: 'text',
  exclusive: 'flag',
  path: 'text',
  absent: 'flag',
  ...editKinds,
}

/**
 * Keys by which the users of a host know an SSH server. Keys of other types stay, and so do other names in a line; hashed names
 * are found. An old key of the same type goes.
 * @param server a name or an address; with the marker cert-authority also a pattern: `*.example.com`
 * @throws {UsageError} recipe_invalid, when declared: a key that is none, for one
 * @example knownHosts('git.example.com', { keys: readFileSync('keys/git.pub', 'utf8') })
 * @example knownHosts('10.0.0.5', { port: 2222, keys: key, path: '/home/app/.ssh/known_hosts', owner: 'app' })
 * @example knownHosts('old.example.com', { absent: true })
 */
export function knownHosts(server: string, options: KnownHostsOptions): Resource {
  const title = `knownHosts ${server}`
  checkOptions(title, options, optionKinds)
  const { port = 22, marker, exclusive = false, absent = false } = options
  const { path = '/etc/ssh/ssh_known_hosts' } = options
  if (typeof server !== 'string' || !/^[A-Za-z0-9_*?:.%-]+$/.test(server))
    throw invalidOption(title, `${JSON.stringify(server)} is not a name or an address`)
  if (!Number.isInteger(port) || port < 1 || port > 65535)
    throw invalidOption(title, `${port} is not a port`)
  if (marker !== undefined && marker !== 'cert-authority' && marker !== 'revoked')
    throw invalidOption(title, 'marker is cert-authority or revoked')
  if (absent && exclusive) throw invalidOption(title, 'absent and exclusive contradict each other')
  const keys = keysOf(title, [options.keys ?? []].flat())
  if (keys.length === 0 && !absent) throw invalidOption(title, 'give its keys')
  const requests = [
    `H ${port === 22 ? server : `[${server}]:${port}`}`,
    ...(marker ? [`M @${marker}`] : []),
    ...keys.map(key => `K ${key}`),
    ...(exclusive ? ['O exclusive'] : []),
    ...(absent ? ['D'] : []),
  ]
  return editorResource({ title, name: 'known_hosts', path, options, requests })
}

function keysOf(title: string, texts: readonly string[]): string[] {
  const lines = texts.flatMap(text => text.split(/\r?\n/)).filter(line => !/^\s*(#|$)/.test(line))
  const found = lines.map((line, index) => {
    // As ssh-keyscan has it, with the server in front.
    const [, rest] = /^\s*\S+\s+((?:ssh|ecdsa|sk)-\S+\s+\S.*)$/.exec(line) ?? []
    try {
      const { type, blob, options } = parsePublicKey(
        /^\s*(ssh|ecdsa|sk)-/.test(line) ? line : (rest ?? line),
      )
      if (options !== '') throw new SyntaxError('it has options, which are for keys of users')
      return `${type} ${blob}`
    } catch (error) {
      throw invalidOption(title, `key ${index + 1}: ${(error as Error).message}`)
    }
  })
  return [...new Set(found)]
}
