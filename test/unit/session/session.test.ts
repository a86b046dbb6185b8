import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { lockCall } from '../../../lib/host/lock.ts'
import { file } from '../../../lib/resources/files/file.ts'
import type { HostCall } from '../../../lib/session/call.ts'
import { openSession } from '../../../lib/session/session.ts'
import { connectLocal } from '../../../lib/transport/local.ts'
import { temporaryDirectory, testHost, testTransport, unprivileged } from '../../support/shells.ts'

const run = (command: string): HostCall => ({ name: 'hw_run', args: ['sh', '', '', command] })
const claim = { run: 'r', attempt: 1, recipe: 'x', owner: 'o', controller: 'c', time: 't' }

async function until(found: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await found())) {
    if (Date.now() > deadline) throw new Error('it never came')
    await delay(5)
  }
}

const written = (path: string) => () =>
  readFile(path, 'utf8').then(
    text => text.endsWith('\n'),
    () => false,
  )

describe('calls and segments', () => {
  test('calls that are not awaited share one round trip and keep their order', async () => {
    const { session, at, read } = await testHost()
    const before = session.roundTrips
    await Promise.all(['a', 'b', 'c'].map(word => session.call(run(`echo ${word} >>${at('log')}`))))
    expect(session.roundTrips - before).toBe(1)
    expect(`${await read('log')}`).toBe('a\nb\nc\n')
  })

  test('a call waits for the segment before it, even one that asks for content', async () => {
    const { session, at, read } = await testHost()
    const segment = session.segment(
      [
        { call: run(`echo first >>${at('log')}`) },
        { call: file(at('new'), { content: 'x' }).call },
        { call: run(`echo second >>${at('log')}`) },
      ],
      { check: false, diff: false },
    )
    const call = session.call(run(`echo third >>${at('log')}`))
    expect((await segment).map(({ status }) => status)).toEqual(['ok', 'changed', 'ok'])
    await call
    expect(`${await read('log')}`).toBe('first\nsecond\nthird\n')
  })

  test('keeps the end of output that was streamed, and all output that was not', async () => {
    const { session } = await testHost()
    const mebi = 1_048_576
    const lots = run(`echo first; head -c ${9 * mebi} /dev/zero; echo last`)
    let streamed = 0
    const output = (_: string, chunk: Buffer) => {
      streamed += chunk.length
    }
    const [step] = await session.segment([{ call: lots }], { check: false, diff: false })
    const heard = await session.call(lots, { output })
    expect([step!, heard].map(({ stdout }) => stdout.length)).toEqual([mebi, 8 * mebi])
    for (const { stdout } of [step!, heard]) expect(`${stdout.subarray(-5)}`).toBe('last\n')
    expect(streamed).toBe(9 * mebi + 11)
    expect((await session.call(lots)).stdout.length).toBe(9 * mebi + 11)
  })

  test('an empty segment sends nothing', async () => {
    const { session } = await testHost()
    const before = session.roundTrips
    expect(await session.segment([], { check: false, diff: false })).toEqual([])
    expect(session.roundTrips).toBe(before)
  })

  test('a failed call stops its own segment only', async () => {
    const { session, segment } = await testHost()
    const results = await segment([run('true'), run('exit 3'), run('true')])
    expect(results.map(({ status, exitStatus }) => [status, exitStatus])).toEqual([
      ['ok', 0],
      ['failed', 3],
      ['skipped', 0],
    ])
    expect(await session.call(run('true'))).toMatchObject({ status: 'ok' })
  })

  test('reports the end of each step as it happens', async () => {
    const { segment, at } = await testHost()
    const ended: string[] = []
    const running = segment([
      { call: run('true'), listener: { end: ({ status }) => ended.push(status) } },
      { call: run(`until [ -e ${at('go')} ]; do sleep 0.01; done`) },
    ])
    await until(async () => ended.length === 1)
    await writeFile(at('go'), '')
    await running
    expect(ended).toEqual(['ok'])
  })
})

test('a session fails if the host keeps asking for the same content', async () => {
  const session = await openSession({ transport: connectLocal(), bootstrapDir: '' })
  // The answer is empty, so the step asks again.
  const call = { name: 'hw_fetch', args: ['/etc/passwd'], answer: async () => ({}) }
  const segment = session.segment([{ call }], { check: false, diff: false })
  await expect(segment).rejects.toMatchObject({ code: 'shell_failed' })
  await session.close()
})

describe('interrupting and ending', () => {
  test('interrupt lets the running step end and skips everything after it', async () => {
    const { session, segment, at } = await testHost()
    const running = segment([
      run(`echo x >${at('begun')}; until [ -e ${at('go')} ]; do sleep 0.01; done`),
      run('true'),
    ])
    await until(written(at('begun')))
    await session.interrupt()
    await writeFile(at('go'), '')
    expect((await running).map(({ status }) => status)).toEqual(['ok', 'skipped'])
    expect(await session.call(run('true'))).toMatchObject({ status: 'skipped' })
  })

  test('kill ends what the session runs and everything it started, and nothing else', async () => {
    const { session, at } = await testHost()
    const running = session.call(run(`echo x >${at('begun')}; (sleep 600; true) | sleep 600`))
    await until(written(at('begun')))
    await session.kill()
    expect(await running).toMatchObject({ status: 'failed', exitStatus: 143 })
    expect(await session.call(run('echo on'))).toMatchObject({ stdout: Buffer.from('on\n') })
  })

  test('close waits until the lock is released', async () => {
    const directory = await temporaryDirectory()
    const options = { transport: connectLocal(), bootstrapDir: directory, first: [lockCall(claim)] }
    const session = await openSession(options)
    expect(session.first[0]).toMatchObject({ status: 'ok' })
    await expect(readFile(`${directory}/bootstrap.pid`, 'utf8')).resolves.toContain('recipe=x')
    await session.close()
    await expect(readFile(`${directory}/bootstrap.pid`)).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('opening', () => {
  test('takes one round trip, including the first calls', async () => {
    const { session } = await testHost({ first: [run('echo one'), run('echo two')] })
    expect(session.roundTrips).toBe(1)
    expect(session.first.map(({ stdout }) => `${stdout}`)).toEqual(['one\n', 'two\n'])
  })

  test.each([
    ['a file that can’t be read', 'server.ini', 'server.ini'],
    ['a directory that can’t be read', '.', 'may not look into'],
  ])(
    'a state with %s is not mistaken for an empty one, and fails only those who read it',
    async (_, closed, message) => {
      const directory = await temporaryDirectory()
      await chmod(directory, 0o755)
      await mkdir(`${directory}/bootstrap`, { mode: 0o755 })
      await writeFile(`${directory}/bootstrap/server.ini`, '[server]\n')
      await chmod(`${directory}/bootstrap/${closed}`, 0)
      const transport = await testTransport({ as: unprivileged }, directory)
      const session = await openSession({ transport, bootstrapDir: `${directory}/bootstrap` })
      try {
        expect(() => session.stateFiles).toThrow(
          expect.objectContaining({
            code: 'state_unreadable',
            message: expect.stringContaining(message),
          }),
        )
        const result = await session.call({ name: 'hw_run', args: ['sh', '', '', 'echo hello'] })
        expect(result.stdout.toString()).toBe('hello\n')
      } finally {
        await session.close()
        // Its owner could not clean up either.
        await chmod(`${directory}/bootstrap`, 0o755)
      }
    },
  )
})
