/**
 * An HTTP request that a host makes by itself, in the words that `hw_probe_http` (lib/heartbeat/probe.sh)
 * takes. Everything that a client might understand in its own way is decided here, so that the request is the
 * same with any of them.
 */

/** A GET request. */
export interface HttpRequest {
  /** Absolute; without user, password and fragment. */
  url: URL
  /** `Name: value`, in order. */
  headers: readonly string[]
  /** Absolute path on the host of a unix socket to send it to. */
  socket?: string
  /** Absolute path on the host of the certificates of authorities to trust, instead of the host's. */
  ca?: string
}

/** Names of headers that say how the message is sent, which is not up to the author. */
const ownHeaders = /^(connection|content-length|expect|te|trailer|transfer-encoding|upgrade)$/i

/** What is wrong with a header, or undefined. */
export function headerFault(line: string): string | undefined {
  const [, name, value] = /^([^:]*):[\t ]*(.*)$/s.exec(line) ?? []
  if (name === undefined) return `${JSON.stringify(line)} is not a header: Name: value`
  if (!/^[!#$%&'*+.^`|~\w-]+$/.test(name)) return `${JSON.stringify(name)} can’t name a header`
  if (ownHeaders.test(name)) return `the header ${name} is hostwright’s own`
  if (value!.trim() === '') return `the header ${name} has no value`
  // A backslash means something to one client and nothing to another.
  if (/[\0-\x08\x0a-\x1f\x7f\\]/.test(value!))
    return `the header ${name} has a control character or a backslash`
  return undefined
}

/**
 * A request, or undefined if `text` is not the URL of an HTTP server. A user and password in it become a
 * header, as with every client.
 */
export function httpRequest(
  text: string,
  { headers = [], socket, ca }: Partial<Omit<HttpRequest, 'url'>> = {},
): HttpRequest | undefined {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (!url || !/^https?:$/.test(url.protocol)) return undefined
  const login = authorization(url)
  url.username = ''
  url.password = ''
  url.hash = ''
  const given = login && !has(headers, 'authorization') ? [login, ...headers] : headers
  return { url, headers: given, socket, ca }
}

/**
 * The request that a redirect leads to; undefined if that is no URL of HTTP, or a unix socket's redirect to
 * another server. Headers are meant for one server: another does not get them.
 */
export function redirected(request: HttpRequest, location: string): HttpRequest | undefined {
  if (!URL.canParse(location, request.url.href)) return undefined
  const next = httpRequest(new URL(location, request.url).href, request)
  if (!next || next.url.origin === request.url.origin) return next
  return request.socket === undefined ? { ...next, headers: [] } : undefined
}

/** The KEY=VALUE words of the request for `hw_probe_http`, after its URL and the timeout. */
export function httpWords({ url, headers, socket, ca }: HttpRequest) {
  const port = url.port || (url.protocol === 'https:' ? '443' : '80')
  const lines = [
    ...(has(headers, 'host') ? [] : [`Host: ${url.host}`]),
    ...(has(headers, 'user-agent') ? [] : ['User-Agent: hostwright']),
    ...(has(headers, 'accept') ? [] : ['Accept: */*']),
    ...headers,
    'Connection: close',
  ]
  return {
    address: `${url.hostname}:${port}`,
    path: `${url.pathname}${url.search}`,
    headers: lines.join('\n'),
    curl: [`url = ${quoted(url.href)}`, ...lines.map(line => `header = ${quoted(line)}`)].join(
      '\n',
    ),
    socket,
    ca,
  }
}

function authorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined
  const pair = `${decoded(username)}:${decoded(password)}`
  return `Authorization: Basic ${Buffer.from(pair).toString('base64')}`
}

/** Unchanged if it is not encoded properly. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

const has = (headers: readonly string[], name: string) =>
  headers.some(line => line.toLowerCase().startsWith(`${name}:`))

/** As curl's configuration has texts. */
const quoted = (text: string) => `"${text.replaceAll(/["\\]/g, '\\$&')}"`
