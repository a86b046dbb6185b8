/**
 * Why `ssh` ended. It has no error codes, only messages, and this module is the only one that knows them.
 * They are in English (LC_ALL=C). The last ones decide, because a server may print a lot before them. Pure.
 */
import { UnreachableError } from '../../errors.ts'
import { type Failure, nothingInCommon, type Prospect } from '../connecting/connect-error.ts'
import type { Stage } from '../connecting/limits.ts'
import {
  changedKey,
  keyNotAdded,
  revokedKey,
  type ShownKey,
  unknownKey,
} from '../trust/host-key.ts'
import type { KnownHost } from '../trust/known-hosts.ts'
import { isByProgram, isForbidden, isGreeting, spoken } from './log.ts'

export interface OpensshEnd {
  lines: readonly string[]
  /** It did not end by itself: we had no answer to its prompt. */
  abandoned: boolean
  stage: Stage
  /** `web1 port 22` */
  where: string
  /** The host’s name in known_hosts. */
  name: string
  /** The file to which new host keys would be added. */
  file?: string
  /** The entries for the host in the known_hosts files. */
  known: readonly KnownHost[]
  /** Whether the given password was sent. */
  gavePassword: boolean
  /** Why prompts could not be answered. */
  problems: readonly string[]
}

type Part = Pick<Failure, 'error'> & Partial<Omit<Failure, 'error'>>

/** The meaning of a line; undefined: none by itself. */
type Meaning = (match: RegExpMatchArray, end: OpensshEnd) => Part | undefined

const coded = (code: string, message: string) => Object.assign(new Error(message), { code })

const closed: Meaning = ([line]) => ({ error: new Error(line) })

const reset: Meaning = ([line]) => ({ error: coded('ECONNRESET', line!) })

const deniedLogin = (said: string): Part => ({
  error: Object.assign(new Error(said), { level: 'client-authentication' }),
})

/** strerror(3), as glibc, musl, BSD and macOS have it. */
const systemErrors: Readonly<Record<string, string>> = {
  'Connection refused': 'ECONNREFUSED',
  'Connection reset by peer': 'ECONNRESET',
  'Connection timed out': 'ETIMEDOUT',
  'Operation timed out': 'ETIMEDOUT',
  'Host is down': 'EHOSTDOWN',
  'Host is unreachable': 'EHOSTUNREACH',
  'No route to host': 'EHOSTUNREACH',
  'Network is unreachable': 'ENETUNREACH',
  'Network unreachable': 'ENETUNREACH',
}

/** The last line with a meaning decides. */
const meanings: readonly (readonly [RegExp, Meaning])[] = [
  [
    /^ssh: Could not resolve hostname \S*: (.*)$/,
    ([, reason]) => {
      const passing = /Temporary failure|try again/i.test(reason!)
      return { stage: 'connect', error: coded(passing ? 'EAI_AGAIN' : 'ENOTFOUND', reason!) }
    },
  ],
  [
    /^ssh: connect to host .* port \d+: (.*)$/,
    ([, reason]) => ({
      stage: 'connect',
      error: coded(systemErrors[reason!] ?? 'EFAULT', reason!),
    }),
  ],
  [/^Host key verification failed\.$/, (_, end) => refusedKey(end)],
  [/^Unable to negotiate with .*: no matching (.*) found\. Their offer: (.*)$/, nothingCommon],
  [
    /Connection timed out during banner exchange/,
    () => ({ error: coded('ETIMEDOUT', 'it does not answer') }),
  ],
  [
    /^Received disconnect from .*: (Too many authentication failures.*)$/,
    ([, said]) => ({ error: new Error(said) }),
  ],
  [/^\S*: Permission denied \(.*\)\.$/, ([line]) => deniedLogin(line)],
  [
    /^(unix_listener|muxserver_listen|ControlPath|ControlSocket)\b.*$/,
    ([line], { where }) =>
      refusal(
        `can’t connect to ${where}: ssh can’t create its control socket: ${line}`,
        'Check $XDG_RUNTIME_DIR and $TMPDIR: ssh must be able to create a socket there.',
      ),
  ],
  [/reset by peer|Connection reset by /, reset],
  [/^(\w+_exchange_identification: )?Connection closed by |^Received disconnect from /, closed],
]

