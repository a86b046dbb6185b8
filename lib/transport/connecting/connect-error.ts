/** Why connecting to a host failed, in one sentence, and whether a retry may help. */
import { type ErrorDetails, isBootstrapError, outOfFiles, UnreachableError } from '../../errors.ts'
import { kinds } from '../config/algorithms.ts'
import type { SshSettings } from '../config/settings.ts'
import type { Login } from '../login/login.ts'
import { greetingIn, offeredIn } from '../ssh/kexinit.ts'
import { isLate, type Late, type Stage } from './limits.ts'

/** A failed attempt to connect. */
export interface Failure {
  error: unknown
  /** The stage at which it failed. */
  stage: Stage
  /** The first bytes from the server. */
  heard: Buffer
  /** The first error of the stream, which says more than ssh2’s error. */
  streamError?: Error
  /** Why the host key was refused. */
  refusal?: UnreachableError
  login?: Pick<Login, 'tried' | 'problems' | 'wrongPassword'>
  /** What the server had to say to who logs in: its banner, why an account is refused. */
  said?: string
  /** The login methods that the server listed last. */
  left?: readonly string[]
  /** Set if more is known than follows from the rest. */
  prospect?: Prospect
}

/** The destination, for messages. */
export interface Destination {
  target: Pick<SshSettings, 'address' | 'port' | 'user' | 'algorithms'>
  /** The last jump host on the way. */
  through?: string
  /** It let us in before, in this run. */
  again?: boolean
}

/** The answer of a jump host that was asked for a connection. */
export interface JumpRefusal extends Error {
  /** Whether it forbids forwarding or could not connect. */
  jump: 'forbids' | 'fails'
}

const isJumpRefusal = (error: unknown): error is JumpRefusal =>
  error instanceof Error && 'jump' in error

/**
 * `turnedAway`: the server has too many unauthenticated connections, and will accept others in a moment.
 * `unready`: a failure that may be temporary, but usually is not.
 */
export type Prospect = 'turnedAway' | 'unready' | 'none'

const unready = new Set([
  'ECONNREFUSED',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EHOSTDOWN',
  'EAI_AGAIN',
])

/** Whether an established connection was cut, perhaps before anyone saw it established. */
const isCut = (code: unknown) => code === 'ECONNRESET' || code === 'EPIPE'

/** Whether to retry. */
export function prospectOf(failure: Failure): Prospect {
  const { error, stage, heard, streamError, refusal, prospect } = failure
  if (prospect) return prospect
  if (refusal || isBootstrapError(error)) return 'none'
  if (isJumpRefusal(error)) return error.jump === 'forbids' ? 'none' : 'unready'
  if (isLate(error)) return error.stage === 'connect' && error.of === 'stage' ? 'unready' : 'none'
  const { code } = (streamError ?? error) as NodeJS.ErrnoException
  if (stage === 'connect' && !isCut(code)) {
    return code !== undefined && unready.has(code) ? 'unready' : 'none'
  }
  if (stage === 'auth') return 'none'
  // Before the server’s version string: it may have sent a reason, but nothing of SSH.
  const named = /(^|\n)SSH-/.test(heard.toString('latin1'))
  if (named) return isCut(code) ? 'unready' : 'none'
  const says = greetingIn(heard)
  return says === '' || atTheDoor.test(says) ? 'turnedAway' : 'none'
}

/** OpenSSH’s message to connections above its limit (sshd.c, drop_connection). */
const atTheDoor = /^(Exceeded MaxStartups|Not allowed at this time)/

/** OpenSSH’s message before it disconnects (auth.c, auth_maxtries_exceeded); there is no code for it. */
const tooMany = /Too many authentication failures/

export function connectError(failure: Failure, to: Destination): UnreachableError {
  const { error, stage, refusal } = failure
  if (refusal) return refusal
  if (error instanceof UnreachableError) return error
  if (isLate(error)) return lateError(error, failure, to)
  if (stage === 'auth') return loginError(failure, to)
  if (stage === 'handshake' || isCut((failure.streamError as NodeJS.ErrnoException)?.code)) {
    return handshakeError(failure, to)
  }
  return socketError(failure, to)
}

const whereOf = ({ target, through }: Destination) =>
  `${target.address} port ${target.port}${through === undefined ? '' : ` through ${through}`}`

