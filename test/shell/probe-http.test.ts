/** @module-tag long */
/**
 * The question of a heartbeat by HTTP. It means the same with each client that a host may have, whatever its
 * environment says; what an answer means is what Node's own client makes of it.
 */
import { execFile } from 'node:child_process'
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { createServer as createTlsServer } from 'node:tls'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { Probe } from '../../lib/bootstrap/definitions.ts'
import { askProbe } from '../../lib/heartbeat/probe.ts'
import { words } from '../../lib/session/words.ts'
import { httpRequest, httpWords } from '../../lib/shell/http-request.ts'
import {
  awks,
  describeEach,
  type HostOptions,
  type Row,
  shells,
  temporaryDirectory,
  testEach,
  testHost,
} from '../support/shells.ts'
import { whereIs } from '../support/where-is.ts'

interface Client extends Row {
  programs: readonly string[]
}

const clients: readonly Client[] = [
  { name: 'curl', programs: ['curl'], tags: ['curl'] },
  { name: 'bash', programs: ['bash'], tags: ['bash'] },
  { name: 'nc', programs: ['nc'], tags: ['nc'] },
  { name: 'perl', programs: ['perl'], tags: ['perl'] },
]

const common = 'awk cat head mkdir mkfifo printf rm sh sleep timeout tr'.split(' ')

/** A host that has these clients and no other, and whose configuration would lead each of them astray. */
async function hostWith(programs: readonly string[], options: HostOptions = {}, port = 9) {
  const directory = await temporaryDirectory()
  const bin = `${directory}/bin`
  await mkdir(bin)
  for (const name of [...common, ...programs]) {
    const at = whereIs(name)
    if (at && name !== 'nc') await symlink(at, `${bin}/${name}`)
    else
      await writeFile(`${bin}/${name}`, `#!/bin/sh\nexec ${whereIs('busybox')} ${name} "$@"\n`, {
        mode: 0o755,
      })
  }
  const proxy = `http://127.0.0.1:${port}`
  const configuration = {
    '.curlrc': `proxy = "${proxy}"\nuser-agent = "other"\noutput = "${directory}/stolen"\nlocation\n`,
    '.wgetrc': `http_proxy = ${proxy}\nuse_proxy = on\nuser_agent = other\noutput_document = ${directory}/stolen\n`,
    '.netrc': 'machine 127.0.0.1 login eve password secret\n',
  }
  for (const [name, content] of Object.entries(configuration))
    await writeFile(`${directory}/${name}`, content, { mode: 0o600 })
  const env = {
    HOME: directory,
    CURL_HOME: directory,
    WGETRC: `${directory}/.wgetrc`,
    http_proxy: proxy,
    https_proxy: proxy,
    all_proxy: proxy,
    HTTP_PROXY: proxy,
    ALL_PROXY: proxy,
    no_proxy: '',
  }
  const host = await testHost({ ...options, env, directory })
  // A shell that is busybox's would find programs of its own.
  const setPath = { name: 'eval', args: [`PATH=${bin}`] }
  return {
    ...host,
    ask: async (call: Parameters<typeof host.run>[0]) => (await host.segment([setPath, call]))[1]!,
  }
}

/** A server of raw bytes: `answer` writes to the connection once a request has come. */
async function raw(
  answer: (socket: Socket, head: string) => void,
  at: object = { host: '127.0.0.1', port: 0 },
) {
  const heads: string[] = []
  const sockets = new Set<Socket>()
  const server: Server = createServer({ allowHalfOpen: true }, socket => {
    sockets.add(socket)
    let head = ''
    socket.on('error', () => {})
    // Proxies take half a close for a client that has gone.
    socket.on('end', () => socket.destroy())
    socket.on('data', chunk => {
      head += chunk
      if (!head.endsWith('\r\n\r\n')) return
      heads.push(head)
      answer(socket, head)
    })
  })
  await new Promise<void>(done => server.listen(at, done))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  const address = server.address()
  return { heads, port: typeof address === 'object' ? address!.port : 0 }
}

