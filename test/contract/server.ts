/** An SSH server in this process that behaves as badly as a test wants. */
import { spawn } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import ssh2, { type AuthContext, type Connection } from 'ssh2'
import { onTestFinished } from 'vitest'
import { hostVars } from '../../lib/inventory/host-vars.ts'
import type { Host } from '../../lib/inventory/inventory.ts'
import { createKeyPair, keyData } from '../../lib/lab/keys.ts'
import { temporaryDirectory } from '../support/shells.ts'

export interface Behaviour {
  /** How many connections are closed at once, before they are served. */
  turnsAway?: number
  /** How they are closed. */
  how?: 'close' | 'reset'
  /** Shells that one connection may have; more are refused (sshd's MaxSessions). */
  shells?: number
  /** How many connections are served; more are refused. */
  connections?: number
  /** Its version string. */
  ident?: string
  /** How many connections are closed when they ask for a shell. */
  hangsUp?: number
  /** Accepts connections and sends nothing. */
  silent?: boolean
  /** Decides on each login attempt. Default: all are accepted. */
  authenticate?: (context: AuthContext) => void
  /** Logins hang forever in their ~/.bashrc. */
  mute?: boolean
  /** Its compression methods. Default: ssh2’s. */
  compress?: readonly ('none' | 'zlib' | 'zlib@openssh.com')[]
  /** Called first for each connection, to change its internals. */
  meet?: (client: Connection) => void
}

export interface BadServer {
  host: Host
  /** A directory for the test. */
  directory: string
  /** The number of connections. */
  came(): number
  /** Settles on the first connection. */
  reached: Promise<unknown>
  /** Settles when a shell has been asked for. */
  asked: Promise<unknown>
  /** Settles when a connection has ended. */
  left: Promise<unknown>
}

/** A server for one test, which accepts every login. */
export async function startServer(behaviour: Behaviour = {}): Promise<BadServer> {
  const { turnsAway = 0, how = 'close', shells = 10, connections = 100, mute, silent } = behaviour
  const { ident, compress, hangsUp = 0, authenticate = context => context.accept() } = behaviour
  const directory = await temporaryDirectory()
  const hostKey = createKeyPair('host')
  const sockets = new Set<Socket>()
  let came = 0
  const moment = new EventEmitter()
  const moments = ['reached', 'asked', 'left'].map(name => once(moment, name))
  const algorithms = compress && { compress: [...compress] }
  const server = new ssh2.Server({ hostKeys: [hostKey.private], ident, algorithms }, client => {
    let open = 0
    behaviour.meet?.(client)
    client.on('error', () => {})
    client.on('authentication', authenticate)
    client.on('session', (accept, reject) => {
      if (came <= hangsUp) return client.end()
      if (++open > shells) return reject()
      accept().on('exec', (take, _, { command }) => {
        const channel = take()
        moment.emit('asked')
        channel.on('error', () => {})
        if (mute) return
        const child = spawn('/bin/sh', ['-c', command])
        child.stdin.on('error', () => {})
        channel.pipe(child.stdin)
        child.stdout.pipe(channel, { end: false })
        child.stderr.pipe(channel.stderr, { end: false })
        child.on('close', code => {
          channel.exit(code ?? 255)
          channel.end()
        })
      })
    })
  })
  const listener = createServer(socket => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.on('close', () => moment.emit('left'))
    moment.emit('reached')
    came++
    if (silent) socket.resume()
    else if (came > turnsAway && came <= connections) server.injectSocket(socket)
    else if (how === 'reset') socket.resetAndDestroy()
    else socket.end()
  })
  await new Promise<void>(resolve => listener.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy()
    listener.close()
  })
  const { port } = listener.address() as AddressInfo
  const [knownHostsFile, privateKeyFile] = [join(directory, 'known'), join(directory, 'key')]
  await writeFile(knownHostsFile, `[127.0.0.1]:${port} ssh-ed25519 ${keyData(hostKey.public)}\n`)
  await writeFile(privateKeyFile, createKeyPair('user').private, { mode: 0o600 })
  const host: Host = {
    name: 'bad',
    vars: hostVars('bad', {}),
    groups: [],
    connection: 'ssh',
    address: '127.0.0.1',
    port,
    user: 'somebody',
    privateKeyFile,
    knownHostsFile,
    bootstrapDir: join(directory, 'state'),
    root: '',
  }
  const [reached, asked, left] = moments
  return { host, directory, came: () => came, reached: reached!, asked: asked!, left: left! }
}
