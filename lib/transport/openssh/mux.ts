/**
 * The control socket of a master `ssh`, in proxy mode: it carries messages of the SSH connection protocol
 * (RFC 4254) in both directions, so one process serves all shells of a host, and no host output passes
 * through a program’s standard streams. (OpenSSH’s PROTOCOL.mux, 1, 8 and 9; OpenSSH 7.4 and later.)
 */
import { createConnection, type Socket } from 'node:net'

/** Messages to and from the host. */
export interface Messages {
  /** Sends a message: its type and its contents. */
  send(type: number, ...parts: readonly Buffer[]): void
  /** Sets the listener for incoming messages, before anything is awaited. */
  onMessage(listener: (type: number, body: Buffer) => void): void
  /** Settles when there will be no more. */
  readonly closed: Promise<void>
  /** Ends the connection, and with it the master. */
  close(): void
}

const hello = 1
const stopListening = 0x10000009
const proxy = 0x1000000f
const isProxy = 0x8000000f
const denied = 0x80000002
const failed = 0x80000003
const version = 4

/** Anything longer is invalid: a packet of SSH has at most 256 KiB (PACKET_MAX_SIZE of OpenSSH). */
const mostBytes = 300 * 1024

export const uint32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

/** A string in SSH’s encoding, with its length first (RFC 4251, 5). */
export const sshString = (text: string): Buffer => {
  const bytes = Buffer.from(text)
  return Buffer.concat([uint32(bytes.length), bytes])
}

const packet = (...parts: readonly Buffer[]) => {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([uint32(length), ...parts])
}

/**
 * Takes over a master: from then on it accepts no other client, its socket is removed, and it ends together
 * with this connection, even if nobody is left to end it.
 * @param path of the socket
 * @throws ENOENT, ECONNREFUSED: nobody listens there (yet); or the master’s own error
 */
export function takeOver(path: string): Promise<Messages> {
  return new Promise((resolve, reject) => {
    const socket = createConnection(path)
    let proxied: ReturnType<typeof messagesOf> | undefined
    const fail = (error: Error) => {
      socket.destroy()
      reject(error)
    }
    socket.on('error', fail)
    socket.on('close', () => fail(new Error('it closed its control socket')))
    socket.on('connect', () => {
      socket.write(
        Buffer.concat([
          packet(uint32(hello), uint32(version)),
          packet(uint32(stopListening), uint32(0)),
          packet(uint32(proxy), uint32(1)),
        ]),
      )
    })
    const begin = (message: Buffer) => {
      const type = message.length < 4 ? 0 : message.readUInt32BE(0)
      if (type === isProxy) {
        socket.off('error', fail)
        proxied = messagesOf(socket)
        resolve(proxied)
      } else if (type === denied || type === failed) {
        fail(new Error(`its control socket answered: ${message.toString('latin1', 12)}`))
      }
    }
    const read = createPacketReader(message => (proxied ? proxied.take(message) : begin(message)))
    socket.on('data', chunk => {
      if (!read(chunk)) socket.destroy()
    })
  })
}

/** @returns a function for incoming bytes; false: they are not packets */
function createPacketReader(take: (message: Buffer) => void): (chunk: Buffer) => boolean {
  let chunks: Buffer[] = []
  let have = 0
  let want = 4
  return chunk => {
    chunks.push(chunk)
    have += chunk.length
    if (have < want) return true
    let rest = chunks.length === 1 ? chunk : Buffer.concat(chunks)
    want = 4
    while (rest.length >= 4) {
      const length = rest.readUInt32BE(0)
      if (length > mostBytes) return false
      want = 4 + length
      if (rest.length < want) break
      take(rest.subarray(4, want))
      rest = rest.subarray(want)
      want = 4
    }
    chunks = [rest]
    have = rest.length
    return true
  }
}

function messagesOf(socket: Socket): Messages & { take(message: Buffer): void } {
  let listener = (_type: number, _body: Buffer) => {}
  socket.on('error', () => {})
  return {
    send: (type, ...parts) => {
      if (socket.destroyed) return
      // Messages of one moment go out together.
      if (socket.writableCorked === 0) {
        socket.cork()
        process.nextTick(() => socket.uncork())
      }
      // The padding length, which is 0, and the type.
      socket.write(packet(Buffer.from([0, type]), ...parts))
    },
    onMessage: heard => {
      listener = heard
    },
    take: message => {
      if (message.length >= 2) listener(message[1]!, message.subarray(2))
    },
    closed: new Promise(resolve => socket.once('close', () => resolve())),
    close: () => socket.destroy(),
  }
}