const callOf = (url: string, more: Parameters<typeof httpRequest>[1] = {}, seconds = '5') => {
  const asked = httpRequest(url, more)!
  return { name: 'hw_probe_http', args: [asked.url.href, seconds, ...words(httpWords(asked))] }
}

/** What Node makes of it: `200\nbody`, or nothing where it is no answer. */
const byNode = (port: number) =>
  new Promise<string | undefined>(resolve => {
    const asked = request({ port, host: '127.0.0.1', path: '/', timeout: 5000 }, response => {
      const { statusCode, headers } = response
      const target = headers.location ? ` ${headers.location}` : ''
      text(response).then(
        body => resolve(`${statusCode}${target}\n${body}`),
        () => resolve(undefined),
      )
    })
    asked.on('error', () => resolve(undefined))
    asked.end()
  })

const ok = 'HTTP/1.1 200 OK\r\n'
const answers: Readonly<Record<string, string>> = {
  'with a length': `${ok}Content-Length: 3\r\n\r\nup\n`,
  'with an empty body': `${ok}X-State: OK\r\nContent-Length: 0\r\n\r\n`,
  'until the connection ends': `${ok}\r\nup\n\n`,
  'without anything after the head': `${ok}\r\n`,
  'of HTTP/1.0': 'HTTP/1.0 200 OK\r\nX: y\r\n\r\nfine',
  'in chunks': `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nup\r\n5;x=y\r\n\r\n4\r\n\r\n0A\r\n0123456789\r\n0\r\nX: y\r\n\r\n`,
  'in no chunks': `${ok}transfer-encoding: Chunked\r\n\r\n0\r\n\r\n`,
  'after interim answers': `HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n${ok}Content-Length: 2\r\n\r\nup`,
  'of an error with a body': 'HTTP/1.1 503 No\r\nContent-Length: 4\r\n\r\ndown',
  'without a reason': 'HTTP/1.1 204\r\n\r\n',
  'of nothing': 'HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n',
  'of a redirect': 'HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 2\r\n\r\ngo',
  'in UTF-8': `${ok}Content-Length: 7\r\n\r\nbéé\r\n`,
  'that is cut off': `${ok}Content-Length: 30\r\n\r\nup`,
  'whose chunks are cut off': `${ok}Transfer-Encoding: chunked\r\n\r\n9\r\nup`,
  'without a last chunk': `${ok}Transfer-Encoding: chunked\r\n\r\n2\r\nup\r\n`,
  'whose head is cut off': `${ok}Content-Le`,
  'that is empty': '',
  'that is not HTTP': 'SSH-2.0-OpenSSH_9.2p1\r\n',
  'of lines and no head': '{"status": "OK"}\n',
}