const seconds = (milliseconds: number) => `${milliseconds / 1000} s`

function lateError(late: Late, { heard }: Failure, to: Destination): UnreachableError {
  const where = whereOf(to)
  const within = `within ${seconds(late.limitMs)}`
  const option = (name: string) => (late.of === 'total' ? '--timeout' : name)
  switch (late.stage) {
    case 'connect':
      return new UnreachableError('connect_timeout', `${where} did not answer ${within}`, {
        hint: `Check that the host is up and that no firewall blocks it; ${option('connect_timeout')} sets the limit.`,
      })
    case 'handshake': {
      const silent = heard.length === 0 ? 'but sent nothing' : 'but stopped in the handshake'
      return new UnreachableError(
        'handshake_timeout',
        `${where} accepted the connection ${silent}: gave up ${within.replace('within', 'after')}`,
        {
          hint: `Check that it is an SSH server and that the host is not overloaded; ${option('handshake_timeout')} sets the limit.`,
        },
      )
    }
    case 'auth':
      return new UnreachableError(
        'auth_timeout',
        `${where} neither accepted nor refused the login of ${to.target.user} ${within}`,
        {
          hint: `Check the server’s log: a slow name service or PAM module is the usual reason; ${option('auth_timeout')} sets the limit.`,
        },
      )
  }
}

function loginError({ error, login, left, said }: Failure, to: Destination): UnreachableError {
  const { level, message } = error as { level?: string; message: string }
  const where = whereOf(to)
  const { user } = to.target
  const attempts = login?.tried() || 'nothing: there was no key or password to try'
  const problems = login?.problems.map(problem => `; ${problem}`).join('') ?? ''
  const tried = `(tried: ${attempts})${problems}`
  const output = endOf(said)
  if (message === tooLong) {
    return new UnreachableError(
      'connect_failed',
      `${where} sent more at once than hostwright’s own SSH can read, probably a very long banner`,
      {
        cause: error,
        hint: 'Use the system’s ssh (--transport openssh), or shorten the server’s Banner.',
      },
    )
  }
  if (login?.wrongPassword) {
    return new UnreachableError('auth_failed', `${where}: wrong password for ${user} ${tried}`, {
      output,
      hint: 'Check ansible_user and the password (--ask-pass or ansible_password).',
    })
  }
  if (tooMany.test(message)) {
    return new UnreachableError(
      'auth_failed',
      `${where} disconnected after too many login attempts as ${user} ${tried}`,
      {
        cause: error,
        hint: 'Set ansible_ssh_private_key_file to the right key, which is tried first, or set IdentitiesOnly in ~/.ssh/config.',
      },
    )
  }
  if (level === 'client-authentication') {
    const wants = left && left.length > 0 ? `It accepts: ${left.join(', ')}. ` : ''
    const byPassword = left?.some(way => /^(password|keyboard-)/.test(way))
      ? '; --ask-pass asks for a password'
      : ''
    return new UnreachableError('auth_failed', `${where}: permission denied for ${user} ${tried}`, {
      cause: error,
      output,
      hint: `${wants}Check ansible_user and ansible_ssh_private_key_file in the inventory, and \`ssh-add -l\`${byPassword}.`,
    })
  }
  // A server that knew us a moment ago has refused nothing by that: its network fails, or it restarts.
  return new UnreachableError(
    to.again ? 'connect_failed' : 'auth_failed',
    `${where} closed the connection while ${user} was logging in ${tried}`,
    {
      cause: error,
      output,
      hint: output
        ? 'The server’s words are above; its log may say more.'
        : 'Check the server’s log: it may block this address or user.',
    },
  )
}

/** ssh2’s words for a packet that is longer than its limit of 35,000 bytes; OpenSSH’s is 256 KiB. */
const tooLong = 'Bad packet length'

/** Whether the server sent more at once than hostwright’s own SSH can read. */
export const isTooLong = (error: unknown): boolean =>
  isBootstrapError(error) && (error.details.cause as Error | undefined)?.message === tooLong

/** The last lines: a banner comes before the reason of a refusal. */
function endOf(said: string | undefined): string | undefined {
  const text = said?.trim() ?? ''
  const end = text.length <= mostSaid ? text : text.slice(-mostSaid).replace(/^[^\n]*\n/, '')
  return end || undefined
}

