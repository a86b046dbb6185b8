/** Which proxy a URL is reached by, from the environment, as curl reads it (curl(1), ENVIRONMENT). */
import { BlockList, isIP } from 'node:net'

type Environment = Readonly<Record<string, string | undefined>>

/**
 * The proxy for `url`; undefined if there is none.
 * @throws {Error} the proxy's URL is invalid, or of a kind that callbacks can't use
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const scheme = url.protocol.slice(0, -1)
  // A web server's CGI sets HTTP_PROXY to what its client sent (httpoxy.org).
  const upper =
    scheme === 'http' && env.REQUEST_METHOD ? undefined : env[`${scheme}_proxy`.toUpperCase()]
  const text = env[`${scheme}_proxy`] || upper || env.all_proxy || env.ALL_PROXY
  if (!text || isExempt(url, env.no_proxy || env.NO_PROXY || '')) return undefined
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(text) ? text : `http://${text}`
  if (!URL.canParse(full)) throw new Error('the proxy in the environment is not a URL')
  const proxy = new URL(full)
  if (proxy.protocol === 'http:' || proxy.protocol === 'https:') return proxy
  const kind = proxy.protocol.slice(0, -1)
  throw new Error(
    `callbacks can’t use the ${kind} proxy ${proxy.host} of the environment: set ${scheme}_proxy to an http proxy, or no_proxy`,
  )
}

/** Whether `no_proxy` names the URL's host: by name, suffix, address, network, each maybe with a port; or `*`. */
function isExempt({ hostname, port, protocol }: URL, list: string): boolean {
  const host = bare(hostname)
  const number = port || (protocol === 'https:' ? '443' : '80')
  return list.split(/[\s,]+/).some(entry => {
    if (entry === '*') return true
    const [, name = '', wanted] =
      /^(\[[^\]]*\](?:\/\d+)?|[^:]*|.*:.*:.*?)(?::(\d+))?$/.exec(entry) ?? []
    if (name === '' || (wanted !== undefined && wanted !== number)) return false
    if (isIP(host)) return covers(name, host)
    const suffix = bare(name).replace(/^\*?\./, '')
    return host === suffix || host.endsWith(`.${suffix}`)
  })
}

function covers(entry: string, address: string): boolean {
  const [network = '', bits] = entry.split('/')
  const base = bare(network)
  if (!isIP(base) || isIP(base) !== isIP(address)) return false
  const family = isIP(base) === 6 ? 'ipv6' : 'ipv4'
  const most = family === 'ipv6' ? 128 : 32
  const prefix = bits === undefined ? most : Number(bits)
  if (!(prefix >= 0 && prefix <= most)) return false
  const block = new BlockList()
  block.addSubnet(base, prefix, family)
  return block.check(address, family)
}

/** Without the brackets of an IPv6 address, the dot at the end of a complete name, and capitals. */
const bare = (name: string) =>
  name
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
