/** Real haproxys of one test file, on loopback, with a backend `app`. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished } from 'vitest'
import { freePort } from './sshd.ts'

export interface Balancer {
  name: string
  /** Its admin socket. */
  socket: string
  /** Where it listens. */
  url: string
  /** What its admin socket answers. */
  ask(words: string): Promise<string>
  /** How it sees its servers: `web1 UP`, in the order of its file. */
  servers(): Promise<string[]>
  stop(): Promise<void>
  start(): Promise<void>
}

/**
 * Starts one, which ends with the test.
 * @param directory gets its file and its socket
 * @param servers their addresses, by name
 */
export async function balancer(
  directory: string,
  name: string,
  servers: Readonly<Record<string, string>>,
  level = 'admin',
): Promise<Balancer> {
  const place = join(directory, name)
  await mkdir(place, { recursive: true })
  const [config, socket] = [join(place, 'haproxy.cfg'), join(place, 'admin.sock')]
  const port = await freePort('127.0.0.1')
  await writeFile(
    config,
    `global
    stats socket ${socket} level ${level}
defaults
    mode http
    timeout connect 2s
    timeout client 60s
    timeout server 60s
frontend app
    bind 127.0.0.1:${port}
    default_backend app
backend app
    option httpchk GET /health
    default-server check inter 200ms fall 2 rise 1
${Object.entries(servers)
  .map(([server, address]) => `    server ${server} ${address}\n`)
  .join('')}`,
  )
  let child: ReturnType<typeof spawn> | undefined
  const ask = (words: string) => {
    const connection = createConnection(socket)
    // Left open: haproxy takes half a close for a client that has gone.
    connection.write(`${words}\n`)
    return text(connection)
  }
  const seen = async () => {
    const answer = await ask('show stat -1 4 -1')
    return [...answer.matchAll(/^app,(\w+),(?:[^,]*,){15}([^,]*),/gm)].map(
      ([, server, state]) => `${server} ${state}`,
    )
  }
  const stop = async () => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  const start = async () => {
    child = spawn('haproxy', ['-db', '-f', config], { stdio: 'ignore' })
    const up = Object.keys(servers).map(server => `${server} UP`)
    await expect.poll(() => seen().catch(() => []), { timeout: 20_000 }).toEqual(up)
  }
  onTestFinished(stop)
  await start()
  return { name, socket, url: `http://127.0.0.1:${port}`, ask, servers: seen, stop, start }
}
