/** Proxies of callbacks: which one, as curl chooses it, and sending through it. */
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type IncomingMessage } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { deliverCallback } from '../../../lib/callbacks/deliver.ts'
import { messageOf } from '../../../lib/callbacks/document.ts'
import { proxyFor } from '../../../lib/callbacks/proxy.ts'
import { document } from './fake-document.ts'

const run = promisify(execFile)

async function listen(server: ReturnType<typeof createServer>): Promise<number> {
  await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  return (server.address() as AddressInfo).port
}

/** A proxy that notes what it is asked for; every name is this machine. */
async function proxyServer(refusal?: number) {
  const asked: string[] = []
  const logins: (string | undefined)[] = []
  const server = createServer(async (request, response) => {
    asked.push(`${request.method} ${request.url}`)
    logins.push(request.headers['proxy-authorization'])
    await text(request)
    response.writeHead(refusal ?? 204).end()
  })
  server.on('connect', (request: IncomingMessage, client) => {
    asked.push(`CONNECT ${request.url}`)
    logins.push(request.headers['proxy-authorization'])
    client.on('error', () => {})
    if (refusal) return client.end(`HTTP/1.1 ${refusal} No\r\n\r\n`)
    const server = connect(Number(request.url!.split(':').at(-1)), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 OK\r\n\r\n')
      server.pipe(client).pipe(server)
    })
    server.on('error', () => client.destroy())
  })
  return { asked, logins, url: `http://127.0.0.1:${await listen(server)}` }
}

const cases: [url: string, env: Record<string, string>][] = [
  ['http://a.example/', { http_proxy: 'P' }],
  ['http://a.example/', { https_proxy: 'P' }],
  ['http://a.example/', { all_proxy: 'P' }],
  ['http://a.example/', { ALL_PROXY: 'P', no_proxy: 'example' }],
  ['http://a.example/', { http_proxy: 'P', no_proxy: 'b.example' }],
  ['http://a.example/', { http_proxy: 'P', no_proxy: 'b.example, a.example' }],
  ['http://a.example/', { http_proxy: 'P', NO_PROXY: '.example' }],
  ['http://aexample/', { http_proxy: 'P', NO_PROXY: 'example' }],
  ['http://a.example/', { http_proxy: 'P', no_proxy: '*' }],
  ['http://a.example./', { http_proxy: 'P', no_proxy: 'A.example' }],
  ['http://127.0.0.1/', { http_proxy: 'P' }],
  ['http://127.0.0.1/', { http_proxy: 'P', no_proxy: '127.0.0.0/8' }],
  ['http://127.0.0.1/', { http_proxy: 'P', no_proxy: '10.0.0.0/8' }],
  ['http://127.0.0.1/', { http_proxy: 'P', no_proxy: '127.0.0.1' }],
  ['http://127.0.0.1/', { http_proxy: 'P', no_proxy: '0.0.1' }],
  ['http://[::1]/', { http_proxy: 'P', no_proxy: '::1' }],
]

test.each(cases)(
  '%s with %o is asked for as curl does',
  { tags: ['curl'] },
  async (url, wanted) => {
    const proxy = await proxyServer()
    const env = Object.fromEntries(
      Object.entries(wanted).map(([name, value]) => [name, value === 'P' ? proxy.url : value]),
    )
    const path = process.env.PATH!
    await run('curl', ['-q', '-s', '-m', '2', url], { env: { ...env, PATH: path } }).catch(() => {})
    expect(proxyFor(new URL(url), env) !== undefined).toBe(proxy.asked.length > 0)
  },
)