describeEach(clients, 'a heartbeat by HTTP with $name', ({ programs }) => {
  test.each(Object.entries(answers))('reads an answer %s as Node does', async (_name, answer) => {
    const { port } = await raw(socket => socket.end(answer))
    const proxy = await raw(socket => socket.end(`${ok}\r\nproxy`))
    const host = await hostWith(programs, {}, proxy.port)
    const { status, stdout, code } = await host.ask(callOf(`http://127.0.0.1:${port}/`))
    const node = await byNode(port)
    if (node === undefined)
      expect({ status, code }).toEqual({ status: 'failed', code: 'heartbeat_failed' })
    else expect({ status, answer: stdout.toString() }).toEqual({ status: 'ok', answer: node })
    expect(proxy.heads).toEqual([])
  })

  test('sends the same request', async () => {
    const { port, heads } = await raw(socket => socket.end(answers['with a length']!))
    const host = await hostWith(programs)
    const call = callOf(`http://bob:p%40ss@127.0.0.1:${port}/a[1]/{x}?q=%5B[]&r=\\#part`, {
      headers: ['X-Token: a "b" c', 'Accept: text/plain'],
    })
    expect(await host.ask(call)).toMatchObject({ status: 'ok' })
    const [line, ...lines] = heads[0]!.trimEnd().split('\r\n')
    expect(line).toMatch(
      /^GET \/a(\[1\]|%5B1%5D)\/%7Bx%7D\?q=%5B(\[\]|%5B%5D)&r=(\\|%5C) HTTP\/1\.1$/,
    )
    expect(lines.sort()).toEqual([
      'Accept: text/plain',
      'Authorization: Basic Ym9iOnBAc3M=',
      'Connection: close',
      `Host: 127.0.0.1:${port}`,
      'User-Agent: hostwright',
      'X-Token: a "b" c',
    ])
  })

  test('refuses an answer of more than 1 MiB, or one that does not end', async () => {
    const host = await hostWith(programs)
    const large = 'x'.repeat(1_048_576)
    const length = await raw(socket => socket.end(`${ok}Content-Length: 1048576\r\n\r\n${large}`))
    const refused = { status: 'failed', code: 'heartbeat_failed' }
    const tooLarge = await host.ask(callOf(`http://127.0.0.1:${length.port}/`))
    expect(tooLarge).toMatchObject(refused)
    expect(tooLarge.stderr.toString()).toContain('larger than 1 MiB')
    const endless = await raw(socket => {
      socket.write(`${ok}\r\n`)
      const more = () => {
        while (!socket.destroyed && socket.write(large));
        socket.once('drain', more)
      }
      more()
    })
    expect(
      (await host.ask(callOf(`http://127.0.0.1:${endless.port}/`))).stderr.toString(),
    ).toContain('1 MiB')
    const slow = await raw(socket => socket.write(`${ok}\r\nup`))
    expect(await host.ask(callOf(`http://127.0.0.1:${slow.port}/`, {}, '1'))).toMatchObject(refused)
    const silent = await raw(() => {})
    expect(await host.ask(callOf(`http://127.0.0.1:${silent.port}/`, {}, '1'))).toMatchObject(
      refused,
    )
    const fits = await raw(socket => socket.end(`${ok}\r\n${large.slice(100)}`))
    expect((await host.ask(callOf(`http://127.0.0.1:${fits.port}/`))).stdout).toHaveLength(
      1_048_576 - 100 + 4,
    )
  })

  test('takes an answer with a length from a connection that stays open', async () => {
    const { port } = await raw(socket => socket.write(answers['in chunks']!))
    const host = await hostWith(programs)
    expect(await host.ask(callOf(`http://127.0.0.1:${port}/`, {}, '1'))).toMatchObject({
      status: 'ok',
    })
  })

  test('asks an IPv6 address, and reports a port where nothing listens', async () => {
    const { port, heads } = await raw(socket => socket.end(answers['with a length']!), {
      host: '::1',
      port: 0,
    })
    const host = await hostWith(programs)
    const answer = await host.ask(callOf(`http://[::1]:${port}/`))
    expect(answer).toMatchObject({ status: 'ok' })
    expect(heads[0]).toContain(`Host: [::1]:${port}\r\n`)
    const closed = await host.ask(callOf('http://127.0.0.1:1/'))
    expect(closed).toMatchObject({ status: 'failed', code: 'heartbeat_failed' })
    expect(closed.stderr.toString()).toContain('no answer from http://127.0.0.1:1/')
  })
})

