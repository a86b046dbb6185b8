import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import { StepError } from '../../lib/errors.ts'
import { lockCall } from '../../lib/host/lock.ts'
import type { Host } from '../../lib/inventory/inventory.ts'
import { command } from '../../lib/resources/commands/command.ts'
import { openSession } from '../../lib/session/session.ts'
import { secret } from '../../lib/shell/secret.ts'
import { connectLocal } from '../../lib/transport/local.ts'
import { deadHost, local } from '../support/local-run.ts'
import { brief, ofType } from '../support/run-events.ts'
import { testTransport, unprivileged } from '../support/shells.ts'

async function until(found: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 10_000
  while (!(await found())) {
    if (Date.now() > deadline) throw new Error('timed out')
    await delay(5)
  }
}

const exists = (path: string) => () =>
  readFile(path).then(
    () => true,
    () => false,
  )

/** Kills the session’s shell, which holds the lock. */
const killShell = ({ bootstrapDir }: Host) => `kill -9 $(head -n 1 ${bootstrapDir}/bootstrap.pid)`

describe('the events of a run', () => {
  test('begin and end with the run, and name everything in between', async () => {
    const { run } = await local('h1', 'h2')
    const { seen, exitCode } = await run(async ({ $ }) => {
      await $`true`
    })
    expect(exitCode).toBe(0)
    expect(seen[0]).toMatchObject({ type: 'run.start', recipe: 'site', hosts: ['h1', 'h2'] })
    expect(seen.at(-1)).toMatchObject({ type: 'run.end', ok: true, exitCode: 0 })
    expect(brief(seen.filter(event => 'host' in event && event.host === 'h1'))).toEqual([
      'host.start',
      'task.start site',
      'step.start $ true',
      'step.end $ true ok',
      'task.end site ok',
      'host.end ok',
    ])
    const ends = ofType(seen, 'host.end').map(({ type: _, at: __, ...outcome }) => outcome)
    // Hosts end in any order; the end of the run lists them in their own order.
    expect(ofType(seen, 'run.end')[0]!.hosts).toEqual(
      ends.sort((a, b) => (a.host < b.host ? -1 : 1)),
    )
  })

  test('contain the recipe’s output, even if it fails later', async () => {
    const { run } = await local()
    const { outcomes } = await run(async ({ output }) => {
      const data = { list: [1] }
      output(data)
      data.list.push(2)
      throw new StepError('load is 9')
    })
    expect(outcomes).toMatchObject([
      {
        host: 'h1',
        status: 'failed',
        data: { list: [1] },
        error: { code: 'step_failed', message: 'load is 9', host: 'h1' },
      },
    ])
  })

  test('report a host as changed if one of its steps changed something', async () => {
    const { run, at } = await local()
    const make = () => command(`: >${at('made')}`, { creates: at('made') })
    const first = await run(async ({ converge }) => void (await converge(make())))
    expect(first.outcomes[0]).toMatchObject({ status: 'changed', counts: { changed: 1 } })
    const second = await run(async ({ converge }) => void (await converge(make())))
    expect(second.outcomes[0]).toMatchObject({ status: 'ok', counts: { ok: 1, changed: 0 } })
  })

  test('end with exit code 6 if something would change with --check', async () => {
    const { run, at } = await local()
    const what = async ({ converge }: { converge: (...items: never[]) => Promise<unknown> }) =>
      void (await converge(command(`: >${at('made')}`, { creates: at('made') }) as never))
    expect((await run(what, { check: true })).exitCode).toBe(6)
    expect(await exists(at('made'))()).toBe(false)
  })

  test('report where a command failed, its text and its exit status', async () => {
    const { run } = await local()
    const { outcomes, exitCode } = await run(async ({ $ }) => {
      await $`echo 'no such thing' >&2; exit 3`
    })
    expect(exitCode).toBe(4)
    expect(outcomes[0]!.error).toMatchObject({
      code: 'step_failed',
      host: 'h1',
      step: "$ echo 'no such thing' >&2; exit 3",
      message: 'exit status 3',
      command: "echo 'no such thing' >&2; exit 3",
      exitStatus: 3,
      output: 'no such thing',
      at: expect.stringMatching(/^test\/shell\/rollout\.test\.ts:\d+$/),
    })
  })

  test('contain no secret, wherever it appears', async () => {
    const { run } = await local()
    const token = secret('hunter2-hunter2')
    const { seen } = await run(async ({ $, output, converge, warn, step }) => {
      await $({
        env: { TOKEN: token },
      })`printf %s "$TOKEN" | cut -c1-5; echo "$TOKEN"; echo "$TOKEN" >&2`
      warn(token.reveal())
      output({ deep: [token.reveal()] })
      await step(token.reveal(), async () => {})
      await converge(command('echo "$T"; exit 1', { env: { T: token } }))
    })
    expect(JSON.stringify(seen)).not.toContain('hunter2-hunter2')
    expect(ofType(seen, 'host.end')[0]!.error!.message).toContain('********')
  })

  test('report an exception of the recipe as its own fault', async () => {
    const { run } = await local('h1', 'h2')
    const { outcomes, exitCode } = await run(async ({ host }) => {
      if (host.name === 'h1') (undefined as unknown as { x(): void }).x()
    })
    expect(exitCode).toBe(1)
    expect(outcomes.map(({ status }) => status)).toEqual(['failed', 'ok'])
    expect(outcomes[0]!.error).toMatchObject({
      code: 'internal',
      message: expect.stringContaining('undefined'),
      at: expect.stringMatching(/^test\/shell\/rollout\.test\.ts:\d+$/),
      hint: expect.stringContaining('The fault is in the recipe'),
    })
    expect(outcomes[0]!.error).not.toHaveProperty('output')
  })

  test('contain the stack trace of an exception with --verbose, without secrets', async () => {
    const { run } = await local()
    const token = secret('hunter2-hunter2')
    const { outcomes } = await run(
      async ({ $, step }) => {
        await $({ env: { TOKEN: token } })`true`
        await step('count', async () => {
          const error = new RangeError(token.reveal())
          error.stack += '\n    at hunter2-hunter2 (/x.ts:1:1)'
          throw error
        })
      },
      { verbose: true },
    )
    const { output, message } = outcomes[0]!.error!
    expect(message).toBe('********')
    expect(output).toMatch(/^at .*rollout\.test\.ts:\d+:\d+\)?\n/)
    expect(output).toContain('at ******** (/x.ts:1:1)')
    expect(output).not.toContain('RangeError')
  })

  test('report the failures of all hosts, of whatever kind', async () => {
    const { run, directory, hosts } = await local('good', 'bad')
    const all = [...hosts, deadHost('dead', directory)]
    const { outcomes, exitCode } = await run(
      async ({ host }) => {
        if (host.name === 'bad') throw new StepError('no')
      },
      { hosts: all },
    )
    expect(outcomes.map(({ host, status }) => [host, status])).toEqual([
      ['good', 'ok'],
      ['bad', 'failed'],
      ['dead', 'unreachable'],
    ])
    expect(outcomes[2]!.error).toMatchObject({ code: 'connect_failed', host: 'dead' })
    expect(exitCode).toBe(4)
  })

  test('end the running step and the host when the shell is killed', async () => {
    const { run } = await local()
    const { outcomes, seen, exitCode } = await run(async ({ host, converge }) => {
      await converge(
        command('true', { title: 'first' }),
        command(killShell(host), { title: 'cuts its own branch' }),
        command('true', { title: 'never' }),
      )
    })
    expect(exitCode).toBe(3)
    expect(outcomes[0]).toMatchObject({ status: 'unreachable', error: { code: 'shell_failed' } })
    const ends = ofType(seen, 'step.end').map(({ title, status }) => `${title} ${status}`)
    expect(ends).toEqual(['first changed', 'cuts its own branch unknown'])
  })
})