/** The failure that the output describes. */
export function failureOf(end: OpensshEnd): Failure {
  const said = spoken(end.lines)
  const greeted = end.lines.some(isGreeting)
  const program = end.lines.some(isByProgram)
  const part = end.lines.some(isForbidden)
    ? refusedKey(end)
    : end.abandoned
      ? deniedLogin('nobody answers')
      : program && !greeted
        ? programFailure(said, end)
        : lastMeaning(said, end)
  return {
    stage: end.stage,
    heard: Buffer.from(greeted ? 'SSH-' : bannerIn(end.lines)),
    login: loginOf(said, end),
    left: waysIn(end.lines),
    said: said.filter(line => !meanings.some(([pattern]) => pattern.test(line))).join('\n'),
    ...part,
    error: part.error,
  }
}

function lastMeaning(said: readonly string[], end: OpensshEnd): Part {
  for (const line of said.toReversed()) {
    for (const [pattern, meaning] of meanings) {
      const match = line.match(pattern)
      const part = match && meaning(match, end)
      if (part) return part
    }
  }
  // The line before usually says why.
  const parted = said.find(line => line.startsWith('Disconnected from '))
  if (parted) return { error: new Error(parted) }
  const reason = said.at(-1) ?? 'it printed nothing'
  return refusal(`can’t connect to ${end.where}: ssh ended: ${reason}`, tryIt)
}

const tryIt = 'Try `ssh -v` to the same host.'

const refusal = (message: string, hint: string): Part => ({
  error: new UnreachableError('connect_failed', message, { hint }),
})

const categories: Readonly<Record<string, readonly [string, string]>> = {
  'key exchange method': ['key exchange', 'KexAlgorithms'],
  'host key type': ['type of host key', 'HostKeyAlgorithms'],
  cipher: ['cipher', 'Ciphers'],
  MAC: ['MAC', 'MACs'],
}

function nothingCommon(match: RegExpMatchArray, { where }: OpensshEnd): Part {
  const [, what, offer] = match
  const [name, keyword] = categories[what!] ?? [what!, 'the algorithms']
  const hint = `Check ${keyword} in ~/.ssh/config and in the server’s configuration.`
  return { error: nothingInCommon(where, name, offer!.split(','), { hint }) }
}

/** ssh reports a refused key, and why, in several lines. */
function refusedKey({ lines, name, file, known }: OpensshEnd): Part {
  const shown: ShownKey = { name, file, key: 'a key it does not name' }
  for (const line of lines) {
    const match = line.match(/^debug1: Server host (?:key|certificate): (\S+) (SHA256:\S+)/)
    if (match) shown.key = `${match[1]!.replace(/-cert-v01@openssh\.com$/, '')} ${match[2]}`
  }
  const any = (pattern: RegExp) => lines.some(line => pattern.test(line))
  const invalid = lines.map(line => line.match(/^(Certificate invalid: .*)$/)?.[1]).find(Boolean)
  if (any(/REVOKED HOST KEY DETECTED|is marked as revoked|revoked by file/)) {
    return {
      error: revokedKey(
        shown,
        known.filter(({ marker }) => marker === '@revoked'),
      ),
    }
  }
  if (any(/^Failed to add the host to the list of known hosts/)) {
    return { error: keyNotAdded(shown, 'ssh can’t write there') }
  }
  if (any(/REMOTE HOST IDENTIFICATION HAS CHANGED/)) {
    return {
      error: changedKey(
        shown,
        known.filter(({ marker }) => marker === undefined),
      ),
    }
  }
  if (invalid) {
    return {
      error: new UnreachableError(
        'host_key_unknown',
        `the host key of ${name} is not known: ${invalid}`,
        {
          hint: 'Its certificate is not valid for this name and time: check its principals and dates (ssh-keygen -L), and both clocks.',
        },
      ),
    }
  }
  return { error: unknownKey(shown) }
}

