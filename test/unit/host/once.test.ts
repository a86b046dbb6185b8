/** What is done once a run, for all its hosts. */
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import type { RunEvent } from '../../../lib/events.ts'
import { createOnces } from '../../../lib/host/once.ts'
import { createWaits } from '../../../lib/host/turns.ts'
import { StepError, secret, sh } from '../../../lib/index.ts'
import { local } from '../../support/local-run.ts'
import { ofType } from '../../support/run-events.ts'

const hosts = ['h1', 'h2', 'h3', 'h4']

describe('once', () => {
  test('does its work on the first host that gets there, and gives its result to all', async () => {
    const place = await local(...hosts)
    const got: unknown[] = []
    const { exitCode, seen } = await place.run(async ({ once, effect, host }) => {
      got.push(
        await once('migrate', async () => {
          await effect('migrate', sh`echo ${host.name} >>${place.at('migrated')}`)
          return { by: host.name }
        }),
      )
    })
    expect(exitCode).toBe(0)
    const by = (await readFile(place.at('migrated'), 'utf8')).trim()
    expect(hosts).toContain(by)
    expect(got).toEqual(hosts.map(() => ({ by })))
    expect(ofType(seen, 'step.end').map(({ host, title }) => [host, title])).toEqual([
      [by, 'migrate'],
    ])
    expect(ofType(seen, 'once.end')).toMatchObject([{ host: by, name: 'migrate', value: { by } }])
  })

  test('is not done again by a host that comes to it twice', async () => {
    const place = await local('h1')
    let times = 0
    const { outcomes } = await place.run(async ({ once }) => {
      expect(await once('count', async () => ++times)).toBe(1)
      expect(await once('count', async () => ++times)).toBe(1)
    })
    expect(outcomes[0]!.error).toBeUndefined()
  })

  test('is done once in each batch where it says so', async () => {
    const place = await local(...hosts)
    const done: string[] = []
    await place.run(
      async ({ once, host }) =>
        once('warm', async () => void done.push(host.name), { per: 'batch' }),
      { serial: ['2'], forks: 1 },
    )
    expect(done).toEqual(['h1', 'h3'])
  })

  test('fails all who wait, with the name of the host it failed on', async () => {
    const place = await local('h1', 'h2')
    let there = 0
    const { exitCode, outcomes } = await place.run(async ({ once }) => {
      there++
      await once('migrate', async () => {
        while (there < 2) await new Promise(resolve => setTimeout(resolve, 5))
        throw new StepError('no such table')
      })
    })
    expect(exitCode).toBe(4)
    expect(outcomes.map(({ error }) => error!.message).sort()).toEqual([
      'no such table',
      expect.stringMatching(/^once migrate, on h\d: no such table$/),
    ])
  })

  test.each([
    ['contains a secret', 'hunter22'],
    ['is not JSON', 12n],
    ['has more than 65536 characters', 'x'.repeat(65_536)],
  ])('fails where its result %s', async (why, value) => {
    const place = await local('h1')
    const { outcomes } = await place.run(
      async ({ once }) => void (await once('token', async () => value)),
      { secrets: { pin: secret('hunter22') } },
    )
    expect(outcomes[0]!.error).toMatchObject({
      code: 'recipe_invalid',
      message: expect.stringContaining(why),
    })
  })

  test('is refused where the host that does it would wait for one that waits for it', async () => {
    const place = await local('h1', 'h2')
    let begun = () => {}
    const does = new Promise<void>(resolve => {
      begun = resolve
    })
    const { outcomes } = await place.run(async ({ once, on, host }) => {
      if (host.name === 'h2') await does
      await once('both', async () => {
        begun()
        // Until the other one waits for this.
        await new Promise(resolve => setTimeout(resolve, 200))
        await on('h2').$`true`
      })
    })
    expect(outcomes.map(({ status }) => status)).toEqual(['failed', 'failed'])
    expect(outcomes[0]!.error!.code).toBe('wait_cycle')
  })

  test('changes and keeps nothing with --check, and waits no less', async () => {
    const place = await local('h1', 'h2')
    const got: string[] = []
    const { seen } = await place.run(
      async ({ once, host, $ }) => {
        const by = await once('migrate', async () => {
          await $`touch ${place.at('migrated')}`
          return host.name
        })
        got.push(by)
      },
      { check: true },
    )
    expect(new Set(got).size).toBe(1)
    expect(ofType(seen, 'once.start')).toEqual([])
    await expect(readFile(place.at('migrated'))).rejects.toMatchObject({ code: 'ENOENT' })
  })
})

describe('once in a further attempt', () => {
  const comer = (host: string) => ({
    host,
    looks: false,
    signal: new AbortController().signal,
    redact: (text: string) => text,
  })
  const onces = (...earlier: Parameters<typeof createOnces>[3] & object) => {
    const events: unknown[] = []
    const stream = { emit: (event: unknown) => void events.push(event), subscribe: () => {} }
    return { events, onces: createOnces(createWaits(), stream, async () => {}, earlier) }
  }
  const never = async (): Promise<never> => {
    throw new Error('done again')
  }

  test('passes on the result of an earlier one, also to the host that did it', async () => {
    const { onces: all, events } = onces({ name: 'migrate', host: 'h1', done: { value: 7 } })
    expect(await all.come('migrate', comer('h1'), never)).toBe(7)
    expect(await all.come('migrate', comer('h2'), never)).toBe(7)
    expect(events).toEqual([] satisfies RunEvent[])
  })

  test('is left to the host that had begun it, which the others wait for', async () => {
    const { onces: all } = onces({ name: 'migrate', host: 'h1' })
    const waiting = all.come('migrate', comer('h2'), never)
    expect(await all.come('migrate', comer('h1'), async () => 'done')).toBe('done')
    expect(await waiting).toBe('done')
  })

  test('is not waited for in vain where that host ends without it', async () => {
    const { onces: all } = onces({ name: 'migrate', host: 'h1' })
    const waiting = all.come('migrate', comer('h2'), never)
    all.left('h1')
    await expect(waiting).rejects.toMatchObject({ code: 'uncertain' })
  })
})