describe('an error outside of any host’s work', () => {
  test('is reported before the end of the run, decides the exit code, and shows no secrets', async () => {
    const { run } = await local()
    const token = secret('hunter2-hunter2')
    const strays = () => ['boom', `no ${token.reveal()}`]
    const { seen, exitCode, redact } = await run(
      async ({ $ }) => {
        await $({ env: { TOKEN: token } })`true`
      },
      { strays },
    )
    expect(redact(token.reveal())).toBe('********')
    expect(exitCode).toBe(1)
    expect(ofType(seen, 'warning').map(({ message }) => message)).toEqual(['boom', 'no ********'])
    expect(seen.at(-1)).toMatchObject({ type: 'run.end', ok: false, exitCode: 1 })
  })

  test('does not change the exit code if there is none', async () => {
    const { run } = await local()
    expect((await run(async () => {}, { strays: () => [] })).exitCode).toBe(0)
  })
})

describe('a command that the recipe does not await', () => {
  test('ends before its host does', async () => {
    const { run, at } = await local()
    const { outcomes, seen } = await run(async ({ $ }) => {
      void $`sleep 0.2; echo x >${at('late')}`
      void $`true`
    })
    expect(outcomes[0]).toMatchObject({ status: 'ok', counts: { ok: 2 } })
    expect(await exists(at('late'))()).toBe(true)
    expect(seen.slice(-3).map(({ type }) => type)).toEqual(['host.end', 'batch.end', 'run.end'])
  })

  test('ends after a failure if it runs, and does not begin otherwise', async () => {
    const { run, at } = await local()
    const { outcomes } = await run(async ({ $ }) => {
      const commands = [
        $`: >${at('begun')}; until [ -e ${at('go')} ]; do sleep 0.01; done; : >${at('ended')}`,
        $`: >${at('next')}`,
      ]
      for (const command of commands) command.catch(() => {})
      await until(exists(at('begun')))
      setTimeout(() => void writeFile(at('go'), ''), 300)
      throw new StepError('load is 9')
    })
    expect(outcomes[0]!.error).toMatchObject({ message: 'load is 9' })
    expect([await exists(at('ended'))(), await exists(at('next'))()]).toEqual([true, false])
  })

  test('ends before its host does when the shell is killed', async () => {
    const { run } = await local()
    const { outcomes } = await run(async ({ host, $, converge }) => {
      const first = $`sh -c ${killShell(host)}`
      const others = [$`true`.catch(() => {}), converge(command('true')).catch(() => {})]
      await first
      await Promise.all(others)
    })
    expect(outcomes[0]).toMatchObject({ status: 'unreachable', counts: { ok: 0 } })
  })
})

