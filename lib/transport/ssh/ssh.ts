/** The transport over SSH in this process, with node-ssh (on top of ssh2). */
import type { Duplex } from 'node:stream'
import type { ConnectConfig } from 'ssh2'
import { UnreachableError } from '../../errors.ts'
import type { Debug } from '../../events.ts'
import { kinds } from '../config/algorithms.ts'
import type { SshSettings } from '../config/settings.ts'
import type { Failure } from '../connecting/connect-error.ts'
import { knock, notConnected } from '../connecting/knocking.ts'
import { createLimits, type Deadline, deadlineIn, type Limits } from '../connecting/limits.ts'
import type { Pace } from '../connecting/pacing.ts'
import type { Timeouts } from '../connecting/timeouts.ts'
import type { AgentKeys } from '../login/agent.ts'
import type { Answers } from '../login/answers.ts'
import type { Ssh2 } from '../login/identities.ts'
import type { Keyring } from '../login/keyring.ts'
import { createLogin, type Login } from '../login/login.ts'
import { type LoginWatch, watchLogin } from '../login/login-watch.ts'
import type { ParseKey } from '../login/private-key.ts'
import type { ShellStream } from '../transport.ts'
import { verifyHostKey } from '../trust/host-key.ts'
import { entriesFor, knownHostName, preferKnown } from '../trust/known-hosts.ts'
import type { KnownHosts } from '../trust/known-hosts-files.ts'
import { connectionOf, type SshConnection } from './connection.ts'
import { commandAhead, hasten } from './haste.ts'
import { commandOf, openShell, plainShell, watchLoss } from './shells.ts'
import { connectTcp, type Greeted, greet, overhear, software } from './socket.ts'

export interface SshOptions {
  /** Timeouts of the stages. */
  timeouts: Timeouts
  /** Time for connecting, handshake and authentication together, in milliseconds, retries included. */
  timeoutMs: number
  /** Aborts connecting. */
  signal?: AbortSignal
  /** Adds an unknown host to the known_hosts file. Never accepts a changed key. */
  acceptNew: boolean
  answers: Answers
  /** Opens a stream to the host through a jump host, once per attempt. Default: a socket. */
  through?: Passage
  /** Whether the first shell is a plain `sh`, which may be requested with the login. Default: true. */
  ahead?: boolean
  /** The host has let us in before: a connection that is closed during the login is no refusal. */
  again?: boolean
  /** Called once the handshake has started: for work to do while waiting. */
  meanwhile?: () => void
  /** Reports decisions. */
  debug?: Debug
  shared: SshShared
}

/** The passage to a host behind a jump host. */
export interface Passage {
  /** The jump host, for messages. */
  name: string
  /** @throws {UnreachableError} for the jump host; {JumpRefusal} for what is behind it */
  open(limits: Limits): Promise<Duplex>
}

/** What the connections of a run share. */
export interface SshShared {
  keyring(parse: ParseKey): Keyring
  agentKeys(path: string): Promise<AgentKeys>
  knownHosts: KnownHosts
  /** Limits simultaneous connections to the same server. */
  paceOf(door: string): Pace
}

/** Loading takes time, which a run without SSH hosts need not spend. */
export const loadLibraries = () => Promise.all([import('ssh2'), import('node-ssh')])

/** How much is kept of what a server says before the login is over, in characters. */
const mostSaid = 65_536

/** How long a host may take to agree that the connection closes. */
const lingerMs = 1000

/**
 * Connects and authenticates. A server with too many unauthenticated connections (sshd’s MaxStartups) closes
 * some at random: those are retried until the time is over.
 * @throws {UnreachableError} connect_failed, connect_timeout, handshake_timeout, auth_timeout, auth_failed,
 *   host_key_unknown, host_key_changed, host_key_revoked; the same for a jump host
 * @throws {InterruptedError} by the signal
 */
export async function connectSsh(target: SshSettings, options: SshOptions): Promise<SshConnection> {
  const { timeoutMs, signal, through, shared, debug } = options
  const deadline = deadlineIn(timeoutMs, signal)
  const pace = shared.paceOf(`${through?.name ?? ''} ${target.address}:${target.port}`)
  let hasty = true
  const again = ({ error }: Failure) => {
    if (error !== overhasty) return false
    hasty = false
    debug?.(
      'connect',
      'the login succeeded, but the server ignored what was sent with it: retrying without',
    )
    return true
  }
  return knock(
    () => attempt(target, { ...options, hasty, deadline }),
    { target, through: through?.name, again: options.again },
    { pace, deadline, again, debug },
  )
}

/** The login succeeded, but the server did not accept what was sent with it. */
const overhasty = new Error('the login did not complete')

/** @throws {NotConnected} */
async function attempt(
  target: SshSettings,
  options: SshOptions & { deadline: Deadline; hasty: boolean },
): Promise<SshConnection> {
  const limits = createLimits(options.timeouts, options.deadline)
  const way: SshAttempt = { limits, over: false, heard: () => Buffer.alloc(0) }
  try {
    return await Promise.race([goThrough(way, target, options), limits.over])
  } catch (error) {
    way.over = true
    way.close?.()
    way.sock?.destroy()
    const { stage } = limits
    const { refusal, login, watch, sock, said } = way
    const about = { stage, refusal, login, said, left: watch?.left, streamError: sock?.failure }
    const failure: Failure = { error, heard: way.heard(), ...about }
    throw notConnected(failure)
  } finally {
    limits.end()
  }
}

