/** What a session must do over every transport. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { command } from '../../lib/resources/commands/command.ts'
import { file } from '../../lib/resources/files/file.ts'
import type { Resource } from '../../lib/resources/resource.ts'
import { createDollar, type Dollar } from '../../lib/session/dollar.ts'
import { openSession, type Session } from '../../lib/session/session.ts'
import { describeEach } from '../support/shells.ts'
import { transports } from './transports.ts'

/** `$` over a session as in recipes, without a run around it. */
const dollarOf = (session: Session): Dollar =>
  createDollar(async ({ command: line, shell, cwd, input }, output, running) => {
    const { exitStatus } = await session.call(
      { name: 'hw_run', args: [shell, cwd, input ? 'yes' : '', line], input },
      {
        output,
        mark: words => {
          if (words[0] === 'pid') running(signal => session.kill(Number(words[2]), signal.slice(3)))
        },
      },
    )
    return { exitStatus }
  })

describeEach(transports, 'a session by $name', ({ place }) => {
  const { connect, bootstrapDir, hostname, remove } = place()
  let session: Session
  let $: Dollar
  beforeEach(async () => {
    session = await openSession({ transport: await connect(), bootstrapDir: bootstrapDir() })
    $ = dollarOf(session)
  })
  afterEach(async () => {
    await session.close()
    // Not through the session: an interrupted session runs nothing more.
    await remove(path(''))
  })
  const path = (name: string) => `${bootstrapDir()}/contract/${name}`
  const segment = async (resources: Resource[], check = false) => {
    const calls = resources.map(({ call, makes }) => ({ call, makes }))
    return session.segment(calls, { check, diff: false })
  }
  const statuses = async (resources: Resource[], check = false) =>
    (await segment(resources, check)).map(({ status }) => status)

  test('has the host’s facts after one round trip', () => {
    expect(session.roundTrips).toBe(1)
    expect(session.facts).toMatchObject({
      os: expect.stringMatching(/\w/),
      hostname: hostname(),
      cpus: expect.any(Number),
    })
    expect(session.facts.cpus).toBeGreaterThan(0)
  })

  test('applies a segment in order, and finds it done the second time in one round trip', async () => {
    const wanted = [
      command(`mkdir -p '${path('')}'`, { creates: path('') }),
      file(path('a'), { content: 'some text\n', mode: 0o600 }),
      command(`cat '${path('a')}' >'${path('b')}'`, { creates: path('b') }),
    ]
    expect(await statuses(wanted, true)).toEqual(['changed', 'changed', 'changed'])
    expect((await $`ls ${path('')}`.nothrow()).exitCode).not.toBe(0)
    expect(await statuses(wanted)).toEqual(['changed', 'changed', 'changed'])
    expect((await $`cat ${path('b')}`).stdout).toBe('some text\n')
    const before = session.roundTrips
    expect(await statuses(wanted)).toEqual(['ok', 'ok', 'ok'])
    expect(session.roundTrips - before).toBe(1)
  })

  test('stops at the first failure, and reports how it failed', async () => {
    const results = await segment([
      command('echo fine'),
      command('echo out; echo wrong >&2; exit 9'),
      command('echo never'),
    ])
    expect(results.map(({ status }) => status)).toEqual(['changed', 'failed', 'skipped'])
    expect(results[1]).toMatchObject({ exitStatus: 9 })
    expect(results[1]!.stdout.toString()).toBe('out\n')
    expect(results[1]!.stderr.toString()).toBe('wrong\n')
  })

  test('sends content of any bytes, but only if the host lacks it', async () => {
    const bytes = Buffer.from(Array.from({ length: 300_000 }, (_, index) => (index * 7) % 256))
    await $`mkdir -p ${path('')}`
    const wanted = file(path('bytes'), { content: bytes as never })
    expect(await statuses([wanted])).toEqual(['changed'])
    const sum = (await $`sha256sum <${path('bytes')}`).stdout.slice(0, 64)
    expect(sum).toBe(wanted.call.content!.sha256)
    expect(await statuses([wanted])).toEqual(['ok'])
  })

  test('runs commands with arguments, input and exit status unchanged', async () => {
    const odd = `it's "odd" \\ $HOME \`x\` *`
    expect((await $`printf %s ${odd}`).stdout).toBe(odd)
    expect((await $({ input: 'a\nb' })`cat`).stdout).toBe('a\nb')
    const failed = await $({ nothrow: true })`echo e >&2; exit 3`
    expect([failed.exitCode, failed.stderr]).toEqual([3, 'e\n'])
    const piped = await $`echo one two`.pipe($`tr a-z A-Z`)
    expect(piped.stdout).toBe('ONE TWO\n')
  })

  test('pipelines commands that are not awaited', async () => {
    const before = session.roundTrips
    const outputs = await Promise.all([1, 2, 3, 4, 5].map(number => $`echo ${number}`))
    expect(outputs.map(({ stdout }) => stdout).join('')).toBe('1\n2\n3\n4\n5\n')
    expect(session.roundTrips - before).toBe(1)
  })

  test('ends a command that is killed or times out, and goes on', async () => {
    const late = await $({ timeout: '200ms', nothrow: true })`sleep 60`
    expect(late.exitCode).not.toBe(0)
    expect((await $`echo on`).stdout).toBe('on\n')
  })

  /** Runs a segment whose first step is long, and `meanwhile` once that step runs. */
  const during = async (meanwhile: (other: Dollar) => Promise<unknown>) => {
    await $`mkdir -p ${path('')}`
    const [begun, go] = [path('begun'), path('go')]
    const wait = `touch '${begun}'; while [ ! -e '${go}' ]; do sleep 0.02; done; echo ended`
    const running = segment([command(wait), command('echo never')])
    const beside = await openSession({ transport: await connect(), bootstrapDir: bootstrapDir() })
    const other = dollarOf(beside)
    await other`while [ ! -e ${begun} ]; do sleep 0.02; done`
    await meanwhile(other)
    await beside.close()
    return running
  }

  test('lets the current step finish when interrupted, and skips the rest', async () => {
    const results = await during(async other => {
      await session.interrupt()
      await other`touch ${path('go')}`
    })
    expect(results.map(({ status }) => status)).toEqual(['changed', 'skipped'])
    expect(results[0]!.stdout.toString()).toBe('ended\n')
  })

  test('ends the running step when killed, and skips the rest', async () => {
    const results = await during(() => session.kill())
    expect(results.map(({ status }) => status)).toEqual(['failed', 'skipped'])
    expect(results[0]!.stdout.toString()).toBe('')
  })
})
