import { existsSync } from 'node:fs'
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test, vi } from 'vitest'
import { InterruptedError, StepError } from '../../../lib/errors.ts'
import { secret } from '../../../lib/shell/secret.ts'
import { catalogueOf, type Local, local } from '../../support/local-run.ts'
import { ofType } from '../../support/run-events.ts'

const stateOf = async ({ hosts }: Local, name: string) =>
  readFile(join(hosts[0]!.bootstrapDir, name), 'utf8').catch(() => undefined)

const pulse = (command: string, more = {}) => ({
  heartbeat: {
    probe: { kind: 'command', command },
    intervalMs: 10,
    timeoutMs: 1000,
    attempts: 3,
    successes: 1,
    ...more,
  },
})

describe('the server mode', () => {
  test('is recorded with its role, run and time, and counts as one change', async () => {
    const place = await local()
    const { outcomes, seen } = await place.run(async ({ setMode, state }) => {
      await setMode('maintenance', { role: 'web' })
      expect(state.server).toMatchObject({ mode: 'maintenance', role: 'web', run: 'r1' })
    })
    expect(outcomes[0]!.counts).toMatchObject({ changed: 1 })
    expect(ofType(seen, 'step.end')[0]).toMatchObject({
      title: 'mode maintenance',
      note: undefined,
    })
    const text = await stateOf(place, 'server.ini')
    expect(text).toMatch(/mode = maintenance\nrole = web\nchanged_at = 20.*\nrun = r1\n/)
  })

  test('that is already set stays unchanged, including time and run', async () => {
    const place = await local()
    const set = () => place.run(async ({ setMode }) => setMode('active', { role: 'web' }))
    await set()
    const before = await stateOf(place, 'server.ini')
    expect((await set()).outcomes[0]).toMatchObject({ status: 'ok', counts: { ok: 1, changed: 0 } })
    expect(await stateOf(place, 'server.ini')).toBe(before)
  })

  test('keeps the role unless another is given, and shows what it was', async () => {
    const place = await local()
    await place.run(async ({ setMode }) => setMode('active', { role: 'web' }))
    const { seen } = await place.run(async ({ setMode }) => setMode('maintenance'))
    expect(await stateOf(place, 'server.ini')).toContain('role = web')
    expect(ofType(seen, 'step.end')[0]!.note).toBe('was active')
  })

  test('in passing is recorded while it lasts, and is no change afterwards', async () => {
    const place = await local()
    const pass = () =>
      place.run(async ({ setMode }) => {
        await setMode('provisioning', { passing: true })
        expect(await stateOf(place, 'server.ini')).toContain('mode = provisioning')
        await setMode('active', { role: 'web' })
      })
    expect((await pass()).outcomes[0]!.counts).toMatchObject({ changed: 1 })
    const before = await stateOf(place, 'server.ini')
    expect((await pass()).outcomes[0]).toMatchObject({ status: 'ok' })
    expect(await stateOf(place, 'server.ini')).toBe(before)
  })

  test('in passing stays recorded if the run fails, and the next run reports a change', async () => {
    const place = await local()
    const pass = (fail: boolean) =>
      place.run(async ({ setMode }) => {
        await setMode('provisioning', { passing: true })
        if (fail) throw new StepError('broke')
        await setMode('active')
      })
    await pass(false)
    await pass(true)
    expect(await stateOf(place, 'server.ini')).toContain('mode = provisioning')
    expect((await pass(false)).outcomes[0]).toMatchObject({ status: 'changed' })
    expect((await pass(false)).outcomes[0]).toMatchObject({ status: 'ok' })
  })

  test('is not written with --check', async () => {
    const place = await local()
    const { exitCode } = await place.run(
      async ({ setMode, state }) => {
        await setMode('provisioning', { passing: true })
        await setMode('active')
        expect(state.server).toBeUndefined()
      },
      { check: true },
    )
    expect(exitCode).toBe(6)
    expect(await readdir(place.directory)).toEqual([])
  })
})

