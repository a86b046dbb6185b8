/** An established SSH connection: shells on it, and streams through it to hosts behind it. */
import type { Duplex } from 'node:stream'
import type { Client } from 'ssh2'
import type { JumpRefusal } from '../connecting/connect-error.ts'
import type { ShellStream, Transport } from '../transport.ts'
import { crumbsOf, type Loss, lostError, openShell, packetBytesOf, plainShell } from './shells.ts'

/** An authenticated connection. */
export interface SshConnection extends Transport {
  /**
   * A stream from the host to an address, which the host resolves itself.
   * @throws {UnreachableError} connection_lost; {JumpRefusal}
   */
  forward(address: string, port: number): Promise<Duplex>
  /** Called when the connection is lost. */
  onLost(listener: () => void): void
}

/** @param ahead the first shell, if it was requested with the login */
export function connectionOf(
  connection: Client,
  lost: Loss,
  ahead: Promise<ShellStream> | undefined,
  close: () => void,
): SshConnection {
  return {
    kind: 'ssh',
    open: command => {
      const first = command ? undefined : ahead
      if (first) ahead = undefined
      return first ?? openShell(connection, command ?? plainShell, lost)
    },
    openTerminal: command => openShell(connection, command, lost, { pty: true }),
    forward: (address, port) => forward(connection, lost, address, port),
    onLost: listener => {
      if (lost.closed) listener()
      else connection.on('close', listener)
    },
    close,
  }
}

/** SSH_OPEN_ADMINISTRATIVELY_PROHIBITED (RFC 4254, 5.1). */
const prohibited = 1

function forward(connection: Client, lost: Loss, address: string, port: number): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    if (lost.closed) return reject(lostError(lost))
    const opened = (error: Error | undefined, channel: Duplex) => {
      if (!error) {
        const crumbs = crumbsOf(packetBytesOf(channel))
        if (crumbs === undefined) return resolve(channel)
        channel.destroy()
        return reject(Object.assign(new Error(crumbs), { jump: 'fails' as const }))
      }
      if (lost.closed) return reject(lostError(lost))
      const { reason } = error as { reason?: unknown }
      const jump: JumpRefusal['jump'] = reason === prohibited ? 'forbids' : 'fails'
      const said = error.message.replace(/^\(SSH\) Channel open failure: /, '')
      reject(Object.assign(new Error(said), { jump }))
    }
    try {
      // The origin is private; OpenSSH sends the same.
      connection.forwardOut('127.0.0.1', 0, address, port, opened)
    } catch {
      reject(lostError(lost))
    }
  })
}
