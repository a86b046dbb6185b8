/** A link with a delay: a TCP proxy that passes everything on with a delay in each direction. */
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface Proxy {
  address: string
  port: number
  close(): Promise<void>
}

/**
 * @param to where connections go on to
 * @param delayMs in each direction: half a round trip
 * @param address to listen on; the port is the system's choice
 */
export async function startProxy(
  to: { address: string; port: number },
  delayMs: number,
  address = '127.0.0.1',
): Promise<Proxy> {
  const sockets = new Set<Socket>()
  // Half-open: an end, too, takes its time to the other side.
  const server = createServer({ allowHalfOpen: true, noDelay: true }, near => {
    const far = connect({ host: to.address, port: to.port, allowHalfOpen: true, noDelay: true })
    for (const [from, into] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from)
      from.on('data', chunk => setTimeout(() => into.write(chunk), delayMs))
      from.on('end', () => setTimeout(() => into.end(), delayMs))
      from.on('error', () => setTimeout(() => into.destroy(), delayMs))
      from.on('close', () => sockets.delete(from))
    }
  })
  await new Promise<void>((resolve, reject) => {
    server.on('error', reject)
    server.listen(0, address, resolve)
  })
  return {
    address,
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}