/** The progress of one attempt. */
interface SshAttempt {
  readonly limits: Limits
  /** Whether nobody waits for it any more. */
  over: boolean
  sock?: Greeted
  login?: Login
  refusal?: UnreachableError
  watch?: LoginWatch
  /** What the server said before the login was over. */
  said?: string
  /** The first bytes from the server. */
  heard(): Buffer
  close?(): void
}

async function goThrough(
  way: SshAttempt,
  target: SshSettings,
  options: SshOptions & { hasty: boolean },
): Promise<SshConnection> {
  const { limits } = way
  const { hasty, meanwhile, shared, answers, debug, through } = options
  const by = through === undefined ? '' : ` through ${through.name}`
  debug?.('connect', `to ${target.address} port ${target.port} as ${target.user}${by}`)
  const opening = openSocket(way, target, options)
  opening.catch(() => {})
  const { default: library } = await import('ssh2')
  const ssh2: Ssh2 = { ...library, parseKey: library.utils.parseKey }
  const login = await createLogin(target, {
    keyring: shared.keyring(ssh2.parseKey),
    agentKeys: shared.agentKeys,
    answers,
    waitFor: limits.waitFor,
    abandon: () => way.watch?.abandon(),
    ssh2,
    debug,
  })
  way.login = login
  const { NodeSSH } = await import('node-ssh')
  const sock = await opening
  if (way.over || sock.destroyed) throw sock.failure ?? new Error('it closed the connection')
  const ssh = new NodeSSH()
  way.close = () => ssh.dispose()
  let ahead: Promise<ShellStream> | undefined
  let forget = () => {}
  const connected = ssh.connect({
    ...configOf(way, target, options),
    sock,
    // The timeouts are ours.
    readyTimeout: 0,
    authHandler: (left: string[] | null, partial: boolean | null, go: (auth: unknown) => void) => {
      // The server ignored what followed a failed login.
      ahead = undefined
      forget()
      const first = left === null && login.begin()
      if (first) return first
      const { watch } = way
      login
        .next(watch?.left ?? left ?? undefined, watch?.partial ?? partial === true)
        .then(go, () => {
          // A timeout or Ctrl-C: `limits` has reported it.
        })
    },
  } as Parameters<typeof ssh.connect>[0])
  const connection = ssh.connection!
  const { aliveIntervalMs, aliveCountMax } = target
  const lost = watchLoss(connection, aliveIntervalMs * aliveCountMax)
  way.watch = watchLogin(connection)
  way.heard = overhear(sock)
  connection.on('banner', text => {
    way.said = `${way.said ?? ''}${text}\n`.slice(-mostSaid)
  })
  connection.once('handshake', ({ kex, serverHostKey, cs }) => {
    limits.enter('auth')
    debug?.('connect', `agreed on ${kex}, ${serverHostKey}, ${cs.cipher}`)
  })
  connection.on('change password', () => {
    const message = `the password of ${target.user} at ${target.address} has expired`
    const hint = 'Log in with `ssh` to set a new one.'
    connection.emit('error', new UnreachableError('auth_failed', message, { hint }))
  })
  const signed = () => {
    ahead = openShell(connection, plainShell, lost)
    ahead.catch(() => {})
    forget = commandAhead(connection, commandOf(plainShell))
  }
  const opensAhead = hasty && login.ahead && options.ahead !== false
  hasten(connection, { login: login.early, signed: opensAhead ? signed : undefined })
  meanwhile?.()
  await connected
  login.done()
  await ahead?.catch(() => {
    throw overhasty
  })
  return connectionOf(connection, lost, ahead, () => {
    ssh.dispose()
    // Nothing more is needed: don’t wait for the host to close. A host that reads nothing would keep the
    // socket open, and this process alive.
    sock.end()
    setTimeout(() => sock.destroy(), lingerMs).unref()
  })
}

async function openSocket(way: SshAttempt, target: SshSettings, { through }: SshOptions) {
  const { limits } = way
  if (!through) {
    const socket = connectTcp(target)
    socket.once('connect', () => limits.enter('handshake'))
    way.sock = greet(socket)
    return way.sock
  }
  const channel = await through.open(limits)
  if (way.over) channel.destroy()
  else limits.enter('handshake')
  way.sock = greet(channel)
  return way.sock
}

function configOf(way: SshAttempt, target: SshSettings, options: SshOptions): ConnectConfig {
  const { address, port, algorithms, aliveIntervalMs, aliveCountMax } = target
  const { acceptNew, shared, debug } = options
  const name = knownHostName(address, port, target.hostKeyAlias)
  const files = [...target.userKnownHostsFiles, ...target.globalKnownHostsFiles]
  const entries = shared.knownHosts(files)
  const hostKeys = preferKnown(
    algorithms?.hostKey ?? kinds.hostKey.usual,
    entriesFor(entries, name),
  )
  return {
    host: address,
    port,
    username: target.user,
    ident: software,
    // ssh2 gives up one request later than its count; we give up at the count.
    keepaliveInterval: (aliveIntervalMs * aliveCountMax) / (aliveCountMax + 1),
    keepaliveCountMax: aliveCountMax,
    algorithms: {
      ...(algorithms && { kex: algorithms.kex, cipher: algorithms.cipher, hmac: algorithms.mac }),
      serverHostKey: hostKeys,
      // With compression, a small packet could expand to any size, even before the login.
      compress: ['none'],
    } as ConnectConfig['algorithms'],
    hostVerifier: (key: Buffer) => {
      const known = { entries, name, key, acceptNew, debug }
      const file = target.userKnownHostsFiles[0]
      const how = { file, hash: target.hashKnownHosts, insecure: target.insecureHostKey }
      way.refusal = verifyHostKey({ ...known, ...how })
      return way.refusal === undefined
    },
  }
}
