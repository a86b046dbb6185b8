/** The transport by SSH in this process (node-ssh over ssh2). The only module that knows them. */
import { appendFileSync, mkdirSync, readFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { homedir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { NodeSSH } from 'node-ssh'
import type { AnyAuthMethod, Client, ClientChannel, ConnectConfig } from 'ssh2'
import ssh2 from 'ssh2'
import { InterruptedError, UnreachableError } from '../errors.ts'
import { quoteAll } from '../shell/quote.ts'
import { agentProblem } from './agent.ts'
import {
  checkHostKey,
  entriesFor,
  fingerprint,
  type KnownHost,
  keyType,
  knownHostLine,
  knownHostName,
  parseKnownHosts,
  preferKnown,
} from './known-hosts.ts'
import type { ShellEnd, ShellStream, Transport } from './transport.ts'

export interface SshTarget {
  address: string
  port: number
  /** Default: who runs this process. */
  user?: string
  /** Tried first. Default: the agent, then the usual files in ~/.ssh. */
  privateKeyFile?: string
  /** Default: ~/.ssh/known_hosts, and the machine's. */
  knownHostsFile?: string
}

export interface SshOptions {
  /** Time for connecting, handshake and authentication together. */
  timeoutMs: number
  /** Ends the connecting. */
  signal?: AbortSignal
  /** Adds a host that is not known yet to the known_hosts file. Never accepts a changed key. */
  acceptNew: boolean
}

/** A dead connection shows after 15 s × 3, as with `ServerAliveInterval 15`. */
const keepaliveMs = 15_000

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
export async function connectSsh(target: SshTarget, options: SshOptions): Promise<Transport> {
  const { timeoutMs, signal } = options
  const deadline = Date.now() + timeoutMs
  const name = knownHostName(target.address, target.port)
  const files = knownHostsFiles(target)
  const entries = files.flatMap(file => parseKnownHosts(readIfThere(file), file))
  let presented = false
  let refusal: UnreachableError | undefined
  const config: ConnectConfig = {
    host: target.address,
    port: target.port,
    username: target.user ?? userInfo().username,
    keepaliveInterval: keepaliveMs,
    keepaliveCountMax: 3,
    algorithms: {
      serverHostKey: preferKnown(hostKeyAlgorithms, entriesFor(entries, name)) as never,
    },
    hostVerifier: (key: Buffer) => {
      presented = true
      refusal = verify({ entries, name, key, file: files[0]!, acceptNew: options.acceptNew })
      return refusal === undefined
    },
  }
  const { methods, problems } = await authMethods(config.username!, target)
  // ssh2 takes a plain list; its types want a tuple of one kind.
  config.authHandler = methods as never
  for (let pause = 100; ; pause = Math.min(2 * pause, 2000)) {
    try {
      // 0 would be no limit.
      const readyTimeout = Math.max(1, deadline - Date.now())
      return await attempt({ ...config, readyTimeout }, signal)
    } catch (error) {
      if (signal?.aborted) throw interrupted()
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

/** What ssh2 says, which has no code for it, when a server closes instead of naming itself. */
const closedUnnamed = 'Connection lost before handshake'

function isTurnedAway(error: unknown): boolean {
  const { code, message } = error as { code?: string; message?: string }
  return code === 'ECONNRESET' || code === 'EPIPE' || message === closedUnnamed
}

async function attempt(config: ConnectConfig, signal?: AbortSignal): Promise<Transport> {
  signal?.throwIfAborted()
  const ssh = new NodeSSH()
  // ssh2 leaves Nagle's algorithm on: each small packet of the handshake would wait 40 ms for the
  // acknowledgement of the one before it.
  const sock = createConnection({ host: config.host!, port: config.port!, noDelay: true })
  const stop = () => sock.destroy()
  signal?.addEventListener('abort', stop)
  try {
    await ssh.connect({ ...config, sock } as Parameters<NodeSSH['connect']>[0])
  } catch (error) {
    // Whatever comes late (a reset after a refusal) has nobody left to tell.
    ssh.connection?.on('error', () => {})
    ssh.dispose()
    throw error
  } finally {
    signal?.removeEventListener('abort', stop)
  }
  return createTransport(ssh.connection!, () => {
    ssh.dispose()
    // A host that is silent would keep the socket open, and with it this process.
    setTimeout(stop, lingerMs).unref()
  })
}

function createTransport(connection: Client, close: () => void): Transport {
  // node-ssh takes its own listener away once connected; without one a reset ends this process.
  let lost = 'the host closed it'
  let closed = false
  connection.on('error', error => {
    lost = error.message
  })
  connection.on('close', () => {
    closed = true
  })
  return {
    kind: 'ssh',
    open: (command = ['sh']) =>
      new Promise<ShellStream>((resolve, reject) => {
        if (closed) {
          return reject(new UnreachableError('connection_lost', `the connection was lost: ${lost}`))
        }
        // `exec` works in every login shell, and leaves one process instead of two.
        connection.exec(`exec ${quoteAll(command)}`, (cause, channel) => {
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
            ended: channelEnd(channel, () => lost),
          })
        })
      }),
    close,
  }
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

interface Presented {
  entries: readonly KnownHost[]
  name: string
  key: Buffer
  /** Where a new key is written. */
  file: string
  acceptNew: boolean
}

/** The reason to refuse the key, if there is one. */
function verify({ entries, name, key, file, acceptNew }: Presented): UnreachableError | undefined {
  const shown = `${keyType(key)} ${fingerprint(key)}`
  const result = checkHostKey(entries, name, key)
  switch (result.verdict) {
    case 'known':
      return undefined
    case 'unknown':
      if (!acceptNew) {
        return new UnreachableError(
          'host_key_unknown',
          `the host key of ${name} is not known: ${shown}`,
          {
            hint: `Compare the fingerprint with the host's own (ssh-keygen -lf /etc/ssh/ssh_host_*_key.pub), then run again with --accept-new to add it to ${file}.`,
          },
        )
      }
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
      appendFileSync(file, lineBreakBefore(readIfThere(file)) + knownHostLine(name, key), {
        mode: 0o600,
      })
      return undefined
    case 'changed': {
      const { known } = result
      const before = known
        .map(entry => `${entry.type} ${fingerprint(entry.key)} (${entry.at})`)
        .join(', ')
      return new UnreachableError(
        'host_key_changed',
        `the host key of ${name} has CHANGED: it is ${shown}, known is ${before}`,
        {
          hint: `Somebody may be in between. If the host was really set up anew: ssh-keygen -R '${name}' -f ${known[0]!.at.replace(/:\d+$/, '')}, then --accept-new.`,
        },
      )
    }
    case 'revoked':
      return new UnreachableError(
        'host_key_changed',
        `the host key of ${name} is revoked: ${shown} (${result.known[0]!.at})`,
        {
          hint: 'The key was given up as stolen or lost: give the host a new one.',
        },
      )
  }
}

const lineBreakBefore = (text: string) => (text === '' || text.endsWith('\n') ? '' : '\n')

function knownHostsFiles(target: SshTarget): string[] {
  if (target.knownHostsFile) return [target.knownHostsFile]
  const own = join(homedir(), '.ssh')
  return [join(own, 'known_hosts'), join(own, 'known_hosts2'), '/etc/ssh/ssh_known_hosts']
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}

/**
 * Ways to authenticate, in order: the inventory's key, the agent, the usual keys. `none` is not asked:
 * it costs a round trip and tells nothing we need.
 */
async function authMethods(
  username: string,
  target: SshTarget,
): Promise<{ methods: AnyAuthMethod[]; problems: string[] }> {
  const methods: AnyAuthMethod[] = []
  const problems: string[] = []
  const addKey = (file: string, required: boolean) => {
    const text = readIfThere(file)
    if (text === '') {
      if (required) problems.push(`can’t read ${file}`)
      return
    }
    const key = ssh2.utils.parseKey(text)
    if (key instanceof Error) problems.push(`${file}: ${key.message}`)
    else methods.push({ type: 'publickey', username, key: text })
  }
  if (target.privateKeyFile) addKey(target.privateKeyFile, true)
  const agent = process.env.SSH_AUTH_SOCK
  if (agent) {
    const problem = await agentProblem(agent)
    if (problem) problems.push(problem)
    else methods.push({ type: 'agent', username, agent })
  }
  if (!target.privateKeyFile) {
    for (const kind of ['id_ed25519', 'id_ecdsa', 'id_rsa'])
      addKey(join(homedir(), '.ssh', kind), false)
  }
  return { methods, problems }
}

function connectError(error: unknown, target: SshTarget, options: SshOptions, problems: string[]) {
  const { level, code, message } = error as { level?: string; code?: string; message: string }
  const where = `${target.address} port ${target.port}`
  if (level === 'client-authentication') {
    const tried = problems.length > 0 ? ` (${problems.join('; ')})` : ''
    const user = target.user ?? userInfo().username
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
