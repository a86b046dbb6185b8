/**
 * A thousand callbacks, by processes that are killed at random, to a receiver that is down, slow, answers 500, or cuts
 * the connection, also when it has taken what was sent.
 *
 * @module-tag long
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { openOutbox, targetOf } from '../../../lib/callbacks/outbox.ts'
import { sendWaiting } from '../../../lib/callbacks/send.ts'
import { temporaryDirectory } from '../../support/shells.ts'

const writer = fileURLToPath(new URL('../../support/outbox-writer.ts', import.meta.url))

/** Mulberry32: numbers from 0 up to 1, the same for a seed. */
function randomOf(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** A receiver that is all that receivers are, and its account. */
async function unreliableReceiver(random: () => number) {
  const bodies = new Map<string, Set<string>>()
  /** How often each was taken. */
  const taken = new Map<string, number>()
  const outOfOrder: string[] = []
  const state = { well: false }
  /** Of each writer, the last one that was taken. */
  const last = new Map<string, number>()
  const server = createServer(async (request, response) => {
    const way = state.well ? 1 : random()
    if (way < 0.1) return request.socket.destroy()
    const body = await text(request).catch(() => undefined)
    if (body === undefined) return
    const id = request.headers['webhook-id'] as string
    const kinds = bodies.get(id) ?? new Set()
    bodies.set(id, kinds.add(body))
    const [, prefix = '', number = ''] = /^msg_(.*)-(\d+)$/.exec(id) ?? []
    if (!taken.has(id) && Number(number) !== (last.get(prefix) ?? 0) + 1) outOfOrder.push(id)
    if (way < 0.25) return response.writeHead(500).end()
    // Down, for a while.
    if (way < 0.27) return void response.writeHead(503, { connection: 'close' }).end()
    taken.set(id, (taken.get(id) ?? 0) + 1)
    last.set(prefix, Math.max(Number(number), last.get(prefix) ?? 0))
    if (way < 0.35) return request.socket.destroy()
    // Later than who sends it waits for.
    if (way < 0.36) await pause(250)
    response.writeHead(204).end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}/hook`, state, bodies, taken, outOfOrder }
}

/** A writer, and what it says to have written. */
function startWriter(words: readonly string[], written: Set<string>): ChildProcess {
  const child = spawn(process.execPath, ['--import', 'tsx', writer, ...words], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(() => void child.kill('SIGKILL'))
  createInterface({ input: child.stdout! }).on('line', id => void written.add(id))
  return child
}

const wanted = 1000
const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 2 ** 31))

test(`none of ${wanted} callbacks is lost, and doubles have one id, with SEED=${seed}`, {
  timeout: 180_000,
}, async () => {
  const random = randomOf(seed)
  const directory = join(await temporaryDirectory(), 'hostwright', 'callbacks')
  const { url, state, bodies, taken, outOfOrder } = await unreliableReceiver(randomOf(seed + 1))
  const written = new Set<string>()
  let round = 0
  while (written.size < wanted) {
    round++
    // Two at once; the last pair is not killed.
    const last = written.size > wanted - 400
    const count = String(last ? Math.ceil((wanted - written.size) / 2) : 400)
    const pair = ['a', 'b'].map(name =>
      startWriter([directory, url, `${name}${round}`, count], written),
    )
    const ends = pair.map(child => once(child, 'exit'))
    const before = written.size
    if (!last) {
      const until = before + 80 + Math.floor(random() * 200)
      while (written.size < until && pair.every(({ exitCode }) => exitCode === null)) await pause(5)
      for (const child of pair) {
        await pause(random() * 20)
        child.kill('SIGKILL')
      }
    }
    await Promise.all(ends)
  }
  // What is left, by a process that nobody kills.
  state.well = true
  const outbox = openOutbox(directory)
  const receiver = { url: new URL(url), env: {} }
  expect(await sendWaiting(outbox, targetOf(url), receiver, {})).toEqual({ passed: new Map() })
  expect(written.size).toBeGreaterThanOrEqual(wanted)
  expect([...written].filter(id => !taken.has(id))).toEqual([])
  expect([...bodies.values()].filter(kinds => kinds.size > 1)).toEqual([])
  expect(outOfOrder).toEqual([])
  // The test would show nothing if nothing had gone wrong.
  expect([...taken.values()].filter(times => times > 1).length).toBeGreaterThan(10)
  outbox.tidy()
  expect(await readdir(directory)).toEqual([])
})
