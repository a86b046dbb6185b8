/**
 * Callbacks that wait: what a run leaves, what the next one does with it, and `hostwright callbacks`.
 *
 * @module-tag long
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type LocalProject, localProject } from '../support/local-project.ts'
import { receiveCallbacks } from '../support/receiver.ts'

const words = (url: string) => ['exec', '--on', 'h1', '--callback-url', url, '--', 'true']
const outboxOf = (project: LocalProject) => project.at('state/hostwright/callbacks')

/** A run whose callback the receiver does not take, and that is ended by the signal. */
async function left(project: LocalProject, url: string, signal: 'SIGINT' | 'SIGKILL') {
  const run = project.start(words(url))
  await run.says('attempt 2 of 5')
  run.child.kill(signal)
  return run.ended
}

const list = async (project: LocalProject): Promise<Record<string, unknown>[]> => {
  const { stdout } = await project.run(['callbacks', '--output', 'json'])
  return stdout
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
}

test('what a run leaves is said with the command to send it, and delivered by the next run, first', async () => {
  const project = await localProject({}, 1)
  const { url, received } = await receiveCallbacks([503])
  const { status, stderr } = await left(project, url, 'SIGINT')
  expect({ status, stderr }).toEqual({
    status: 0,
    stderr: expect.stringMatching(/1 callback is left for .*`hostwright callbacks send`/),
  })
  const [waiting] = await list(project)
  expect(waiting).toMatchObject({ event: 'run.completed', to: new URL(url).origin, tries: 0 })
  expect((await project.run(['callbacks'])).stdout).toContain('run.completed')
  const next = await project.run(words(url))
  expect({ status: next.status, stderr: next.stderr }).toEqual({
    status: 0,
    stderr: expect.not.stringContaining('callback'),
  })
  const ids = received.map(({ headers }) => headers['webhook-id'])
  expect(ids).toEqual([waiting!.id, waiting!.id, expect.stringMatching(/^msg_/)])
  expect(received[1]!.body).toBe(received[0]!.body)
  expect(ids[2]).not.toBe(ids[0])
  expect((await project.run(['callbacks'])).stderr).toContain('No callbacks wait')
})

test('what a killed run leaves is sent by hand, to the URL with the login that is not kept', async () => {
  const project = await localProject({}, 1)
  const { url, received } = await receiveCallbacks([503])
  const secret = url.replace('//', '//me:p4ssw0rd@')
  await left(project, secret, 'SIGKILL')
  const outbox = outboxOf(project)
  const [name] = await readdir(outbox)
  expect(await readFile(join(outbox, name!), 'utf8')).not.toContain('p4ssw0rd')
  const without = await project.run(['callbacks', 'send'])
  expect({ status: without.status, stderr: without.stderr }).toEqual({
    status: 4,
    stderr: expect.stringContaining('a user or a password, which are not kept'),
  })
  const sent = await project.run(['callbacks', 'send'], { HOSTWRIGHT_CALLBACK_URL: secret })
  expect(sent).toMatchObject({ status: 0, stderr: '' })
  expect(sent.stdout).toMatch(/^sent msg_\S+\n$/)
  expect(received).toHaveLength(2)
  expect(received[1]!.headers.authorization).toMatch(/^Basic /)
  expect(await readdir(outbox)).toEqual([])
})

test('what waits is dropped by its id or all of it, and an unknown id is an error', async () => {
  const project = await localProject({}, 1)
  const { url } = await receiveCallbacks(Array(4).fill(410))
  for (let runs = 0; runs < 2; runs++) await project.run(words(url))
  const [first] = await list(project)
  expect(first).toMatchObject({ refused: true, last: expect.stringContaining('answered 410') })
  expect((await project.run(['callbacks', 'drop'])).status).toBe(2)
  expect((await project.run(['callbacks', 'drop', 'nonsense'])).status).toBe(2)
  expect((await project.run(['callbacks', 'drop', String(first!.id).slice(-6)])).stdout).toBe(
    `dropped ${first!.id}\n`,
  )
  expect(await list(project)).toHaveLength(1)
  expect((await project.run(['callbacks', 'drop', '--all'])).status).toBe(0)
  expect(await list(project)).toEqual([])
})

test('a callback that can’t be kept is sent all the same', async () => {
  const project = await localProject({}, 1)
  await mkdir(project.at('state/hostwright'), { recursive: true })
  await writeFile(outboxOf(project), '')
  const { url, received } = await receiveCallbacks([204, 410])
  const good = await project.run(words(url))
  expect({ status: good.status, stderr: good.stderr }).toEqual({
    status: 0,
    stderr: expect.not.stringContaining('callback'),
  })
  expect(received).toHaveLength(1)
  expect((await project.run(words(url))).stderr).toMatch(/is lost: .*410.*can’t be kept/)
})

test('batches and hosts that fail are posted while the run goes on, in order', async () => {
  const project = await localProject({}, 2)
  const { url, received } = await receiveCallbacks()
  const events = 'run.started,batch.completed,host.failed,run.completed'
  const command = ['--serial', '1', '--max-fail', '1', '--callback-url', url, '--callback-events']
  const { status } = await project.run(['exec', '--on', 'all', ...command, events, '--', 'false'])
  expect(status).toBe(4)
  expect(received.map(({ body }) => JSON.parse(body)).map(({ type }) => type)).toEqual([
    ...['run.started', 'host.failed', 'batch.completed', 'host.failed', 'batch.completed'],
    'run.completed',
  ])
})
