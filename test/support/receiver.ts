/** A receiver of callbacks: an HTTP server that records requests. */
import { randomUUID } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { onTestFinished } from 'vitest'

export interface Received {
  headers: Record<string, string>
  body: string
}

/**
 * Each has a URL of its own, also where the system gives a port again: what an earlier test left is not for it.
 * @param answers statuses of the first answers; 204 after them
 */
export async function receiveCallbacks(
  answers: readonly number[] = [],
): Promise<{ url: string; received: Received[] }> {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const status = answers[received.length] ?? 204
    received.push({ headers: request.headers as Record<string, string>, body })
    response.writeHead(status).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/hook/${randomUUID()}`, received }
}