describe('the record of a product', () => {
  test('is written even if it says nothing but that the product exists', async () => {
    const place = await local()
    await place.run(async ({ recordProduct, state }) => {
      await recordProduct('haproxy', { version: undefined })
      expect(state.products.has('haproxy')).toBe(true)
    })
    expect(await stateOf(place, 'products/haproxy.ini')).toContain('run = r1')
  })

  test('accumulates, and is not written again if nothing changes', async () => {
    const place = await local()
    const record = (settings: Record<string, string>, version = '1') =>
      place.run(async ({ recordProduct }) => recordProduct('app', { version, settings }))
    await record({ a: '1', b: '2' })
    const before = await stateOf(place, 'products/app.ini')
    await record({ a: '1' })
    expect(await stateOf(place, 'products/app.ini')).toBe(before)
    await record({ b: '3' }, '2')
    expect(await stateOf(place, 'products/app.ini')).toMatch(
      /version = 2\n[\s\S]*run = r3\n[\s\S]*a = 1\nb = 3\n/,
    )
  })

  test('is not written with --check', async () => {
    const place = await local()
    await place.run(async ({ recordProduct }) => recordProduct('app', { version: '1' }), {
      check: true,
    })
    expect(await readdir(place.directory)).toEqual([])
  })

  test('that can’t be written fails the host', async () => {
    const place = await local()
    const hosts = [{ ...place.hosts[0]!, bootstrapDir: '/proc/nowhere' }]
    const { outcomes } = await place.run(
      { description: '', lock: false, run: async ({ recordProduct }) => recordProduct('a', {}) },
      { hosts },
    )
    expect(outcomes[0]).toMatchObject({
      status: 'failed',
      error: { code: 'step_failed', message: expect.stringContaining('/proc/nowhere') },
    })
  })
})

describe('$ in a recipe', () => {
  test('is a step, titled by the first line of the command', async () => {
    const { run } = await local()
    const { seen, outcomes } = await run(async ({ $ }) => {
      await $`
        echo a
        echo b
      `
      await $({ nothrow: true })`exit 3`
    })
    expect(
      ofType(seen, 'step.end').map(({ title, status, note }) => [title, status, note]),
    ).toEqual([
      ['$ echo a', 'ok', undefined],
      ['$ exit 3', 'ok', 'exit status 3'],
    ])
    expect(outcomes[0]).toMatchObject({ status: 'ok', counts: { ok: 2 } })
  })

  test('does not run with --check and has no output, but `read` does', async () => {
    const place = await local()
    const { outcomes, seen } = await place.run(
      async ({ $, read, output }) => {
        output([await $`echo x >${place.at('f')}; echo x`.text(), await read`echo y`.text()])
      },
      { check: true },
    )
    expect(outcomes[0]!.data).toEqual(['', 'y\n'])
    expect(ofType(seen, 'step.end').map(({ status }) => status)).toEqual(['skipped', 'ok'])
    expect(await readdir(place.directory)).toEqual([])
  })

  test('hides secrets in env and input', async () => {
    const { run } = await local()
    const token = secret('hunter2-hunter2')
    const { seen, outcomes } = await run(async ({ $, output }) => {
      const said = await $({ env: { TOKEN: token } })`echo "$TOKEN"`
      output(said.stdout === 'hunter2-hunter2\n')
      await $({ input: token })`cat`
    })
    expect(outcomes[0]!.data).toBe(true)
    expect(JSON.stringify(seen)).not.toContain('hunter2')
  })

  test('refuses an invalid variable name', async () => {
    const { run } = await local()
    const { outcomes } = await run(async ({ $ }) => {
      await $({ env: { 'A-B': 'x' } })`true`
    })
    expect(outcomes[0]!.error).toMatchObject({ code: 'recipe_invalid' })
  })

  test('that is interrupted is skipped, as is everything after it', async () => {
    const { run, stop } = await local()
    const { outcomes } = await run(async ({ $ }) => {
      stop.abort()
      await $`true`
    })
    expect(outcomes[0]).toMatchObject({ status: 'interrupted', error: { code: 'interrupted' } })
  })

  test('shares a round trip if it is not awaited', async () => {
    const { run } = await local()
    const { outcomes } = await run(async ({ $ }) => {
      await Promise.all([$`true`, $`true`, $`true`])
    })
    expect(outcomes[0]!.roundTrips).toBe(2)
  })
})

