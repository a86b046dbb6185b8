/** Shells on an SSH connection, and why a connection is gone. */
import type { Client, ClientChannel, ExecOptions } from 'ssh2'
import { UnreachableError } from '../../errors.ts'
import { quoteForLogin } from '../../shell/quote.ts'
import type { ShellEnd, ShellStream } from '../transport.ts'

/** Why a connection is gone, once it is. */
export interface Loss {
  reason: string
  closed: boolean
}

/** @param silenceMs how long a host may say nothing before it is given up */
export function watchLoss(connection: Client, silenceMs: number): Loss {
  const lost: Loss = { reason: 'the host closed it', closed: false }
  // node-ssh takes its own listener away once connected; without one a reset ends this process. What
  // comes late (a reset after a refusal) has nobody left to tell.
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
      // It is going, and has not said so yet.
      reject(lostError(lost))
    }
  })
}

/** What OpenSSH and others take is 32 KiB; nobody needs less than this. */
const leastPacketBytes = 256

/**
 * Why nothing can be sent on a channel, where its other end takes next to nothing at a time: of packets
 * without a byte ssh2 would send one after the other, for ever, and this process would do nothing else.
 */
export const crumbsOf = (packetBytes: number): string | undefined =>
  packetBytes >= leastPacketBytes
    ? undefined
    : `the host accepts only ${packetBytes} bytes per packet, too few to work with`

/** How much the other end of a channel takes at a time: ssh2 1.17 keeps that to itself. */
export const packetBytesOf = (channel: object): number =>
  (channel as { outgoing?: { packetSize?: number } }).outgoing?.packetSize ?? leastPacketBytes

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
