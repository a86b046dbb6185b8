/** Shells over a master `ssh`: channels of SSH's connection protocol (RFC 4254, 5 and 6). */
import { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { UnreachableError } from '../../errors.ts'
import { crumbsOf } from '../ssh/shells.ts'
import type { ShellEnd, ShellStream } from '../transport.ts'
import { type Messages, sshString, uint32 } from './mux.ts'

const message = {
  open: 90,
  opened: 91,
  refused: 92,
  window: 93,
  data: 94,
  extended: 95,
  eof: 96,
  close: 97,
  request: 98,
  failure: 100,
} as const

/** How much the host may send before we have read it, and how much per message: as in OpenSSH. */
const windowBytes = 2 * 1024 * 1024
const packetBytes = 32 * 1024

/** How long an acknowledgement may wait for data to go with it, in milliseconds. */
const patienceMs = 5

export interface MuxShells {
  /**
   * @param line the command line for the login’s shell
   * @param terminal whether to run it on a terminal
   * @throws {UnreachableError} connection_lost; shell_failed: the host refuses another channel
   */
  open(line: string, terminal?: boolean): Promise<ShellStream>
}

interface Channel {
  take(type: number, body: Buffer): void
  lose(): void
}

/** @param reason why the connection was lost; called once it is */
export function createMuxShells(messages: Messages, reason: () => Promise<string>): MuxShells {
  const channels = new Map<number, Channel>()
  let lastId = -1
  let lost = false
  messages.onMessage((type, body) => {
    if (type < message.opened) return
    try {
      channels.get(body.readUInt32BE(0))?.take(type, body.subarray(4))
    } catch {
      // It is truncated or exceeds the window: don’t talk to such a host.
      messages.close()
    }
  })
  void messages.closed.then(() => {
    lost = true
    for (const channel of [...channels.values()]) channel.lose()
  })
  const lostError = async () =>
    new UnreachableError('connection_lost', `the connection was lost: ${await reason()}`)

  return {
    open: async (line, terminal = false) => {
      if (lost) throw await lostError()
      const id = ++lastId
      return await new Promise<ShellStream>((resolve, reject) => {
        const waiting: Channel = {
          take: (type, body) => {
            if (type === message.opened && body.length >= 12) {
              const peer = { id: uint32(body.readUInt32BE(0)), window: body.readUInt32BE(4) }
              const crumbs = crumbsOf(body.readUInt32BE(8))
              if (crumbs) {
                channels.delete(id)
                messages.send(message.close, peer.id)
                return reject(new UnreachableError('shell_failed', crumbs))
              }
              const most = Math.min(body.readUInt32BE(8), packetBytes)
              const leave = () => void channels.delete(id)
              const channel = createMuxChannel(messages, { ...peer, most }, reason, leave)
              channels.set(id, channel)
              channel.start(line, terminal)
              resolve(channel.shell)
            } else if (type === message.refused) {
              channels.delete(id)
              reject(new UnreachableError('shell_failed', refusalIn(body)))
            }
          },
          lose: () => void lostError().then(reject),
        }
        channels.set(id, waiting)
        const ask = (kind: string, as: number) => {
          const words = [uint32(as), uint32(windowBytes), uint32(packetBytes)]
          messages.send(message.open, sshString(kind), ...words)
        }
        ask('session', id)
        // Its answer may be delayed by what sshd sent first (see ShellStream’s nudge). This message carries
        // an acknowledgement; it names a channel that does not exist.
        setTimeout(() => {
          if (channels.get(id) === waiting) ask('nudge@hostwright', ++lastId)
        }, patienceMs).unref()
      })
    },
  }
}

/** SSH_OPEN_… (RFC 4254, 5.1). */
const refusals = ['', 'prohibited', 'connect failed', 'unknown channel type', 'resource shortage']

function refusalIn(body: Buffer): string {
  const code = body.length < 4 ? 0 : body.readUInt32BE(0)
  const length = body.length < 8 ? 0 : body.readUInt32BE(4)
  const said = body.toString('utf8', 8, 8 + length) || refusals[code] || `reason ${code}`
  return `the host refused a channel: ${said}`
}

/** The host’s side of a channel. */
interface Peer {
  id: Buffer
  /** How many bytes it accepts now. */
  window: number
  /** How many bytes per message. */
  most: number
}

function createMuxChannel(
  messages: Messages,
  peer: Peer,
  reason: () => Promise<string>,
  leave: () => void,
) {
  let end: ShellEnd | undefined
  let closed = (_end: ShellEnd | undefined) => {}
  const closing = new Promise<ShellEnd | undefined>(resolve => {
    closed = resolve
  })
  const send = (type: number, ...parts: readonly Buffer[]) => messages.send(type, peer.id, ...parts)
  const ask = (kind: string, ...parts: readonly Buffer[]) =>
    send(message.request, sshString(kind), Buffer.from([1]), ...parts)

  const { stdin, more } = createInput(peer, send)
  const room = createRoom(bytes => send(message.window, uint32(bytes)))
  const stdout = createOutput(room)
  const stderr = createOutput(room)
  const endOutputs = () => {
    stdout.end()
    stderr.end()
  }
  const leaveWith = (how: ShellEnd | undefined) => {
    leave()
    endOutputs()
    stdin.destroy()
    closed(how)
  }
  const read = (stream: Readable) => finished(stream).catch(() => {})
  const ended = Promise.all([closing, read(stdout.stream), read(stderr.stream)]).then(
    async ([how]): Promise<ShellEnd> => how ?? { lost: true, reason: await reason() },
  )

  const take = (type: number, body: Buffer) => {
    switch (type) {
      case message.data:
        return stdout.push(body.subarray(4))
      case message.extended:
        return stderr.push(body.subarray(8))
      case message.window:
        peer.window += body.readUInt32BE(0)
        return more()
      case message.eof:
        return endOutputs()
      case message.request: {
        const { end: announced, answer } = readRequest(body)
        end = announced ?? end
        if (answer) send(message.failure)
        return
      }
      case message.failure:
        // The host must not request a command or a terminal from us.
        end ??= { lost: true, reason: 'the host did not start the command' }
        return send(message.close)
      case message.close:
        send(message.close)
        return leaveWith(end)
    }
  }
  const start = (line: string, terminal: boolean) => {
    if (terminal) {
      const [columns, rows, pixels] = [uint32(80), uint32(24), uint32(0)]
      // No terminal modes: only the byte that ends the list.
      const modes = [uint32(1), Buffer.from([0])]
      ask('pty-req', sshString('vt100'), columns, rows, pixels, pixels, ...modes)
    }
    ask('exec', sshString(line))
  }
  const shell: ShellStream = {
    stdin,
    stdout: stdout.stream,
    stderr: stderr.stream,
    nudge: () => void stdin.write('\n'),
    ended,
  }
  return { shell, start, take, lose: () => leaveWith(undefined) }
}

/**
 * The exit status or signal of a shell, if the message has one (RFC 4254, 6.10), and whether it wants an
 * answer.
 */
function readRequest(body: Buffer): { end?: ShellEnd; answer: boolean } {
  const length = body.readUInt32BE(0)
  const kind = body.toString('latin1', 4, 4 + length)
  const answer = body[4 + length] === 1
  const rest = body.subarray(5 + length)
  if (kind === 'exit-status') {
    return { end: { lost: false, code: rest.readUInt32BE(0), signal: null }, answer }
  }
  if (kind === 'exit-signal') {
    const signal = rest.toString('latin1', 4, 4 + rest.readUInt32BE(0))
    return { end: { lost: false, code: null, signal }, answer }
  }
  return { answer }
}

type Send = (type: number, ...parts: readonly Buffer[]) => void

/** Input for the host, within its window. */
function createInput(peer: Peer, send: Send) {
  let waiting: { chunk: Buffer; done: () => void } | undefined
  const more = () => {
    while (waiting && peer.window > 0) {
      const { chunk, done } = waiting
      const part = chunk.subarray(0, Math.min(peer.window, peer.most))
      peer.window -= part.length
      send(message.data, uint32(part.length), part)
      waiting =
        part.length < chunk.length ? { chunk: chunk.subarray(part.length), done } : undefined
      if (!waiting) done()
    }
  }
  const stdin = new Writable({
    write: (chunk: Buffer, _, done) => {
      waiting = { chunk, done }
      more()
    },
    final: done => {
      send(message.eof)
      done()
    },
  })
  // The shell may end before it has read everything: that shows in `ended`.
  stdin.on('error', () => {})
  return { stdin, more }
}

interface Room {
  /** @throws {RangeError} the host sent more than allowed */
  use(bytes: number): void
  /** The bytes have been read. */
  free(bytes: number): void
}

/** The window for the host. It is extended after reading, but not for each message. */
function createRoom(give: (bytes: number) => void): Room {
  let left = windowBytes
  let read = 0
  return {
    use: bytes => {
      if (bytes > left) throw new RangeError('more than there is room for')
      left -= bytes
    },
    free: bytes => {
      read += bytes
      if (read < windowBytes / 4) return
      give(read)
      left += read
      read = 0
    },
  }
}

function createOutput({ use, free }: Room) {
  let held = 0
  let over = false
  const stream = new Readable({
    read: () => {
      const bytes = held
      held = 0
      if (bytes > 0) free(bytes)
    },
  })
  return {
    stream,
    push: (chunk: Buffer) => {
      if (over) return
      use(chunk.length)
      // Nobody reads it any more: further output is dropped, and blocks nothing.
      if (stream.destroyed || stream.push(chunk)) free(chunk.length)
      else held += chunk.length
    },
    end: () => {
      if (over) return
      over = true
      stream.push(null)
    },
  }
}