describe('a step of the recipe’s own', () => {
  test('returns what its function returns, and fails with what it throws', async () => {
    const { run } = await local()
    const { seen, outcomes } = await run(async ({ step, output }) => {
      output(await step('think', async () => 42))
      await step('fail', async () => {
        throw new StepError('no')
      })
    })
    expect(outcomes[0]).toMatchObject({ data: 42, error: { step: 'fail', message: 'no' } })
    expect(ofType(seen, 'step.end').map(({ status }) => status)).toEqual(['ok', 'failed'])
  })

  test('that is interrupted is skipped, not failed', async () => {
    const { run } = await local()
    const { seen } = await run(async ({ step }) => {
      await step('wait', async () => {
        throw new InterruptedError('interrupted', 'interrupted')
      })
    })
    expect(ofType(seen, 'step.end').map(({ status }) => status)).toEqual(['skipped'])
  })
})

describe('heartbeats', () => {
  test('are awaited as a step; a product without one has no step', async () => {
    const place = await local()
    const catalogue = catalogueOf({
      late: pulse(`echo x >>${place.at('n')}; test $(wc -l <${place.at('n')}) -ge 3`),
      none: {},
    })
    const { seen, exitCode } = await place.run(
      async ({ heartbeat, product }) => {
        await heartbeat(product('late'))
        await heartbeat(product('none'))
      },
      { catalogue },
    )
    expect(exitCode).toBe(0)
    expect(ofType(seen, 'step.end').map(({ title, status }) => [title, status])).toEqual([
      ['heartbeat late', 'ok'],
    ])
  })

  test('that never become good fail the host with the last answer', async () => {
    const place = await local()
    const catalogue = catalogueOf({ app: pulse('echo not today; false') })
    const { outcomes } = await place.run(
      async ({ heartbeat, product }) => heartbeat(product('app')),
      {
        catalogue,
      },
    )
    expect(outcomes[0]!.error).toMatchObject({
      code: 'heartbeat_failed',
      step: 'heartbeat app',
      message: expect.stringMatching(/3 attempts.*not today/),
    })
  })

  test('of a stack are those of the role’s other products, except stacks', async () => {
    const place = await local()
    const stack = { heartbeat: { ...pulse('').heartbeat, probe: { kind: 'stack' } } }
    const catalogue = catalogueOf(
      { good: pulse('true'), bad: pulse('false'), all: stack, also: stack, none: {} },
      { web: ['good', 'bad', 'none', 'all', 'also'], fine: ['good', 'all'] },
    )
    const probe = (role: string) =>
      place.run(
        async ({ setMode, probe: ask, product, output }) => {
          await setMode('active', { role })
          output(await ask(product('all')))
        },
        { catalogue },
      )
    expect((await probe('web')).outcomes[0]!.data).toEqual({ up: false, answer: 'bad down' })
    expect((await probe('fine')).outcomes[0]!.data).toEqual({
      up: true,
      answer: '1 of 1 products up',
    })
    const { outcomes, seen } = await place.run(
      async ({ setMode, heartbeat, product }) => {
        await setMode('active', { role: 'web' })
        await heartbeat(product('all'))
      },
      { catalogue },
    )
    expect(outcomes[0]!.error).toMatchObject({ code: 'heartbeat_failed', step: 'heartbeat bad' })
    expect(ofType(seen, 'step.end').map(({ title }) => title)).toEqual([
      'mode active',
      'heartbeat good',
      'heartbeat bad',
    ])
  })

  test('are not considered good if Ctrl-C skipped the probe', async () => {
    const place = await local()
    const begun = place.at('begun')
    const go = place.at('go')
    const line = `: >${begun}; until [ -e ${go} ]; do sleep 0.02; done; false`
    const catalogue = catalogueOf({ app: pulse(line, { timeoutMs: 20_000 }) })
    const running = place.run(async ({ heartbeat, product }) => heartbeat(product('app')), {
      catalogue,
    })
    await vi.waitUntil(() => existsSync(begun), { timeout: 20_000, interval: 10 })
    place.stop.abort()
    await writeFile(go, '')
    expect((await running).outcomes[0]).toMatchObject({ status: 'interrupted' })
  })
})

test('an unknown product fails the host with its name', async () => {
  const { run } = await local()
  const { outcomes } = await run(async ({ product }) => void product('nope'), {
    catalogue: catalogueOf({}),
  })
  expect(outcomes[0]!.error!.message).toContain('nope')
})