describe('hosts at the same time', () => {
  test.each([1, 3])('are no more than %i', async forks => {
    const names = ['a', 'b', 'c', 'd', 'e', 'f']
    const { run } = await local(...names)
    let now = 0
    let most = 0
    let open = () => {}
    const full = new Promise<void>(resolve => {
      open = resolve
    })
    const { outcomes } = await run(
      async ({ $ }) => {
        most = Math.max(most, ++now)
        if (now === forks) open()
        await full
        await $`true`
        now--
      },
      { forks },
    )
    expect(most).toBe(forks)
    expect(outcomes.map(({ host }) => host)).toEqual(names)
  })

  test('are those of a batch, which begins after the one before it has succeeded', async () => {
    const { run } = await local('a', 'b', 'c', 'd')
    const order: string[] = []
    const { seen } = await run(
      async ({ host, $ }) => {
        order.push(`${host.name} begins`)
        await $`true`
        order.push(`${host.name} ends`)
      },
      { serial: ['1', '100%'] },
    )
    expect(order.slice(0, 2)).toEqual(['a begins', 'a ends'])
    expect(ofType(seen, 'batch.start').map(({ number, of, hosts }) => [number, of, hosts])).toEqual(
      [
        [1, 2, ['a']],
        [2, 2, ['b', 'c', 'd']],
      ],
    )
  })

  test('are not started after a failed batch, whose own hosts run to their end', async () => {
    const { run } = await local('a', 'b', 'c', 'd')
    const { outcomes, seen, exitCode } = await run(
      async ({ host }) => {
        if (host.name === 'a') throw new StepError('no')
      },
      { serial: ['2'] },
    )
    expect(outcomes.map(({ status }) => status)).toEqual(['failed', 'ok', 'skipped', 'skipped'])
    expect(ofType(seen, 'batch.start')).toHaveLength(1)
    expect(exitCode).toBe(4)
  })
})