/** The output of a ProxyCommand or a jump host’s ssh, and the resulting failure. */
function programFailure(said: readonly string[], { where }: OpensshEnd): Part {
  // The last line is from our ssh; another ssh on the way prints the same about its own host.
  const closing = /^\w+_exchange_identification:|^banner exchange:/
  const words = said.filter(line => !/Connection (closed|reset) by UNKNOWN/.test(line))
  const own = words.filter((_, index) => index !== words.findLastIndex(line => closing.test(line)))
  const text = own.filter(line => !/^@+/.test(line)).join('\n')
  const all = own.join('\n')
  const last = own.at(-1)
  const message = `can’t connect to ${where}: the proxy (ProxyCommand, or ssh to a jump host) exited before the host answered${last ? `: ${last}` : ''}`
  const is = (pattern: RegExp) => pattern.test(all)
  const code = is(/Host key verification failed/)
    ? is(/HAS CHANGED/)
      ? 'host_key_changed'
      : is(/REVOKED/)
        ? 'host_key_revoked'
        : 'host_key_unknown'
    : is(/Permission denied \(|Too many authentication failures/)
      ? 'auth_failed'
      : 'connect_failed'
  const prospect: Prospect =
    code === 'connect_failed' &&
    (own.length === 0 || is(/closed by|reset by peer|refused|timed out/))
      ? 'unready'
      : 'none'
  const error = new UnreachableError(code, message, { output: text || undefined, hint: tryIt })
  return { error, prospect }
}

/** The output of a server that does not speak SSH (kex_exchange_identification: banner line). */
const bannerIn = (lines: readonly string[]) =>
  lines
    .map(
      line =>
        line.match(
          /^debug1: (?:kex_exchange_identification|ssh_exchange_identification):(?: banner line \d+:)? (.*)$/,
        )?.[1],
    )
    .filter(line => line !== undefined)
    .map(line => `${line}\r\n`)
    .join('')

/** `publickey,password`, as listed last by the server. */
const waysIn = (lines: readonly string[]) =>
  lines
    .findLast(line => line.startsWith('debug1: Authentications that can continue: '))
    ?.split(': ')[2]
    ?.split(',')

/** The methods that were tried, worded as in an in-process login. */
function loginOf(said: readonly string[], { lines, gavePassword, problems }: OpensshEnd) {
  const tried = new Set<string>()
  for (const [index, line] of lines.entries()) {
    const offered = line.match(/^debug1: Offering public key: (.*)$/)?.[1]
    // A missing file has no effect.
    const next = lines[index + 1] ?? ''
    const there = !/^debug1: (Trying private key|Next authentication|No more auth)/.test(next)
    const read = there ? line.match(/^debug1: Trying private key: (.*)$/)?.[1] : undefined
    const key = offered ?? read
    const method = line.match(/^debug1: Next authentication method: (\S+)$/)?.[1]
    if (key) tried.add(`key ${key.replace(/ (\S+ SHA256:\S+.*)$/, '')}`)
    else if (method && method !== 'publickey') tried.add(method)
  }
  const complaints = said.filter(line =>
    /^(Load key|sign_and_send_pubkey|identity_sign|Bad permissions|WARNING: UNPROTECTED|no such identity|Certificate|ssh_askpass)/.test(
      line,
    ),
  )
  return {
    tried: () => [...tried].join(', '),
    problems: [...problems, ...complaints],
    wrongPassword: gavePassword,
  }
}

/** Why an established connection was lost, from the output since then. */
export function lossIn(lines: readonly string[], silenceMs: number): string {
  for (const line of lines.toReversed()) {
    if (/^(Timeout, server .* not responding|Connection to .* timed out)/.test(line)) {
      return `the host stopped answering: nothing received for ${silenceMs / 1000} s`
    }
    if (/reset by peer/.test(line)) return 'it was reset'
    if (/closed by remote host|Broken pipe|Connection closed by/.test(line))
      return 'the host closed it'
    const said = line.match(/^(?:Received disconnect from .*?:\d+:|Disconnecting .*?:) *(.*)$/)?.[1]
    if (said) return said
  }
  return 'ssh ended'
}