const everyShell = shells.flatMap((shell, index) => {
  const awk = awks[index % awks.length]!
  return [{ name: shell.name, shell, awk, tags: [...(shell.tags ?? []), ...(awk.tags ?? [])] }]
})
testEach(everyShell, 'a heartbeat by HTTP is asked under $name', async ({ shell, awk }) => {
  const { port, heads } = await raw(socket => socket.end(answers['in chunks']!))
  const host = await testHost({ shell, awk })
  const { stdout, status } = await host.run(
    callOf(`http://127.0.0.1:${port}/`, { headers: ['X: a\tb'] }),
  )
  expect({ status, body: stdout.toString() }).toEqual({
    status: 'ok',
    body: '200\nup\r\n4\r\n0123456789',
  })
  expect(heads[0]).toContain('\r\nX: a\tb\r\n')
})

const talkers: readonly Client[] = [
  { name: 'curl', programs: ['curl'], tags: ['curl'] },
  { name: 'perl', programs: ['perl'], tags: ['perl'] },
  { name: 'socat', programs: ['socat'], tags: ['socat'] },
]
testEach(talkers, 'a heartbeat at a unix socket is asked with $name', async ({ programs }) => {
  const path = `${await temporaryDirectory()}/app.sock`
  const { heads } = await raw(socket => socket.end(answers['with a length']!), { path })
  const host = await hostWith(programs)
  const { status, stdout } = await host.ask(callOf('http://localhost/live?x=1', { socket: path }))
  expect({ status, stdout: stdout.toString() }).toEqual({ status: 'ok', stdout: '200\nup\n' })
  expect(heads[0]).toMatch(/^GET \/live\?x=1 HTTP\/1\.1\r\n(.*\r\n)*Host: localhost\r\n/)
  if (programs[0] === 'curl') return
  expect(await host.ask({ name: 'hw_probe_unix', args: [path, '2'] })).toMatchObject({
    status: 'ok',
  })
  const none = await host.ask({ name: 'hw_probe_unix', args: [`${path}x`, '2'] })
  expect(none).toMatchObject({ status: 'failed', code: 'heartbeat_failed' })
})

const overTls: readonly Client[] = [
  { name: 'curl', programs: ['curl'], tags: ['curl', 'openssl'] },
  { name: 'openssl', programs: ['openssl'], tags: ['openssl'] },
]
testEach(
  overTls,
  'a heartbeat over TLS trusts heartbeat_ca alone, with $name',
  async ({ programs }) => {
    const directory = await temporaryDirectory()
    const made = async (name: string, ...alternatives: string[]) => {
      const names = alternatives.map(each => `-addext subjectAltName=${each}`).join(' ')
      await promisify(execFile)('openssl', [
        ...`req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=${name} ${names}`.split(' '),
        ...['-keyout', `${directory}/${name}.key`, '-out', `${directory}/${name}.pem`],
      ])
      return {
        key: await readFile(`${directory}/${name}.key`),
        cert: await readFile(`${directory}/${name}.pem`),
      }
    }
    const listen = async (pair: { key: Buffer; cert: Buffer }) => {
      const server = createTlsServer(pair, socket => {
        socket.on('error', () => {})
        socket.once('data', () => socket.end(answers['in chunks']!))
      })
      server.on('tlsClientError', () => {})
      await new Promise<void>(done => server.listen(0, '127.0.0.1', done))
      onTestFinished(() => void server.close())
      return (server.address() as AddressInfo).port
    }
    const port = await listen(await made('good', 'IP:127.0.0.1,DNS:localhost'))
    const other = await listen(await made('other', 'DNS:elsewhere.example'))
    const host = await hostWith(programs)
    const ca = (name: string) => ({ ca: `${directory}/${name}.pem` })
    const status = async (url: string, more = {}) => (await host.ask(callOf(url, more))).status
    expect(await status(`https://127.0.0.1:${port}/`, ca('good'))).toBe('ok')
    expect(await status(`https://localhost:${port}/`, ca('good'))).toBe('ok')
    expect(await status(`https://127.0.0.1:${port}/`)).toBe('failed')
    expect(await status(`https://127.0.0.1:${port}/`, ca('other'))).toBe('failed')
    // Trusted, but it is the certificate of another name.
    expect(await status(`https://localhost:${other}/`, ca('other'))).toBe('failed')
  },
)

