/** The transport by SSH in this process (node-ssh over ssh2). The only module that knows them. */
import { createConnection, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { Client, ClientChannel, ConnectConfig, ExecOptions } from 'ssh2'
import { InterruptedError, UnreachableError } from '../errors.ts'
import { quoteForLogin } from '../shell/quote.ts'
import type { Answers } from './answers.ts'
import { commandAhead, hasten } from './haste.ts'
import { verifyHostKey } from './host-key.ts'
import { entriesFor, knownHostName, parseKnownHosts, preferKnown } from './known-hosts.ts'
import { findLogin, type Login } from './login.ts'
import type { SshSettings } from './settings.ts'
import { readIfThere } from './text-file.ts'
import type { Timeouts } from './timeouts.ts'
import type { ShellEnd, ShellStream, Transport } from './transport.ts'

export interface SshOptions {
  /** Limits of the parts. */
  timeouts: Timeouts
  /** Time for connecting, handshake and authentication together, in milliseconds, retries included. */
  timeoutMs: number
  /** Ends the connecting. */
  signal?: AbortSignal
  /** Adds a host that is not known yet to the known_hosts file. Never accepts a changed key. */
  acceptNew: boolean
  answers: Answers
  /** A stream to the host through a jump host; each attempt wants a new one. Default: a socket. */
  through?: () => Promise<Duplex>
  /** Called once the handshake is under way: for work that the time of waiting is good for. */
  meanwhile?: () => void
}

/** ssh2's own order of preference. */
const hostKeyAlgorithms = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
  'ssh-rsa',
]

/** How long a host whose connection is given up may take to agree. */
const lingerMs = 1000

/**
 * Connects and authenticates. A server that has too many connections at its door (sshd's MaxStartups)
 * closes some at random: those knock again.
 * @throws {UnreachableError} host_key_unknown, host_key_changed, auth_failed, connect_timeout,
 *   connect_failed
 * @throws {InterruptedError} by the signal
 */
export async function connectSsh(target: SshSettings, options: SshOptions): Promise<Transport> {
  const { timeoutMs, signal } = options
  const deadline = Date.now() + timeoutMs
  const name = knownHostName(target.address, target.port)
  const files = [...target.userKnownHostsFiles, ...target.globalKnownHostsFiles]
  const entries = files.flatMap(file => parseKnownHosts(readIfThere(file), file))
  let presented = false
  let refusal: UnreachableError | undefined
  const config: ConnectConfig = {
    host: target.address,
    port: target.port,
    username: target.user,
    ident: software,
    keepaliveInterval: target.aliveIntervalMs,
    keepaliveCountMax: target.aliveCountMax,
    algorithms: {
      serverHostKey: preferKnown(hostKeyAlgorithms, entriesFor(entries, name)) as never,
    },
    hostVerifier: (key: Buffer) => {
      presented = true
      refusal = verifyHostKey({
        entries,
        name,
        key,
        file: target.userKnownHostsFiles[0],
        acceptNew: options.acceptNew,
        hash: target.hashKnownHosts,
        insecure: target.insecureHostKey,
      })
      return refusal === undefined
    },
  }
  let login: Promise<Login> | undefined
  const problems: string[] = []
  let hasty = true
  for (let pause = 100; ; pause = Math.min(2 * pause, 2000)) {
    const sock = greet(target)
    try {
      login ??= findLogin(config.username!, target, problems)
      return await attempt(config, sock, await login, { ...options, deadline, hasty })
    } catch (error) {
      sock.destroy()
      if (signal?.aborted) throw interrupted()
      if (error === overhasty && Date.now() < deadline) {
        hasty = false
        continue
      }
      // At random, so that those who were turned away together do not come back together.
      const wait = pause * (0.5 + Math.random())
      const again = !presented && isTurnedAway(error) && Date.now() + wait < deadline
      if (!again) throw refusal ?? connectError(error, target, options, problems)
      await delay(wait, undefined, { signal }).catch(() => {
        throw interrupted()
      })
    }
  }
}

