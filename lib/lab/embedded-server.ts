/**
 * The SSH server of a lab host if there is no sshd: a separate process, started as `node embedded-server.js
 * CONFIG`, where CONFIG is a JSON file (EmbeddedConfig). One user, one key and exec requests only, as needed
 * by the transports: no terminal, no forwarding, no sftp.
 */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Socket } from 'node:net'
import { pathToFileURL } from 'node:url'
import ssh2, { type Connection, type ParsedKey, type ServerChannel, type Session } from 'ssh2'

export interface EmbeddedConfig {
  address: string
  port: number
  user: string
  /** Private host key, OpenSSH format. */
  hostKey: string
  /** The only public key that may log in. */
  authorizedKey: string
  /** Working directory of commands. */
  home: string
  /** The complete environment of commands. */
  env: Record<string, string>
}

/** How long a command may take to end after its connection was lost, in milliseconds. */
const graceMs = 2000

function authenticate(client: Connection, user: string, allowed: ParsedKey): void {
  client.on('authentication', context => {
    const isOurs =
      context.method === 'publickey' &&
      context.username === user &&
      context.key.algo === allowed.type &&
      context.key.data.equals(allowed.getPublicSSH())
    if (!isOurs) return context.reject(['publickey'])
    // Without a signature, the client only asks whether the key would be accepted.
    const { signature, blob, hashAlgo } = context
    const proven = signature === undefined || allowed.verify(blob!, signature, hashAlgo) === true
    return proven ? context.accept() : context.reject(['publickey'])
  })
}

/** Runs `command`; returns a function that ends it when the connection is lost. */
function execute(channel: ServerChannel, command: string, config: EmbeddedConfig) {
  const child = spawn('/bin/sh', ['-c', command], {
    // As sshd does if the home directory of an account does not exist.
    cwd: existsSync(config.home) ? config.home : '/',
    env: config.env,
    // Its own process group, so that signals reach what the shell runs.
    detached: true,
  })
  const kill = (signal: NodeJS.Signals, group: boolean) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    try {
      process.kill(group ? -child.pid : child.pid, signal)
    } catch {
      // Ended in the meantime.
    }
  }
  const finish = (status: number | null, signal: NodeJS.Signals | null) => {
    if (signal === null) channel.exit(status ?? 255)
    else channel.exit(signal, false, '')
    channel.end()
  }

  channel.pipe(child.stdin)
  child.stdout.pipe(channel, { end: false })
  child.stderr.pipe(channel.stderr, { end: false })
  // A command need not read its input, and a client need not wait for the output.
  child.stdin.on('error', () => {})
  channel.on('error', () => {})
  child.on('error', error => {
    channel.stderr.write(`${error.message}\n`)
    finish(127, null)
  })
  // `close`, not `exit`: all output has been read by then.
  child.on('close', (status, signal) => {
    try {
      finish(status, signal)
    } catch {
      // A signal without a name in SSH (RFC 4254, 6.10).
      finish(255, null)
    }
  })
  return {
    signal: (signal: NodeJS.Signals) => kill(signal, true),
    end: () => {
      child.stdin.destroy()
      kill('SIGHUP', true)
      setTimeout(() => kill('SIGKILL', false), graceMs).unref()
    },
  }
}

function serveClient(client: Connection, config: EmbeddedConfig, allowed: ParsedKey): void {
  const running = new Set<ReturnType<typeof execute>>()
  authenticate(client, config.user, allowed)
  client.on('session', acceptSession => {
    const session: Session = acceptSession()
    let started: ReturnType<typeof execute> | undefined
    session.on('exec', (accept, reject, { command }) => {
      if (started !== undefined) return reject()
      const channel = accept()
      const execution = execute(channel, command, config)
      started = execution
      running.add(execution)
      channel.on('close', () => {
        execution.end()
        running.delete(execution)
      })
    })
    session.on('signal', (accept, _reject, { name }) => {
      started?.signal(`SIG${name.replace(/^SIG/, '')}` as NodeJS.Signals)
      accept?.()
    })
    // OpenSSH’s client requests these by itself; refusing them is not an error to it.
    session.on('env', (_accept, reject) => reject?.())
    session.on('auth-agent', (_accept, reject) => reject?.())
  })
  client.on('close', () => {
    for (const execution of running) execution.end()
  })
  // A connection reset is the client’s concern.
  client.on('error', () => {})
}

/** Serves until the process ends. */
export function serve(config: EmbeddedConfig): void {
  const allowed = ssh2.utils.parseKey(config.authorizedKey)
  if (allowed instanceof Error) throw allowed
  const ssh = new ssh2.Server({ hostKeys: [config.hostKey] }, client =>
    serveClient(client, config, allowed),
  )
  const listener = createServer((socket: Socket) => {
    // Small frames in both directions: waiting to fill a packet would cost 40 ms each.
    socket.setNoDelay(true)
    ssh.injectSocket(socket)
  })
  listener.on('error', error => {
    console.error(error.message)
    process.exit(1)
  })
  listener.listen({ host: config.address, port: config.port })
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  serve(JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as EmbeddedConfig)
}
