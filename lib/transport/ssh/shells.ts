/** Shells on an SSH connection, and why a connection was lost. */
import type { Client, ClientChannel, ExecOptions } from 'ssh2'
import { UnreachableError } from '../../errors.ts'
import { quoteForLogin } from '../../shell/quote.ts'
import type { ShellEnd, ShellStream } from '../transport.ts'

/** Why a connection was lost, once it is. */
export interface Loss {
  reason: string
  closed: boolean
}

/** @param silenceMs how long a host may be silent before it is given up */
export function watchLoss(connection: Client, silenceMs: number): Loss {
  const lost: Loss = { reason: 'the host closed it', closed: false }
  // node-ssh removes its own listener once connected; without one, a reset would end this process. Nobody is
  // left to receive later errors (a reset after a refusal).
  connection.on('error', error => {
    lost.reason = reasonOf(error, silenceMs)
  })
  connection.on('close', () => {
    lost.closed = true
  })
  return lost
}

function reasonOf(
  { level, code, message }: Error & { level?: string; code?: unknown },
  silenceMs: number,
): string {
  if (level === 'client-timeout') {
    return `the host stopped answering: nothing received for ${silenceMs / 1000} s`
  }
  const known = typeof code === 'string' ? socketReasons[code] : undefined
  return known ?? message
}

const socketReasons: Readonly<Record<string, string>> = {
  ECONNRESET: 'it was reset',
  EPIPE: 'the host closed it',
  ETIMEDOUT: 'the host stopped answering',
  EHOSTUNREACH: 'there is no longer a route to the host',
  ENETUNREACH: 'the host’s network is no longer reachable',
}

export const lostError = ({ reason }: Loss): UnreachableError =>
  new UnreachableError('connection_lost', `the connection was lost: ${reason}`)

export const plainShell: readonly string[] = ['sh']

/** `exec` works in every login shell, and leaves one process instead of two. */
export const commandOf = (words: readonly string[]): string => `exec ${quoteForLogin(words)}`

/** @throws {UnreachableError} connection_lost; shell_failed: the host refuses a channel, or the command */
export function openShell(
  connection: Client,
  command: readonly string[],
  lost: Loss,
  options: ExecOptions = {},
): Promise<ShellStream> {
  const line = commandOf(command)
  return new Promise((resolve, reject) => {
    if (lost.closed) return reject(lostError(lost))
    const opened = (cause: Error | undefined, channel: ClientChannel) => {
      if (cause && lost.closed) return reject(lostError(lost))
      if (cause) {
        const message = `the host refused a channel: ${cause.message}`
        return reject(new UnreachableError('shell_failed', message, { cause }))
      }
      const crumbs = crumbsOf(packetBytesOf(channel))
      if (crumbs) {
        channel.close()
        return reject(new UnreachableError('shell_failed', crumbs))
      }
      resolve({
        stdin: channel,
        stdout: channel,
        stderr: channel.stderr,
        nudge: () => channel.write('\n'),
        ended: channelEnd(channel, () => lost.reason),
      })
    }
    try {
      connection.exec(line, options, opened)
    } catch {
      // It is closing, but has not reported it yet.
      reject(lostError(lost))
    }
  })
}

/** OpenSSH and others accept 32 KiB; nobody needs less than this. */
const leastPacketBytes = 256

/**
 * Why nothing can be sent on a channel whose peer accepts almost nothing per packet: ssh2 would send empty
 * packets in an endless loop.
 */
export const crumbsOf = (packetBytes: number): string | undefined =>
  packetBytes >= leastPacketBytes
    ? undefined
    : `the host accepts only ${packetBytes} bytes per packet, too few to work with`

/** How much the peer of a channel accepts per packet: ssh2 1.17 does not expose it. */
export const packetBytesOf = (channel: object): number =>
  (channel as { outgoing?: { packetSize?: number } }).outgoing?.packetSize ?? leastPacketBytes

/** If a channel closes without an exit status, its connection was lost. */
function channelEnd(channel: ClientChannel, reason: () => string): Promise<ShellEnd> {
  return new Promise(settle => {
    let end: ShellEnd | undefined
    channel.on('exit', (code: number | null, signal?: string) => {
      end = { lost: false, code, signal: signal ?? null }
    })
    channel.on('close', () => {
      const settled = () => settle(end ?? { lost: true, reason: reason() })
      // It closes with the end of standard output; standard error may still have to be read.
      if (channel.stderr.readableEnded || channel.stderr.destroyed) settled()
      else channel.stderr.once('end', settled)
    })
  })
}
