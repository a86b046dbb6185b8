/**
 * Hosts behind two haproxys, for tests of rollouts under traffic: hosts of a lab with the lab's own product, whose answers
 * take a while, so that a restart which does not wait for them is noticed.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { cp, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import { hostwright, type Running, startHostwright } from './cli.ts'
import type { Lab } from './lab.ts'
import { projectFor } from './project.ts'
import { freePort } from './sshd.ts'
import { type SteadyClient, startClient } from './steady-client.ts'

const run = promisify(execFile)

/** How long the product takes for an answer, in milliseconds. */
const answerMs = 30

/** The releases. The broken one answers everything with 503. */
export const releases = { old: '2.0.0', new: '2.1.0', broken: '2.2.0-broken' } as const

/** What is replaced in the source of the lab's product. */
const changes: readonly (readonly [string | RegExp, string])[] = [
  // Requests are under way when it restarts.
  [
    /( {4}response\.writeHead\(code.*)/,
    `    setTimeout(() => {\n$1\n    }, pathname === '/' ? ${answerMs} : 0)`,
  ],
  // Whose answer it is, and nothing else.
  [/`deepfiler \${version}`/, 'version'],
  ['? [200,', '? [health.code,'],
  // It may turn bad long after its start.
  ['[health.code, ', "[existsSync(home + '/sick.' + version) ? 503 : health.code, "],
  ['import { readFileSync,', 'import { existsSync, readFileSync,'],
  ['function serve({ config: file, ready })', 'function serve({ config: file, ready, home })'],
]
const breaking = ["{ status: 'ok', code: 200 }", "{ status: 'failing', code: 503 }"] as const

/** A release of the lab's product in which answers take a while. */
async function pack(folder: string, archive: string, release: string): Promise<void> {
  const source = join(import.meta.dirname, '../../tasks/deepfiler/releases/1.1.0')
  await cp(source, folder, { recursive: true })
  const file = join(folder, 'server.mjs')
  let server = await readFile(file, 'utf8')
  for (const [from, to] of release === releases.broken ? [...changes, breaking] : changes) {
    const changed = server.replace(from, to)
    if (changed === server) throw new Error(`server.mjs has no ${from} to replace`)
    server = changed
  }
  await writeFile(file, server)
  await writeFile(join(folder, 'VERSION'), `${release}\n`)
  await run('tar', ['-czf', archive, '-C', folder, '.'])
  await rm(folder, { recursive: true })
}

/** What a balancer says of a server. */
export interface ServerAtBalancer {
  balancer: string
  server: string
  status: string
}

interface Balancer {
  name: string
  url: string
  socket: string
  process: ChildProcess
}

async function startBalancer(
  lab: Lab,
  name: string,
  servers: readonly { name: string; address: string }[],
): Promise<Balancer> {
  const { ansible_host: address, root } = await lab.variables(name)
  const port = await freePort(address!)
  const socket = `${root}/run/haproxy.sock`
  const config = `${root}/etc/haproxy.cfg`
  await writeFile(
    config,
    `global
    stats socket ${socket} mode 600 level admin
    nbthread 1
defaults
    mode http
    # Each request gets one chance, and a connection of its own to its server: what a restart breaks is seen.
    retries 0
    option http-server-close
    timeout connect 10s
    timeout client 5m
    timeout server 30s
frontend app
    bind ${address}:${port}
    default_backend app
backend app
    balance roundrobin
    option httpchk GET /heartbeat
    timeout check 5s
    default-server check inter 1s fastinter 200ms downinter 200ms fall 3 rise 1
${servers.map(each => `    server ${each.name} ${each.address}`).join('\n')}
`,
  )
  const process = spawn('haproxy', ['-db', '-f', config], { stdio: ['ignore', 'ignore', 'pipe'] })
  const output = text(process.stderr!)
  const ended = once(process, 'exit').then(async () => {
    throw new Error(`haproxy ended: ${await output}`)
  })
  ended.catch(() => {})
  const ready = async () => {
    while (!(await askSocket(socket, 'show info').catch(() => ''))) await delay(20)
  }
  await Promise.race([ready(), ended])
  return { name, url: `http://${address}:${port}/`, socket, process }
}

/** haproxy's answer by its socket. */
function askSocket(path: string, words: string): Promise<string> {
  const socket = connect(path)
  socket.end(`${words}\n`)
  return text(socket)
}

export type BalancedFleet = Awaited<ReturnType<typeof balancedFleet>>

/**
 * Brings the first hosts of the lab into service behind the last two, which are the group `lb`.
 * @param lab one of the kind `directory`
 * @param count how many hosts are behind them
 */
export async function balancedFleet(lab: Lab, count: number) {
  const ini = await readFile(join(lab.directory, 'bootstrap.ini'), 'utf8')
  const project = await projectFor(lab, {
    'inventories/x/bootstrap.ini': ini
      .replace('version = 1.0.0', `version = ${releases.old}`)
      .replace(
        '[product:deepfiler]',
        `[product:deepfiler]
balancer = lb
backend = app
server = {host}
balancer_socket = {root}/run/haproxy.sock`,
      ),
  })
  const hosts = Array.from({ length: count }, (_, at) => `lab${at + 1}`)
  const balancerNames = [`lab${count + 1}`, `lab${count + 2}`]
  const inventory = await readFile(project.path('inventories/x/hosts.ini'), 'utf8')
  await project.write(
    'inventories/x/hosts.ini',
    `${inventory}[app]\n${hosts.join('\n')}\n[lb]\n${balancerNames.join('\n')}\n`,
  )
  await mkdir(project.path('inventories/x/releases'), { recursive: true })
  for (const release of Object.values(releases))
    await pack(
      join(lab.scratch, `release-${release}`),
      project.path(`inventories/x/releases/deepfiler-${release}.tar.gz`),
      release,
    )
  const servers = await Promise.all(
    hosts.map(async name => {
      const { deepfiler_address: address, deepfiler_port: port } = await lab.variables(name)
      return { name, address: `${address}:${port}` }
    }),
  )
  const balancers: Balancer[] = []
  for (const name of balancerNames) balancers.push(await startBalancer(lab, name, servers))
  const options = (env: Record<string, string> = {}) => ({
    cwd: project.directory,
    env: { HOSTWRIGHT_LAB: lab.directory, XDG_STATE_HOME: project.path('state'), ...env },
  })
  /** What both balancers say of each server. */
  const look = async (): Promise<ServerAtBalancer[]> => {
    const answers = await Promise.all(
      balancers.map(async ({ name, socket }) => ({
        name,
        csv: await askSocket(socket, 'show stat'),
      })),
    )
    return answers.flatMap(({ name, csv }) =>
      csv.split('\n').flatMap(line => {
        const [backend, server, ...rest] = line.split(',')
        return backend === 'app' && hosts.includes(server!)
          ? [{ balancer: name, server: server!, status: rest[15]! }]
          : []
      }),
    )
  }
  const sickFile = (host: string, release: string) =>
    `${lab.directory}/${host}/root/opt/deepfiler/sick.${release}`
  const own = {
    hosts,
    balancers: balancerNames,
    look,
    /** The version that each host answers with, not by a balancer. */
    versions: () =>
      Promise.all(
        servers.map(async ({ address }) =>
          (await (await fetch(`http://${address}/`)).text()).trim(),
        ),
      ),
    /** Lets the heartbeat of a release fail on a host, while it answers all else. */
    sicken: (host: string, release: string) => writeFile(sickFile(host, release), ''),
    heal: (host: string, release: string) => rm(sickFile(host, release)),
    /** Those that are not in service at a balancer. */
    out: async () => (await look()).filter(({ status }) => status !== 'UP'),
    run: (words: readonly string[]) => hostwright(words, options()),
    start: (words: readonly string[]): Running => startHostwright(words, options()),
    client: (perSecond?: number): SteadyClient =>
      startClient(
        balancers.map(({ url }) => url),
        { perSecond },
      ),
    /** Files of the state that each host has, by name, such as what is under way or drained. */
    left: async () => {
      const found = await Promise.all(
        hosts.map(name =>
          lab.read(
            name,
            `cd '${lab.directory}/${name}/root/var/bootstrap' && ls products/*.intent products/*.drain bootstrap.pid 2>/dev/null || :`,
          ),
        ),
      )
      return hosts.flatMap((name, at) =>
        found[at]!.split('\n').flatMap(file => (file === '' ? [] : [`${name} ${file}`])),
      )
    },
    stop: async () => {
      for (const { process } of balancers) {
        if (process.exitCode !== null) continue
        process.kill('SIGKILL')
        await once(process, 'exit')
      }
    },
  }
  try {
    const { status, stderr } = await own.run(['server.provision', 'app', '-i', 'x', '--on', 'app'])
    if (status !== 0) throw new Error(stderr)
  } catch (error) {
    await own.stop()
    throw error
  }
  return own
}