describe('the lock', () => {
  const claim = {
    run: 'other',
    attempt: 1,
    recipe: 'theirs',
    owner: 'o',
    controller: 'c',
    time: 't',
  }
  const hold = (bootstrapDir: string) =>
    openSession({ transport: connectLocal(), bootstrapDir, first: [lockCall(claim)] })

  test('is held while the recipe runs, and released afterwards, however it ends', async () => {
    const { run, at } = await local()
    const lock = at('h1-state/bootstrap.pid')
    await run(async ({ read }) => {
      expect(await readFile(lock, 'utf8')).toContain('recipe=site')
      await read`false`
    })
    expect(await exists(lock)()).toBe(false)
  })

  test('is not taken by a recipe that takes none, nor with --check', async () => {
    const { run, at } = await local()
    const look = async () => {
      expect(await exists(at('h1-state/bootstrap.pid'))()).toBe(false)
    }
    expect((await run({ description: '', lock: false, run: look })).exitCode).toBe(0)
    expect((await run(look, { check: true })).exitCode).toBe(0)
  })

  test('of another run makes this one fail with that run’s name', async () => {
    const { run, hosts } = await local()
    const other = await hold(hosts[0]!.bootstrapDir)
    try {
      let ran = false
      const { exitCode, outcomes } = await run(async () => {
        ran = true
      })
      expect([exitCode, ran]).toEqual([5, false])
      expect(outcomes[0]).toMatchObject({
        status: 'locked',
        error: { code: 'locked', message: expect.stringContaining('theirs by o@c since t') },
      })
    } finally {
      await other.close()
    }
  })

  test('is waited for with one warning, and the state is read again afterwards', async () => {
    const { run, hosts, at } = await local()
    const other = await hold(hosts[0]!.bootstrapDir)
    let warnings = 0
    const running = run(
      async ({ state, output }) => {
        output(state.server?.mode)
      },
      { waitLockMs: 30_000, watch: ({ type }) => void (type === 'warning' && warnings++) },
    )
    await until(() => warnings > 0)
    // Another look at it, which must not warn again.
    await delay(1200)
    await writeFile(
      at('h1-state/server.ini'),
      '[server]\nmode = maintenance\nchanged_at = 2026-01-31T02:00:00Z\nrun = other\n',
    )
    await other.close()
    const { outcomes, seen } = await running
    expect(outcomes[0]).toMatchObject({ status: 'ok', data: 'maintenance' })
    expect(ofType(seen, 'warning')).toHaveLength(1)
    expect(ofType(seen, 'warning')[0]!.message).toMatch(/theirs.*; waiting$/)
  })

  test('is waited for no longer than requested', async () => {
    const { run, hosts } = await local()
    const other = await hold(hosts[0]!.bootstrapDir)
    try {
      const { exitCode } = await run(async () => {}, { waitLockMs: 50 })
      expect(exitCode).toBe(5)
    } finally {
      await other.close()
    }
  })

  test('is no longer waited for after Ctrl-C', async () => {
    const { run, hosts, stop } = await local()
    const other = await hold(hosts[0]!.bootstrapDir)
    try {
      const { exitCode, outcomes } = await run(async () => {}, {
        waitLockMs: 600_000,
        watch: ({ type }) => void (type === 'warning' && stop.abort()),
      })
      expect([exitCode, outcomes[0]!.status]).toEqual([130, 'interrupted'])
    } finally {
      await other.close()
    }
  })
})

describe('Ctrl-C', () => {
  test('lets the running step end and starts nothing else', async () => {
    const { run, at, stop } = await local('a', 'b')
    const running = run(
      async ({ converge }) => {
        await converge(
          command(`: >${at('begun')}; until [ -e ${at('go')} ]; do sleep 0.01; done`, {
            title: 'runs',
          }),
          command(`: >${at('next')}`, { title: 'next' }),
        )
      },
      { forks: 1 },
    )
    await until(exists(at('begun')))
    stop.abort()
    await delay(200)
    await writeFile(at('go'), '')
    const { exitCode, outcomes, seen } = await running
    expect(exitCode).toBe(130)
    expect(outcomes.map(({ status }) => status)).toEqual(['interrupted', 'skipped'])
    expect(brief(ofType(seen, 'step.end'))).toEqual([
      'step.end runs changed',
      'step.end next skipped',
    ])
    expect(await exists(at('next'))()).toBe(false)
    expect(await exists(at('a-state/bootstrap.pid'))()).toBe(false)
  })

  test('pressed twice ends the running step', async () => {
    const { run, at, stop, kill } = await local()
    const running = run(async ({ $ }) => {
      await $`: >${at('begun')}; sleep 600`
    })
    await until(exists(at('begun')))
    stop.abort()
    kill.abort()
    const { exitCode, outcomes } = await running
    expect(exitCode).toBe(130)
    expect(['interrupted', 'failed']).toContain(outcomes[0]!.status)
    expect(await exists(at('h1-state/bootstrap.pid'))()).toBe(false)
  })

  test('stops connecting to a host that does not answer', async () => {
    const { run, directory, stop } = await local()
    const silent = createServer(() => stop.abort())
    await new Promise<void>(resolve => silent.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void silent.close())
    const { port } = silent.address() as AddressInfo
    const hosts = [{ ...deadHost('dead', directory), port }]
    const { exitCode, outcomes } = await run(async () => {}, { hosts, timeoutMs: 600_000 })
    expect([exitCode, outcomes[0]!.status]).toEqual([130, 'interrupted'])
  })

  test('skips hosts that were not started', async () => {
    const { run, stop } = await local('a', 'b')
    stop.abort()
    const { exitCode, outcomes, seen } = await run(async () => {})
    expect(exitCode).toBe(130)
    expect(outcomes.map(({ status }) => status)).toEqual(['skipped', 'skipped'])
    expect(ofType(seen, 'batch.start')).toEqual([])
  })
})

