/**
 * Heartbeats that come late, waver or fail, asked on a host by the built command line.
 * @module-tag long
 */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { labFor } from '../support/lab.ts'
import { type Project, projectFor } from '../support/project.ts'
import { freePort, ownAddress } from '../support/sshd.ts'

const lab = labFor({ hosts: 1 })
/** Where nothing else listens, nor on a port that was free before. */
const address = ownAddress()
let project: Project

beforeAll(async () => {
  project = await projectFor(lab, {})
})

interface Service {
  port: number
  /** Requests so far. */
  asked: number
}

/** An HTTP service on a port, that gives these statuses in turn, the last one from then on. */
async function serve(statuses: readonly number[], wanted = 0): Promise<Service> {
  const service: Service = { port: 0, asked: 0 }
  const server: Server = createServer((_request, response) => {
    const status = statuses[Math.min(service.asked++, statuses.length - 1)]!
    const state = status === 200 ? 'up' : 'warming up'
    response.writeHead(status, { connection: 'close' })
    response.end(JSON.stringify({ state, question: service.asked }))
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(wanted, address, resolve)
  })
  onTestFinished(() => void server.close())
  service.port = (server.address() as AddressInfo).port
  return service
}

/** Provisions a product with this heartbeat, which is asked then. */
async function start(heartbeat: string) {
  await project.write(
    'inventories/x/bootstrap.ini',
    `[server]
modes = provisioning, active, upgrading
[role:lamp]
products = bulb
[product:bulb]
heartbeat_interval = 50ms
${heartbeat}
`,
  )
  const words = ['server.provision', 'lamp', '-i', 'x', '--on', 'lab', '--output', 'json']
  return lab.start(words, { cwd: project.directory })
}
const provision = async (heartbeat: string) => (await start(heartbeat)).ended

const url = ({ port }: { port: number }) => `heartbeat = http://${address}:${port}/`

test('a heartbeat that comes up late is waited for', async () => {
  const port = await freePort(address)
  const run = await start(`${url({ port })}\nheartbeat_attempts = 400`)
  // It has been asked by now, or is about to be: connection refused yet.
  await run.says('heartbeat bulb')
  const service = await serve([200], port)
  expect((await run.ended).status).toBe(0)
  expect(service.asked).toBe(1)
})

test('a heartbeat is retried after bad answers, until the first good one', async () => {
  const service = await serve([503, 500, 404, 200, 503])
  expect((await provision(`${url(service)}\nheartbeat_attempts = 10`)).status).toBe(0)
  expect(service.asked).toBe(4)
})

test('a heartbeat is tried as often as configured, and the error contains the last answer', async () => {
  const service = await serve([500, 502, 503])
  const { status, stdout } = await provision(`${url(service)}\nheartbeat_attempts = 3`)
  expect(status).toBe(4)
  expect(service.asked).toBe(3)
  expect(stdout).toContain('"code":"heartbeat_failed"')
  expect(stdout).toContain('3 attempts')
  expect(stdout).toContain('status 503')
  expect(stdout).toContain('\\"question\\":3')
})

test('a heartbeat must be good several times in a row if configured', async () => {
  const service = await serve([200, 200, 503, 200, 200, 200, 503])
  const wants = `${url(service)}\nheartbeat_attempts = 10\nheartbeat_successes = 3`
  expect((await provision(wants)).status).toBe(0)
  expect(service.asked).toBe(6)
})

test('a heartbeat is checked for status, text and JSON', async () => {
  const service = await serve([200])
  const judged = async (key: string) =>
    (await provision(`${url(service)}\nheartbeat_attempts = 1\n${key}`)).status
  expect(await judged('heartbeat_json = state=up')).toBe(0)
  expect(await judged('heartbeat_json = state=down')).toBe(4)
  expect(await judged('heartbeat_body = "up"')).toBe(0)
  expect(await judged('heartbeat_body = gone')).toBe(4)
  expect(await judged('heartbeat_status = 204')).toBe(4)
})

test('a heartbeat may be a TCP port or a command on the host', async () => {
  const service = await serve([200])
  const closed = await freePort(address)
  const once = 'heartbeat_attempts = 1'
  const tcp = (port: number) => provision(`heartbeat = tcp://${address}:${port}\n${once}`)
  expect((await tcp(service.port)).status).toBe(0)
  expect((await tcp(closed)).status).toBe(4)
  expect((await provision(`heartbeat = command:true\n${once}`)).status).toBe(0)
  const bad = await provision(`heartbeat = command:echo it is dark >&2; false\n${once}`)
  expect(bad.status).toBe(4)
  expect(bad.stdout).toContain('it is dark')
})

test('a heartbeat that fails after a change leaves the server in its temporary mode', async () => {
  const setting = '[setting:bulb:watts]\nsection = main\nkey = watts\ndefault = 60'
  expect((await provision('heartbeat = command:true')).status).toBe(0)
  const heartbeat = 'heartbeat = command:false\nheartbeat_attempts = 1'
  await provision(`config = /etc/bulb.ini\n${heartbeat}\n${setting}`)
  const mode = ['server.mode', '-i', 'x', '--on', 'lab']
  const shown = await lab.run(mode, { cwd: project.directory })
  expect(shown.stdout).toMatch(/lab1 +provisioning +lamp/)
})