test('a heartbeat by HTTP is refused where only wget is, which reads answers in another way', {
  tags: ['wget'],
}, async () => {
  const host = await hostWith(['wget'])
  expect(await host.ask(callOf('http://127.0.0.1:1/'))).toMatchObject({
    status: 'failed',
    code: 'tool_missing',
  })
})

describe('a redirect', () => {
  const probe = (port: number, redirect: boolean): Probe & { kind: 'http' } => ({
    kind: 'http',
    url: `http://127.0.0.1:${port}/a`,
    status: 200,
    body: 'up',
    headers: ['Authorization: Bearer t0p'],
    redirect,
  })
  const redirecting = (to: (path: string) => string | undefined) =>
    raw((socket, head) => {
      const target = to(head.split(' ')[1]!)
      socket.end(
        target
          ? `HTTP/1.1 307 There\r\nLocation: ${target}\r\nContent-Length: 0\r\n\r\n`
          : answers['with a length']!,
      )
    })

  test('is followed only if the heartbeat says so, with its headers to the same server alone', async () => {
    const elsewhere = await redirecting(() => undefined)
    const { port, heads } = await redirecting(path =>
      path === '/a' ? 'b?c=d' : `http://127.0.0.1:${elsewhere.port}/e`,
    )
    const host = await testHost()
    const stays = await askProbe(probe(port, false), 2000, call => host.run(call))
    expect(stays).toMatchObject({
      up: false,
      answer: expect.stringContaining('status 307 to b?c=d'),
    })
    expect(await askProbe(probe(port, true), 2000, call => host.run(call))).toMatchObject({
      up: true,
    })
    expect(heads.at(-1)).toContain('GET /b?c=d HTTP/1.1')
    expect(heads.at(-1)).toContain('Bearer t0p')
    expect(elsewhere.heads).toHaveLength(1)
    expect(elsewhere.heads[0]).not.toContain('Bearer')
  })

  test('that leads in a circle or to another protocol is a bad answer', async () => {
    const circle = await redirecting(() => '/a')
    const host = await testHost()
    const asked = (port: number) => askProbe(probe(port, true), 2000, call => host.run(call))
    expect(await asked(circle.port)).toEqual({ up: false, answer: 'more than 10 redirects' })
    const file = await redirecting(() => 'file:///etc/passwd')
    expect(await asked(file.port)).toMatchObject({
      up: false,
      answer: expect.stringContaining('can’t be followed'),
    })
  })
})

test('no process of a heartbeat has its headers in its arguments', {
  tags: ['linux'],
}, async () => {
  const waiting: Socket[] = []
  const { port } = await raw(socket => void waiting.push(socket))
  for (const programs of [['curl'], ['perl'], ['bash']]) {
    if (!whereIs(programs[0]!)) continue
    const host = await hostWith(programs)
    const asked = host.ask(
      callOf(`http://127.0.0.1:${port}/`, { headers: ['X-Token: s3cr3t-header'] }),
    )
    let over = false
    void asked.finally(() => {
      over = true
    })
    const seen = new Set<string>()
    while (!over) {
      // Who asks now is looked at before it gets an answer.
      const asking = waiting.splice(0)
      for (const line of await commandLines()) seen.add(line)
      for (const socket of asking) socket.end(answers['with a length']!)
    }
    expect(await asked).toMatchObject({ status: 'ok' })
    expect([...seen].filter(line => line.includes(programs[0]!)).length).toBeGreaterThan(0)
    expect([...seen].filter(line => line.includes('s3cr3t-header'))).toEqual([])
  }
})

/** The arguments of all processes. */
async function commandLines(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  return Promise.all(
    pids.map(pid =>
      readFile(`/proc/${pid}/cmdline`, 'utf8').then(
        line => line.replaceAll('\0', ' '),
        () => '',
      ),
    ),
  )
}
