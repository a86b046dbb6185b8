/** One POST by HTTP, directly or through a proxy. Node's `fetch` knows no proxies before Node 24. */
import {
  request as byHttp,
  type ClientRequest,
  type IncomingMessage,
  type RequestOptions,
  STATUS_CODES,
} from 'node:http'
import { request as byHttps } from 'node:https'
import type { Socket } from 'node:net'
import { connect } from 'node:tls'

export interface Message {
  /** Without a user and a password. */
  url: URL
  headers: Readonly<Record<string, string>>
  body: string
  proxy?: URL
  signal: AbortSignal
}

export interface PostAnswer {
  status: number
  headers: IncomingMessage['headers']
}

/** The proxy would not connect us. */
export class ProxyError extends Error {
  readonly status: number

  constructor(proxy: URL, status: number) {
    super(`the proxy ${proxy.origin} answered ${status} ${STATUS_CODES[status] ?? ''}`.trim())
    this.status = status
  }
}

/**
 * Sends the message; the answer's body is not read.
 * @throws {ProxyError} what the proxy says instead of connecting
 * @throws {Error} with a `code`: the network's error, or TLS's
 */
export async function post(message: Message): Promise<PostAnswer> {
  const { url, proxy, signal, body } = message
  const headers = { ...message.headers, 'content-length': String(Buffer.byteLength(body)) }
  const common = { method: 'POST', headers, signal, agent: false as const }
  if (!proxy) return answerOf((url.protocol === 'https:' ? byHttps : byHttp)(url, common), body)
  if (url.protocol === 'http:') {
    const through = { ...headers, host: url.host, ...authorization(proxy) }
    return answerOf(toProxy(proxy, { ...common, headers: through, path: url.href }), body)
  }
  const tunnel = await openTunnel(url, proxy, signal)
  const name = url.hostname.replace(/^\[|\]$/g, '')
  const createConnection = () =>
    connect({ socket: tunnel, servername: isName(name) ? name : '', host: name })
  // With an agent, Node would connect by itself.
  return answerOf(byHttps(url, { ...common, agent: undefined, createConnection }), body)
}

/** A connection to the URL's host through the proxy (RFC 9110, 9.3.6). */
function openTunnel(url: URL, proxy: URL, signal: AbortSignal): Promise<Socket> {
  const target = `${url.hostname}:${url.port || 443}`
  const headers = { host: target, ...authorization(proxy) }
  const asking = toProxy(proxy, { method: 'CONNECT', path: target, headers, signal, agent: false })
  return new Promise((resolve, reject) => {
    asking.once('connect', ({ statusCode = 0 }, socket: Socket) => {
      if (statusCode >= 200 && statusCode < 300) return resolve(socket)
      socket.destroy()
      reject(new ProxyError(proxy, statusCode))
    })
    // Some answer an error as if it was a common request.
    asking.once('response', ({ statusCode = 0 }) => {
      asking.destroy()
      reject(new ProxyError(proxy, statusCode))
    })
    asking.once('error', reject)
    asking.end()
  })
}

function toProxy(proxy: URL, options: RequestOptions): ClientRequest {
  const { protocol, hostname, port } = proxy
  const host = hostname.replace(/^\[|\]$/g, '')
  return (protocol === 'https:' ? byHttps : byHttp)({ ...options, host, port: port || undefined })
}

function answerOf(asking: ClientRequest, body: string): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    asking.once('response', ({ statusCode = 0, headers }) => {
      // Only the status matters; reading the body would only keep the connection busy.
      asking.destroy()
      resolve({ status: statusCode, headers })
    })
    asking.on('error', reject)
    asking.end(body)
  })
}

const isName = (host: string) => !/^[\d.]+$|:/.test(host)

/** The user and password of a proxy's URL. */
function authorization({ username, password }: URL): Record<string, string> {
  if (!username && !password) return {}
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` }
}