describe('limits of a run', () => {
  const failOn = (...names: string[]) => ({
    description: '',
    run: async ({ host }: { host: { name: string } }) => {
      if (names.includes(host.name)) throw new StepError('no')
    },
  })
  const statusesOf = ({ outcomes }: { outcomes: readonly { status: string }[] }) =>
    outcomes.map(({ status }) => status)

  test('allow failures up to the limit, and report why no more hosts are started', async () => {
    const { run } = await local('a', 'b', 'c', 'd')
    const one = { serial: ['1'], limits: { fail: '1' } }
    const borne = await run(failOn('a'), one)
    expect([statusesOf(borne), borne.exitCode]).toEqual([['failed', 'ok', 'ok', 'ok'], 4])
    expect(ofType(borne.seen, 'warning')).toEqual([])
    const passed = await run(failOn('a', 'b'), one)
    expect(statusesOf(passed)).toEqual(['failed', 'failed', 'skipped', 'skipped'])
    expect(ofType(passed.seen, 'warning').map(({ message }) => message)).toEqual([
      '2 hosts failed, and --max-fail is 1: 2 hosts were not started',
    ])
  })

  test('apply to hosts that wait for a fork too', async () => {
    const { run } = await local('a', 'b', 'c')
    const within = await run(failOn('a'), { forks: 1, limits: { fail: '0' } })
    expect(statusesOf(within)).toEqual(['failed', 'skipped', 'skipped'])
    // Without limits, all hosts of a batch are started.
    expect(statusesOf(await run(failOn('a'), { forks: 1 }))).toEqual(['failed', 'ok', 'ok'])
  })

  test('count unreachable hosts separately', async () => {
    const { run, directory, hosts } = await local('good', 'bad', 'late')
    const [good, bad, late] = hosts as [(typeof hosts)[0], (typeof hosts)[0], (typeof hosts)[0]]
    const all = [deadHost('dead', directory), good, late]
    const dead = await run(failOn(), { hosts: all, serial: ['1'], limits: { unreachable: '1' } })
    expect([statusesOf(dead), dead.exitCode]).toEqual([['unreachable', 'ok', 'ok'], 3])
    const onlyFail = await run(failOn(), { hosts: all, serial: ['1'], limits: { fail: '9' } })
    expect(statusesOf(onlyFail)).toEqual(['unreachable', 'skipped', 'skipped'])
    const both = await run(failOn('bad'), {
      hosts: [deadHost('dead', directory), bad, late],
      serial: ['1'],
      limits: { unreachable: '50%', fail: '1' },
    })
    expect([statusesOf(both), both.exitCode]).toEqual([['unreachable', 'failed', 'ok'], 4])
  })
})

test('warnings from before the run are reported at its beginning, once', async () => {
  const { run } = await local('a', 'b')
  const { seen } = await run(async () => {}, { warnings: ['mind the gap'] })
  expect(ofType(seen, 'warning').map(({ message }) => message)).toEqual(['mind the gap'])
  expect(seen[1]).toMatchObject({ type: 'warning' })
})

test('a state directory that the login may not read is named in the error, not the lock in it', async () => {
  const { run, at, directory } = await local()
  await chmod(directory, 0o755)
  await mkdir(at('h1-state'), { mode: 0 })
  const connect = () => testTransport({ as: unprivileged }, directory)
  const { outcomes } = await run(async () => {}, { connector: { connect, close: () => {} } })
  expect(outcomes[0]!.error).toMatchObject({
    code: 'state_unreadable',
    message: `this user may not look into ${at('h1-state')}`,
    hint: expect.stringContaining('--become'),
  })
})
