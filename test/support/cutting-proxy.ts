/**
 * A network that fails on purpose: a TCP proxy between hostwright and a real server, which cuts connections when a
 * test says so, or by a rule, at any byte.
 *
 *     const proxy = await startProxy({ address: sshd.address, port: sshd.port })
 *     … a run on 127.0.0.1, port proxy.port …
 *     proxy.down('reset')
 *     proxy.up()
 */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/**
 * How a connection is cut. `close`: both sides see its end (FIN). `reset`: both see a reset (RST). `half-close`: the
 * client sees the end, the server nothing, as with a router that has forgotten it. `stall`: both see nothing.
 */
export type Cut = 'close' | 'reset' | 'half-close' | 'stall'

/** Bytes that are about to pass. */
export interface Passing {
  /** Number of the connection, from 1. */
  connection: number
  from: 'client' | 'server'
  chunk: Buffer
  /** How many bytes have passed before, on this connection and from there. */
  before: number
}

/** What is done after so many bytes of what is passing; default: before all of it. */
export interface Rule {
  /** The connection is cut. */
  cut?: Cut
  /** Until it settles nothing passes on the connection, then the rest. */
  hold?: Promise<unknown>
  after?: number
  /** New connections are refused from then on, until `up`. */
  down?: boolean
}

export interface CuttingProxy {
  address: string
  port: number
  /** How many connections there have been, refused ones included. */
  readonly connections: number
  /** How many there were while it was down. */
  readonly refused: number
  /** Cuts all connections, or ends what was half closed or stalls. New ones work. */
  cut(how: Cut): void
  /** Nothing passes on the connections that there are until it is called again, then all that has come meanwhile. */
  hold(): () => void
  /** Cuts all connections; new ones are refused until `up`. */
  down(how: Cut): void
  up(): void
  /** Asked about each chunk that is about to pass; what it returns is done. */
  rule: ((passing: Passing) => Rule | undefined) | undefined
  /** Where new connections go. */
  target: { address: string; port: number }
  /** Settles with the next refused connection. */
  nextRefused(): Promise<void>
  /** Settles when this many connections have been made. */
  connected(count: number): Promise<void>
  /** Ends all, also what is half closed or stalls. Idempotent. */
  stop(): Promise<void>
}

/** A proxy for one test. */
export async function startProxy(target: CuttingProxy['target']): Promise<CuttingProxy> {
  const proxy = await launchProxy(target)
  onTestFinished(() => proxy.stop())
  return proxy
}

interface Pair {
  number: number
  client: Socket
  server: Socket
  /** Nothing passes any more. */
  over: boolean
  /** How often it is held: nothing passes meanwhile. */
  holds: number
}

/** A proxy until `stop`. */
export async function launchProxy(target: CuttingProxy['target']): Promise<CuttingProxy> {
  const pairs = new Set<Pair>()
  const waiting = new Set<() => void>()
  let connections = 0
  let refused = 0
  let isDown = false
  const changed = () => {
    for (const look of waiting) look()
  }
  const until = (holds: () => boolean) =>
    new Promise<void>(resolve => {
      const look = () => {
        if (!holds()) return
        waiting.delete(look)
        resolve()
      }
      waiting.add(look)
      look()
    })

  const refuse = (client: Socket) => {
    refused++
    client.resetAndDestroy()
    changed()
  }
  const cutAll = (how: Cut) => {
    for (const pair of pairs) cutPair(pair, how)
  }
  const apply = (pair: Pair, rule: Rule) => {
    if (rule.down) isDown = true
    if (rule.cut) cutPair(pair, rule.cut)
  }
  const pass = (pair: Pair, from: 'client' | 'server') => {
    const [source, sink] =
      from === 'client' ? [pair.client, pair.server] : [pair.server, pair.client]
    let before = 0
    source.on('data', (chunk: Buffer) => {
      if (pair.over) return
      const rule = proxy.rule?.({ connection: pair.number, from, chunk, before })
      const passing = rule ? chunk.subarray(0, rule.after ?? 0) : chunk
      before += passing.length
      const flows = passing.length === 0 || sink.write(passing)
      if (rule?.hold) {
        const release = holdPairs([pair])
        if (passing.length < chunk.length) source.unshift(chunk.subarray(passing.length))
        return void rule.hold.finally(release)
      }
      // A reset would overtake what is on its way.
      if (rule && passing.length > 0) return void sink.write('', () => apply(pair, rule))
      if (rule) return apply(pair, rule)
      if (flows) return
      source.pause()
      sink.once('drain', () => pair.holds === 0 && !pair.over && source.resume())
    })
    source.on('end', () => {
      if (!pair.over) sink.end()
    })
    source.on('close', () => {
      if (!pair.over) sink.destroy()
      if (pair.client.destroyed && pair.server.destroyed) pairs.delete(pair)
    })
    source.on('error', () => {
      if (!pair.over) sink.resetAndDestroy()
    })
  }

  const server = createServer({ allowHalfOpen: true, noDelay: true }, client => {
    connections++
    client.on('error', () => {})
    if (isDown) return refuse(client)
    const { address, port } = proxy.target
    const options = { host: address, port, noDelay: true, allowHalfOpen: true }
    const pair = { number: connections, client, server: connect(options), over: false, holds: 0 }
    pairs.add(pair)
    pass(pair, 'client')
    pass(pair, 'server')
    changed()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo

  const proxy: CuttingProxy = {
    address: '127.0.0.1',
    port,
    get connections() {
      return connections
    },
    get refused() {
      return refused
    },
    cut: cutAll,
    hold: () => holdPairs([...pairs]),
    down: how => {
      isDown = true
      cutAll(how)
    },
    up: () => {
      isDown = false
    },
    rule: undefined,
    target,
    nextRefused: () => {
      const now = refused
      return until(() => refused > now)
    },
    connected: count => until(() => connections >= count),
    stop: async () => {
      for (const pair of pairs) for (const end of [pair.client, pair.server]) end.destroy()
      if (!server.listening) return
      server.close()
      await once(server, 'close')
    },
  }
  return proxy
}

/** @returns lets them go on */
function holdPairs(pairs: readonly Pair[]): () => void {
  for (const pair of pairs) {
    pair.holds++
    for (const end of [pair.client, pair.server]) end.pause()
  }
  return () => {
    for (const pair of pairs) {
      if (--pair.holds > 0 || pair.over) continue
      for (const end of [pair.client, pair.server]) end.resume()
    }
  }
}

function cutPair(pair: Pair, how: Cut): void {
  pair.over = true
  const { client, server } = pair
  switch (how) {
    case 'close':
      for (const end of [client, server]) end.destroySoon()
      break
    case 'reset':
      for (const end of [client, server]) end.resetAndDestroy()
      break
    case 'half-close':
      client.destroySoon()
      server.pause()
      break
    case 'stall':
      client.pause()
      server.pause()
  }
}