const interrupted = () => new InterruptedError('interrupted', 'interrupted while connecting')

/** The server let us in, and then did not take what was sent with the login. */
const overhasty = Object.assign(new Error('nothing came of the login'), { level: 'client-timeout' })

/** What ssh2 says, which has no code for it, when a server closes instead of naming itself. */
const closedUnnamed = 'Connection lost before handshake'

function isTurnedAway(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string }
  return code === 'ECONNRESET' || code === 'EPIPE' || message === closedUnnamed
}

/** What we call ourselves: SSH begins with it. */
const software = 'hostwright'

/** A socket whose first error is known, also if nobody listened when it came. */
interface Greeted extends Socket {
  failure?: Error
}

/**
 * Connects, and says who we are: the server answers with what it can do, while we load a library. ssh2
 * says the same when it begins, and that goes nowhere.
 */
function greet({ address, port }: SshSettings): Greeted {
  // ssh2 leaves Nagle's algorithm on: each small packet of the handshake would wait 40 ms for the
  // acknowledgement of the one before it.
  const sock: Greeted = createConnection({ host: address, port, noDelay: true })
  sock.on('error', error => {
    sock.failure ??= error
  })
  sock.write(`SSH-2.0-${software}\r\n`)
  const write = sock.write.bind(sock)
  let greeting = true
  sock.write = (chunk: Uint8Array | string) => {
    if (greeting) {
      greeting = false
      return true
    }
    // ssh2 writes a packet in three pieces; all that it has to say now is one.
    if (sock.writableCorked === 0) {
      sock.cork()
      process.nextTick(() => sock.uncork())
    }
    return write(chunk)
  }
  return sock
}

async function attempt(
  config: ConnectConfig,
  sock: Greeted,
  { methods, early, ahead: opensAhead }: Login,
  { signal, deadline, hasty, meanwhile }: SshOptions & { deadline: number; hasty: boolean },
): Promise<Transport> {
  const stop = () => sock.destroy()
  signal?.throwIfAborted()
  signal?.addEventListener('abort', stop)
  const { NodeSSH } = await import('node-ssh')
  const ssh = new NodeSSH()
  const rest = [...methods]
  let ahead: Promise<ShellStream> | undefined
  let forget = () => {}
  let timer: NodeJS.Timeout | undefined
  try {
    if (sock.destroyed) throw sock.failure ?? new Error(closedUnnamed)
    const connected = ssh.connect({
      ...config,
      sock,
      // 0 would be no limit.
      readyTimeout: Math.max(1, deadline - Date.now()),
      authHandler: () => {
        // What was sent behind a login that failed was not heard.
        ahead = undefined
        forget()
        return rest.shift() ?? false
      },
    } as Parameters<typeof ssh.connect>[0])
    const connection = ssh.connection!
    const lost = watch(connection)
    const signed = () => {
      ahead = openShell(connection, plainShell, lost)
      ahead.catch(() => {})
      forget = commandAhead(connection, commandOf(plainShell))
    }
    hasten(connection, { login: early, signed: hasty && opensAhead ? signed : undefined })
    meanwhile?.()
    await connected
    // ssh2's own limit ends with the login.
    timer = setTimeout(stop, Math.max(1, deadline - Date.now()))
    await ahead?.catch(() => {
      throw overhasty
    })
    return createTransport(connection, lost, ahead, () => {
      ssh.dispose()
      // All is said: nobody waits for the host's goodbye. One that takes nothing any more would keep
      // the socket open, and with it this process.
      sock.destroySoon()
      setTimeout(stop, lingerMs).unref()
    })
  } catch (error) {
    ssh.dispose()
    throw error
  } finally {
    clearTimeout(timer)
    signal?.removeEventListener('abort', stop)
  }
}

/** Why a connection is gone, once it is. */
interface Loss {
  reason: string
  closed: boolean
}

