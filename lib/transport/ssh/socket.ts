/** The stream that SSH is spoken over: a TCP connection, or a channel of a jump host. */
import { createConnection, isIP, Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import type { SshSettings } from '../config/settings.ts'

/** What we call ourselves: SSH begins with it. */
export const software = 'hostwright'

/** A stream whose first error is known, also if nobody listened when it came. */
export type Greeted = Duplex & { failure?: Error }

/**
 * A connection to the first of a name’s addresses that takes one: Node tries them by turns of 250 ms
 * (RFC 8305; `net.createConnection`, autoSelectFamily).
 */
export function connectTcp({
  address,
  port,
  addressFamily,
}: Pick<SshSettings, 'address' | 'port' | 'addressFamily'>): Duplex {
  const kind = isIP(address)
  // Node heeds it for names only.
  if (addressFamily !== undefined && kind !== 0 && kind !== addressFamily) {
    return new Socket().destroy(new Error(`AddressFamily excludes IPv${kind}`))
  }
  const several = { autoSelectFamily: addressFamily === undefined, family: addressFamily }
  // ssh2 leaves Nagle's algorithm on: each small packet of the handshake would wait 40 ms for the
  // acknowledgement of the one before it.
  return createConnection({ host: address, port, noDelay: true, ...several })
}

/**
 * Says who we are: the server answers with what it can do, while we load a library. ssh2 says the same when
 * it begins, and that goes nowhere.
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
    // ssh2 writes a packet in three pieces; all that it has to say now is one.
    if (sock.writableCorked === 0) {
      sock.cork()
      process.nextTick(() => sock.uncork())
    }
    return write(chunk)
  }
  return sock
}

/**
 * How many pieces may wait for a host to take them, three a packet. Of data there are no more than fit into
 * the windows of its channels; but it may ask and ask, and leave all answers to us.
 */
const mostUntaken = 50_000

/** Enough for a server’s greeting and the list of what it can do. */
const heardBytes = 8192

/**
 * Keeps the first that a server says. Call it when ssh2 listens already, or what comes is lost to it.
 * @returns what came so far
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
