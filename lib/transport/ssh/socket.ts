/** The stream that carries SSH: a TCP connection, or a channel of a jump host. */
import { createConnection, isIP, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SshSettings } from '../config/settings.ts'

/** Our software name in the SSH version string. */
export const software = 'hostwright'

/** A stream that records its first error, even if nobody listened when it happened. */
export type Greeted = Duplex & { failure?: Error }

/**
 * A connection to the first address of a name that accepts it: Node tries them in turn, 250 ms each (RFC
 * 8305; `net.createConnection`, autoSelectFamily).
 */
export function connectTcp({
  address,
  port,
  addressFamily,
}: Pick<SshSettings, 'address' | 'port' | 'addressFamily'>): Duplex {
  const kind = isIP(address)
  // Node applies it to names only.
  if (addressFamily !== undefined && kind !== 0 && kind !== addressFamily) {
    return new Socket().destroy(new Error(`AddressFamily excludes IPv${kind}`))
  }
  const several = { autoSelectFamily: addressFamily === undefined, family: addressFamily }
  // ssh2 leaves Nagle’s algorithm on: each small packet of the handshake would wait 40 ms for the
  // acknowledgement of the previous one.
  return createConnection({ host: address, port, noDelay: true, ...several })
}

/**
 * Sends our version string, so that the server answers with its algorithms while we load a library. ssh2
 * sends it again when it starts, which is dropped.
 */
export function greet(stream: Duplex): Greeted {
  const sock: Greeted = stream
  sock.on('error', error => {
    sock.failure ??= error
  })
  sock.write(`SSH-2.0-${software}\r\n`)
  const write = sock.write.bind(sock) as (chunk: Uint8Array | string) => boolean
  let greeting = true
  let untaken = 0
  sock.write = (chunk: Uint8Array | string) => {
    if (greeting) {
      greeting = false
      return true
    }
    untaken = sock.writableNeedDrain ? untaken + 1 : 0
    if (untaken > mostUntaken) sock.destroy(new Error('the host reads nothing that is sent to it'))
    // ssh2 writes a packet in three pieces; this combines all pending ones.
    if (sock.writableCorked === 0) {
      sock.cork()
      process.nextTick(() => sock.uncork())
    }
    return write(chunk)
  }
  return sock
}

/**
 * How many pieces may wait for a host to read them, three per packet. Data is limited by the windows of its
 * channels, but a host could keep asking and never read our answers.
 */
const mostUntaken = 50_000

/** Enough for a server’s banner and its list of algorithms. */
const heardBytes = 8192

/**
 * Records the first bytes from a server. Call it after ssh2 has started listening, or ssh2 would miss them.
 * @returns what has arrived so far
 */
export function overhear(stream: Duplex): () => Buffer {
  const chunks: Buffer[] = []
  let length = 0
  const take = (chunk: Buffer) => {
    chunks.push(chunk)
    length += chunk.length
    if (length > heardBytes) stream.off('data', take)
  }
  stream.on('data', take)
  return () => Buffer.concat(chunks)
}