test('a proxy is also named in capitals, for one port, and never by the client of a web server', () => {
  const chosen = (url: string, env: Record<string, string>) => proxyFor(new URL(url), env)?.host
  expect(chosen('https://a/', { HTTPS_PROXY: 'p:3128' })).toBe('p:3128')
  expect(chosen('https://a/', { HTTPS_PROXY: 'p:3128', https_proxy: 'q:1' })).toBe('q:1')
  expect(chosen('http://a/', { HTTP_PROXY: 'p:3128' })).toBe('p:3128')
  expect(chosen('http://a/', { HTTP_PROXY: 'p:3128', REQUEST_METHOD: 'GET' })).toBeUndefined()
  expect(chosen('https://a:8443/', { https_proxy: 'p:1', no_proxy: 'a:8443' })).toBeUndefined()
  expect(chosen('https://a/', { https_proxy: 'p:1', no_proxy: 'a:8443' })).toBe('p:1')
  expect(chosen('https://a/', { https_proxy: 'p:1', no_proxy: 'a:443' })).toBeUndefined()
})

describe('a callback through a proxy', () => {
  const deliver = (url: string, env: Record<string, string>, retries = 0) =>
    deliverCallback({ url, message: messageOf(document), env, retries, minDelayMs: 1 })

  test('goes there by http with the whole URL, and the login of the proxy', async () => {
    const proxy = await proxyServer()
    const login = proxy.url.replace('//', '//me:p%40ss@')
    expect(await deliver('http://hook.invalid/a?b', { http_proxy: login })).toEqual({
      delivered: true,
    })
    expect(proxy.asked).toEqual(['POST http://hook.invalid/a?b'])
    expect(proxy.logins).toEqual([`Basic ${Buffer.from('me:p@ss').toString('base64')}`])
  })

  test('is refused for good by 407, and retried after 503', async () => {
    for (const [status, times] of [
      [407, 1],
      [503, 3],
    ] as const) {
      const proxy = await proxyServer(status)
      const result = await deliver('https://hook.invalid/', { https_proxy: proxy.url }, 2)
      expect(result).toMatchObject({
        delivered: false,
        reason: expect.stringContaining(`the proxy ${proxy.url} answered ${status}`),
      })
      expect(proxy.asked).toEqual(Array(times).fill('CONNECT hook.invalid:443'))
    }
  })

  test('over TLS looks at the receiver’s certificate, and never retries one that is bad', {
    tags: ['openssl'],
  }, async () => {
    const directory = await mkdtemp(join(tmpdir(), 'hw-callback-'))
    onTestFinished(() => rm(directory, { recursive: true, force: true }))
    const request = 'req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=x -addext'
    await run('openssl', [
      ...`${request} subjectAltName=DNS:hook.invalid`.split(' '),
      ...['-keyout', join(directory, 'key'), '-out', join(directory, 'cert')],
    ])
    const [key, cert] = await Promise.all(
      ['key', 'cert'].map(name => readFile(join(directory, name))),
    )
    let received = 0
    const server = createHttpsServer({ key, cert }, (_request, response) => {
      received++
      response.writeHead(204).end()
    })
    const port = await listen(server as never)
    const proxy = await proxyServer()
    const url = `https://hook.invalid:${port}/`
    const bad = await deliver(url, { HTTPS_PROXY: proxy.url }, 3)
    expect(bad).toMatchObject({
      delivered: false,
      reason: expect.stringContaining('its certificate is not trusted'),
    })
    expect(proxy.asked).toEqual([`CONNECT hook.invalid:${port}`])
    expect(received).toBe(0)
    // Trusted, it goes through: in another process, as Node reads its authorities at its start.
    const script = `import { deliverCallback } from ${JSON.stringify(new URL('../../../lib/callbacks/deliver.ts', import.meta.url).href)}
const result = await deliverCallback({ url: process.env.URL, message: { id: 'msg_r', body: '{}' }, env: process.env, retries: 0 })
console.log(JSON.stringify(result))`
    const { stdout } = await run(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', script],
      {
        env: {
          PATH: process.env.PATH,
          URL: url,
          https_proxy: proxy.url,
          NODE_EXTRA_CA_CERTS: join(directory, 'cert'),
        },
      },
    )
    expect(JSON.parse(stdout)).toEqual({ delivered: true })
    expect(received).toBe(1)
  })
})