function watch(connection: Client): Loss {
  const lost = { reason: 'the host closed it', closed: false }
  // node-ssh takes its own listener away once connected; without one a reset ends this process. What
  // comes late (a reset after a refusal) has nobody left to tell.
  connection.on('error', error => {
    lost.reason = error.message
  })
  connection.on('close', () => {
    lost.closed = true
  })
  return lost
}

/** @param ahead the first shell, where it was asked for with the login */
function createTransport(
  connection: Client,
  lost: Loss,
  ahead: Promise<ShellStream> | undefined,
  close: () => void,
): Transport {
  return {
    kind: 'ssh',
    open: command => {
      const first = command ? undefined : ahead
      if (first) ahead = undefined
      return first ?? openShell(connection, command ?? plainShell, lost)
    },
    openTerminal: command => openShell(connection, command, lost, { pty: true }),
    close,
  }
}

const plainShell: readonly string[] = ['sh']

/** `exec` works in every login shell, and leaves one process instead of two. */
const commandOf = (words: readonly string[]) => `exec ${quoteForLogin(words)}`

function openShell(
  connection: Client,
  command: readonly string[],
  lost: Loss,
  options: ExecOptions = {},
) {
  return new Promise<ShellStream>((resolve, reject) => {
    if (lost.closed) {
      return reject(
        new UnreachableError('connection_lost', `the connection was lost: ${lost.reason}`),
      )
    }
    connection.exec(commandOf(command), options, (cause, channel) => {
      if (cause) {
        return reject(
          new UnreachableError('shell_failed', `the host refused a channel: ${cause.message}`, {
            cause,
          }),
        )
      }
      resolve({
        stdin: channel,
        stdout: channel,
        stderr: channel.stderr,
        nudge: () => channel.write('\n'),
        ended: channelEnd(channel, () => lost.reason),
      })
    })
  })
}

/** A channel that closes without an exit status did not end: its connection did. */
function channelEnd(channel: ClientChannel, reason: () => string): Promise<ShellEnd> {
  return new Promise(settle => {
    let end: ShellEnd | undefined
    channel.on('exit', (code: number | null, signal?: string) => {
      end = { lost: false, code, signal: signal ?? null }
    })
    channel.on('close', () => settle(end ?? { lost: true, reason: reason() }))
  })
}

function connectError(
  error: unknown,
  target: SshSettings,
  options: SshOptions,
  problems: string[],
) {
  const { level, code, message } = error as { level?: string; code?: string; message: string }
  const where = `${target.address} port ${target.port}`
  if (level === 'client-authentication') {
    const tried = problems.length > 0 ? ` (${problems.join('; ')})` : ''
    const { user } = target
    return new UnreachableError(
      'auth_failed',
      `${where} accepts none of our keys for ${user}${tried}`,
      {
        cause: error,
        hint: 'See ansible_user and ansible_ssh_private_key_file in the inventory, and `ssh-add -l`.',
      },
    )
  }
  if (level === 'client-timeout' || code === 'ETIMEDOUT') {
    return new UnreachableError(
      'connect_timeout',
      `${where} was not ready within ${options.timeoutMs / 1000} s`,
      {
        cause: error,
        hint: 'See whether the host is up and the port is open; --timeout gives it longer.',
      },
    )
  }
  const reasons: Record<string, string> = {
    ECONNREFUSED: 'nothing listens there',
    ENOTFOUND: 'there is no such name',
    EAI_AGAIN: 'the name service does not answer',
    EHOSTUNREACH: 'there is no way to that host',
    ENETUNREACH: 'there is no way to that network',
    ECONNRESET: 'it reset the connection',
  }
  const reason =
    message === closedUnnamed
      ? 'it closes connections before the handshake'
      : ((code && reasons[code]) ?? message)
  return new UnreachableError('connect_failed', `can’t connect to ${where}: ${reason}`, {
    cause: error,
    hint: 'See ansible_host and ansible_port in the inventory; try `ssh` to the same host.',
  })
}
