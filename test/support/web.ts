/** A web server of one test file, on loopback. */
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll } from 'vitest'

export interface Page {
  body?: string | Buffer
  status?: number
  headers?: Record<string, string>
  /** How much of the body is sent before the connection is cut; default: all. */
  cutAfter?: number
}

export interface Web {
  /** The address of a path. */
  url(path: string): string
  /** What is served by path; to be changed as a test likes. */
  pages: Record<string, Page | ((request: IncomingMessage) => Page)>
  /** `METHOD path` of each request so far. */
  requests: string[]
}

/** To be called in a `describe` or at the top of a file. */
export function webServer(): Web {
  let server: Server
  const pages: Web['pages'] = {}
  const requests: string[] = []
  beforeAll(async () => {
    server = createServer((request, response) => {
      requests.push(`${request.method} ${request.url}`)
      const found = pages[request.url ?? '']
      const page = typeof found === 'function' ? found(request) : (found ?? { status: 404 })
      const body = Buffer.from(page.body ?? '')
      response.writeHead(page.status ?? 200, { 'content-length': body.length, ...page.headers })
      if (page.cutAfter === undefined) return response.end(body)
      response.write(body.subarray(0, page.cutAfter), () => response.destroy())
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  })
  afterAll(async () => {
    server.closeAllConnections()
    await new Promise(resolve => server.close(resolve))
  })
  return {
    url: path => `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    pages,
    requests,
  }
}