const mostSaid = 2000

const categories = [
  ['kex', 'key exchange', 'KexAlgorithms'],
  ['hostKey', 'type of host key', 'HostKeyAlgorithms'],
  ['cipher', 'cipher', 'Ciphers'],
  ['mac', 'MAC', 'MACs'],
] as const

function handshakeError({ error, heard, streamError }: Failure, to: Destination) {
  const { level, message } = error as { level?: string; message: string }
  const where = whereOf(to)
  const says = greetingIn(heard)
  const saying = says === '' ? '' : `, saying ${JSON.stringify(says)}`
  const offered = offeredIn(heard)
  if (!offered && !/(^|\n)SSH-/.test(heard.toString('latin1'))) {
    if (says !== '' && !atTheDoor.test(says)) {
      return new UnreachableError(
        'connect_failed',
        `what listens at ${where} is not an SSH server: it sent ${JSON.stringify(says)}`,
        { cause: error, hint: 'Check ansible_host and ansible_port in the inventory.' },
      )
    }
    return new UnreachableError(
      'connect_failed',
      `can’t connect to ${where}: it closed the connection before the handshake${saying}`,
      {
        cause: error,
        hint: 'It may have too many connections waiting to log in (MaxStartups), or block this address; check its log.',
      },
    )
  }
  if (offered && level === 'handshake') {
    for (const [kind, name, keyword] of categories) {
      const ours = to.target.algorithms?.[kind] ?? kinds[kind].usual
      if (offered[kind].some(each => ours.includes(each))) continue
      const hint = `Check ${keyword} in ~/.ssh/config and in the server’s configuration, or use the system’s ssh (--transport openssh).`
      return nothingInCommon(where, name, offered[kind], { cause: error, hint })
    }
  }
  const reason = streamError ? reasonOf(streamError) : message
  return new UnreachableError(
    'connect_failed',
    `${where} closed the connection during the handshake: ${reason}`,
    { cause: error, hint: 'Check the server’s log; try `ssh` to the same host.' },
  )
}

/**
 * Some names in a list of key exchanges are markers for extensions (RFC 8308, 2.1; PROTOCOL of OpenSSH, 1.9).
 */
const isAlgorithm = (name: string) => !/^(ext-info|kex-strict)-/.test(name)

/**
 * @param name the kind of algorithm that both sides must agree on
 * @param offers the server’s algorithms
 */
export const nothingInCommon = (
  where: string,
  name: string,
  offers: readonly string[],
  details: ErrorDetails,
): UnreachableError =>
  new UnreachableError(
    'no_common_algorithm',
    `${where} has no ${name} in common with hostwright: it offers ${offers.filter(isAlgorithm).join(', ')}`,
    details,
  )

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ENOTFOUND: 'unknown host name',
  EAI_AGAIN: 'the name service did not answer',
  EHOSTUNREACH: 'no route to host',
  ENETUNREACH: 'network unreachable',
  EHOSTDOWN: 'host is down',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection closed',
  ETIMEDOUT: 'no answer',
}

const reasonOf = ({ code, message }: NodeJS.ErrnoException) =>
  (code !== undefined && reasons[code]) || message

function socketError({ error, streamError }: Failure, to: Destination): UnreachableError {
  const cause = (streamError ?? error) as NodeJS.ErrnoException
  const full = outOfFiles(cause)
  if (full) return full
  const where = whereOf(to)
  if (isJumpRefusal(error)) {
    const hint =
      error.jump === 'forbids'
        ? 'The jump host does not allow forwarding: check AllowTcpForwarding in its sshd_config.'
        : 'The jump host could not reach it: ansible_host and ansible_port must be right as seen from there.'
    const said = `can’t connect to ${where}: the jump host says ${JSON.stringify(error.message)}`
    return new UnreachableError('connect_failed', said, { cause, hint })
  }
  const code = cause.code === 'ETIMEDOUT' ? 'connect_timeout' : 'connect_failed'
  return new UnreachableError(code, `can’t connect to ${where}: ${reasonOf(cause)}`, {
    cause,
    hint: 'Check ansible_host and ansible_port in the inventory; try `ssh` to the same host.',
  })
}
