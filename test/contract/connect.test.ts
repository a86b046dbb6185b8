/** Connecting a host as a run does: one deadline, and Ctrl-C at any moment. */
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { connectHost } from '../../lib/host/connect.ts'
import { createConnector } from '../../lib/transport/connector.ts'
import { startServer } from './server.ts'

const connecting = { timeoutMs: 20_000, connector: createConnector({ acceptNew: false }) }

const interruptsOf = ({ signal }: AbortController) => ({
  stop: signal,
  kill: signal,
  abandon: signal,
})

describe('a host whose login never finishes', () => {
  test('is given up after the timeout', async () => {
    const { host, left } = await startServer({ mute: true })
    await expect(connectHost(host, { ...connecting, timeoutMs: 700 }, [])).rejects.toMatchObject({
      code: 'connect_timeout',
      message: expect.stringContaining('ran no command within 0.7 s'),
      details: { hint: expect.stringContaining('.bashrc') },
    })
    await left
  })

  test('is given up by Ctrl-C', async () => {
    const { host, asked, left } = await startServer({ mute: true })
    const stop = new AbortController()
    const opening = connectHost(host, { ...connecting, interrupts: interruptsOf(stop) }, [])
    void asked.then(() => stop.abort())
    await expect(opening).rejects.toMatchObject({ code: 'interrupted' })
    await left
  })
})

test('Ctrl-C stops connecting to a silent port', async () => {
  const { host, reached, left } = await startServer({ silent: true })
  const stop = new AbortController()
  const opening = connectHost(host, { ...connecting, interrupts: interruptsOf(stop) }, [])
  void reached.then(() => stop.abort())
  await expect(opening).rejects.toMatchObject({ code: 'interrupted' })
  await left
})

test('Ctrl-C stops retrying a server that refuses connections', async () => {
  const { host, reached } = await startServer({ turnsAway: 1000 })
  const stop = new AbortController()
  const opening = connectHost(host, { ...connecting, interrupts: interruptsOf(stop) }, [])
  void reached.then(() => stop.abort())
  await expect(opening).rejects.toMatchObject({ code: 'interrupted' })
})

describe('a host that allows one shell per connection', () => {
  const steps = (path: string) =>
    [`: >${path}/begun; while [ ! -e ${path}/go ]; do sleep 0.02; done`, 'true'].map(command => ({
      call: { name: 'hw_run', args: ['sh', '', '', command] },
    }))

  /** The result of two steps, the first of which is interrupted. */
  const interrupted = async (connections: number) => {
    const { host, directory } = await startServer({ shells: 1, connections })
    const warnings: string[] = []
    const warn = (message: string) => void warnings.push(message)
    const { session } = await connectHost(host, { ...connecting, timeoutMs: 2000, warn }, [])
    const running = session.segment(steps(directory), { check: false, diff: false })
    while (!existsSync(`${directory}/begun`)) await delay(5)
    await session.interrupt().catch(() => {})
    await writeFile(`${directory}/go`, '')
    const statuses = (await running).map(({ status }) => status)
    await session.close()
    return { statuses, warnings }
  }

  test('is interrupted over another connection', async () => {
    expect(await interrupted(2)).toEqual({ statuses: ['ok', 'skipped'], warnings: [] })
  })

  test('causes a warning if there is no other connection', async () => {
    const { statuses, warnings } = await interrupted(1)
    expect(statuses).toEqual(['ok', 'ok'])
    expect(warnings).toEqual([
      expect.stringMatching(
        /^the running work can’t be interrupted or stopped: .*before the handshake/,
      ),
    ])
  })
})

test('the connect timeout does not apply to the session', async () => {
  const { host } = await startServer()
  const stop = new AbortController()
  const { session } = await connectHost(
    host,
    { ...connecting, timeoutMs: 1500, interrupts: interruptsOf(stop) },
    [],
  )
  const call = { name: 'hw_run', args: ['sh', '', '', 'sleep 1.6; echo on'] }
  const result = await session.call(call)
  expect(result.stdout.toString()).toBe('on\n')
  await session.close()
})
