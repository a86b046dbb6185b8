/** @module-tag long */
/** The callback at a run's end, from the built command line to a real receiver. */
import { Webhook } from 'standardwebhooks'
import { beforeAll, expect, test } from 'vitest'
import { labFor } from '../support/lab.ts'
import { type Project, projectFor } from '../support/project.ts'
import { receiveCallbacks } from '../support/receiver.ts'

const lab = labFor({ hosts: 2 })
const signing = `whsec_${Buffer.from('a key for tests only').toString('base64')}`
let project: Project

const catalogue = `[server]
modes = provisioning, active, upgrading
[role:vault]
products = safe
[product:safe]
config = {root}/etc/safe.ini
[setting:safe:code]
type = secret
[setting:safe:doors]
type = integer
`

beforeAll(async () => {
  project = await projectFor(lab, { 'inventories/x/bootstrap.ini': catalogue })
  const { status, stderr } = await run('server.provision vault')
  expect({ status, stderr }).toMatchObject({ status: 0 })
})

const run = (words: string, env: Record<string, string> = {}) =>
  lab.run([...words.split(' '), '-i', 'x', '--on', 'lab'], { cwd: project.directory, env })

test('a callback is retried until the receiver accepts it, signed, with the same message each time', async () => {
  const { url, received } = await receiveCallbacks([500, 503])
  const words = `product.set safe doors=3 code=open-sesame --callback-url ${url}`
  const { status, stderr } = await run(words, { HOSTWRIGHT_CALLBACK_SECRET: signing })
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: expect.stringMatching(/callback: .* answered 503 .*; attempt 3 of 5 in 2 s/),
  })
  expect(stderr).not.toContain('not delivered')
  expect(received).toHaveLength(3)
  const [first, , last] = received
  expect(last!.body).toBe(first!.body)
  expect(last!.headers['webhook-id']).toBe(first!.headers['webhook-id'])
  for (const { body, headers } of received) {
    expect(() => new Webhook(signing).verify(body, headers)).not.toThrow()
  }
  expect(JSON.parse(last!.body)).toMatchObject({
    version: 1,
    type: 'run.completed',
    run: expect.stringMatching(/^\d{8}T\d{6}Z-[0-9a-f]{6}$/),
    recipe: 'product.set',
    environment: 'x',
    args: { product: 'safe', settings: ['doors=3', 'code=********'] },
    check: false,
    ok: true,
    exitCode: 0,
    startedAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    hosts: [
      { host: 'lab1', status: 'changed', counts: { changed: 1, failed: 0 } },
      { host: 'lab2', status: 'changed' },
    ],
    errors: [],
  })
  expect(last!.body).not.toContain('sesame')
})

test('a callback lists the errors of a failed run, with their hosts', async () => {
  const { url, received } = await receiveCallbacks()
  const { status } = await run(`exec --callback-url ${url} false`)
  expect(status).toBe(4)
  expect(JSON.parse(received[0]!.body)).toMatchObject({
    args: { command: 'false' },
    ok: false,
    exitCode: 4,
    hosts: [{ status: 'failed' }, { status: 'failed' }],
    errors: [{ code: 'step_failed', exitStatus: 1 }, { code: 'step_failed' }],
  })
  expect(received[0]!.headers['webhook-signature']).toBeUndefined()
})

test('a callback that can’t be delivered causes a warning, and does not change the exit code', async () => {
  const { url, received } = await receiveCallbacks([404, 404])
  const good = await run(`exec --callback-url ${url} true`)
  expect(good.status).toBe(0)
  expect(good.stderr).toMatch(/the callback was not delivered: .*404/)
  const bad = await run('exec false', { HOSTWRIGHT_CALLBACK_URL: url })
  expect(bad.status).toBe(4)
  expect(bad.stderr).toContain('exit status 1')
  expect(bad.stderr).toContain('the callback was not delivered')
  expect(received).toHaveLength(2)
})

test('a callback goes to the URL in bootstrap.ini, unless the environment or the option sets another', async () => {
  const configured = await receiveCallbacks()
  const named = await receiveCallbacks()
  await project.write(
    'inventories/x/bootstrap.ini',
    catalogue.replace('[role:', `callback_url = ${configured.url}\n[role:`),
  )
  await run('server.mode')
  await run('server.mode', { HOSTWRIGHT_CALLBACK_URL: named.url })
  await run(`server.mode --callback-url ${named.url}`)
  expect(configured.received).toHaveLength(1)
  expect(named.received).toHaveLength(2)
})

test('a callback is not sent for an invalid command line, and an invalid URL is reported at once', async () => {
  const { url, received } = await receiveCallbacks()
  expect((await run(`server.mode nonsense --callback-url ${url}`)).status).toBe(2)
  expect(received).toEqual([])
  expect((await run('server.mode --callback-url ftp://example.com/')).status).toBe(2)
})

test('a callback can announce the start of a run, which does not wait for it', async () => {
  const { url, received } = await receiveCallbacks([503])
  const env = { HOSTWRIGHT_CALLBACK_EVENTS: 'run.started, run.completed' }
  const { status } = await run(`exec --callback-url ${url} sleep 2`, env)
  expect(status).toBe(0)
  const bodies = received.map(({ body }) => JSON.parse(body))
  expect(bodies.map(({ type }) => type)).toEqual(['run.started', 'run.started', 'run.completed'])
  expect(bodies[1]).toMatchObject({
    recipe: 'exec',
    args: { command: 'sleep 2' },
    hosts: [{ host: 'lab1' }, { host: 'lab2' }],
  })
  const ids = received.map(({ headers }) => headers['webhook-id'])
  expect(ids[0]).toBe(`${ids[2]}-started`)
})

test('a callback that waits says so, and Ctrl-C ends it', async () => {
  const { url, received } = await receiveCallbacks(Array(9).fill(503))
  const words = ['exec', '--callback-url', url, '-i', 'x', '--on', 'lab', 'true']
  const running = lab.start(words, { cwd: project.directory })
  await running.says('attempt 3 of 5')
  running.child.kill('SIGINT')
  const { status, stderr } = await running.ended
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: expect.stringContaining('the callback was not delivered: interrupted'),
  })
  expect(received).toHaveLength(2)
})
