/** What the hosts of a run know of each other and of the rest of the inventory. */
import { readFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { command, file, sh } from '../../lib/index.ts'
import { type Connector, createConnector } from '../../lib/transport/connector.ts'
import { deadHost, inventoryOf, local, localHost } from '../support/local-run.ts'
import { ofType } from '../support/run-events.ts'

describe('the inventory in a run', () => {
  test('has hosts and variables that --on leaves out', async () => {
    const place = await local('lb1')
    const app = localHost('app1', place.directory, { port: '8080' })
    const seen: unknown[] = []
    const { exitCode } = await place.run(
      async ({ inventory }) => {
        seen.push(...inventory.group('app').map(({ name, vars }) => `${name}:${vars.port}`))
      },
      { inventory: inventoryOf([...place.hosts, app], { app: ['app1'] }) },
    )
    expect({ exitCode, seen }).toEqual({ exitCode: 0, seen: ['app1:8080'] })
  })

  test('fails a host whose recipe asks for a group that does not exist, with the nearest name', async () => {
    const place = await local()
    const { outcomes } = await place.run(
      async ({ inventory }) => {
        inventory.group('wbe')
      },
      { inventory: inventoryOf(place.hosts, { web: ['h1'] }) },
    )
    expect(outcomes[0]!.error).toMatchObject({
      code: 'unknown_name',
      message: expect.stringContaining('did you mean web?'),
    })
  })

  test('hides a secret variable of any host, whoever reads it', async () => {
    const place = await local('h1')
    const other = localHost('db1', place.directory, { app_token: 'sesame-of-db1' })
    const { seen } = await place.run(
      async ({ inventory, read, warn }) => {
        const token = inventory.host('db1').vars.app_token
        await read`echo ${token}`
        warn(`it is ${token}`)
      },
      {
        inventory: inventoryOf([...place.hosts, other]),
        secretVariables: new Set(['app_token']),
      },
    )
    expect(JSON.stringify(seen)).toContain('it is ********')
    expect(JSON.stringify(seen)).not.toContain('sesame')
  })

  test('hides a secret variable of its own host, read by the recipe or by a template', async () => {
    const place = await local()
    const host = localHost('h1', place.directory, { app_token: 'sesame-of-h1' })
    const { seen } = await place.run(
      async ({ host: { vars }, warn }) => warn(`it is ${vars.app_token}`),
      { hosts: [host], secretVariables: new Set(['app_token']) },
    )
    expect(JSON.stringify(seen)).toContain('it is ********')
  })
})

describe('the facts of another host', () => {
  test('are known from when it has connected in this run, and not before', async () => {
    const place = await local('h1', 'h2')
    const known: [string, boolean, boolean][] = []
    const { exitCode } = await place.run(
      async ({ host, factsOf, inventory }) => {
        known.push([
          host.name,
          factsOf('h1')?.os === host.facts.os,
          factsOf(inventory.host('h2')) !== undefined,
        ])
      },
      { serial: ['1'] },
    )
    expect({ exitCode, known }).toEqual({
      exitCode: 0,
      known: [
        ['h1', true, false],
        ['h2', true, true],
      ],
    })
  })
})

/** Hosts of a run, and a balancer that is not part of it. */
async function withBalancer(...names: string[]) {
  const place = await local(...names)
  const lb = localHost('lb1', place.directory)
  const inventory = inventoryOf([...place.hosts, lb], { lb: ['lb1'], web: names })
  return { place, lb, inventory, text: (name: string) => readFile(place.at(name), 'utf8') }
}

describe('work at another host', () => {
  test('is done there under its lock, and shown under the host that it is for', async () => {
    const { place, lb, inventory, text } = await withBalancer('web1')
    const { exitCode, outcomes, seen } = await place.run(
      async ({ on, host }) => {
        const lb1 = on('lb')
        const { changed } = await lb1.converge(
          file(place.at('drained'), { content: `${host.name}\n` }),
          command(sh`grep ^run= ${`${lb.bootstrapDir}/bootstrap.pid`} >${place.at('lock')}`),
        )
        expect(changed).toBe(true)
        expect((await lb1.read`cat ${place.at('drained')}`).stdout).toBe('web1\n')
        await lb1.$`echo more >>${place.at('drained')}`
      },
      { inventory },
    )
    expect({ exitCode, error: outcomes[0]!.error }).toEqual({ exitCode: 0, error: undefined })
    expect(outcomes).toMatchObject([{ host: 'web1', status: 'changed', counts: { changed: 2 } }])
    expect(await text('drained')).toBe('web1\nmore\n')
    expect(await text('lock')).toBe('run=r1\n')
    expect(ofType(seen, 'task.start')).toMatchObject([{ host: 'web1', on: 'lb1', title: 'on lb1' }])
    expect(ofType(seen, 'step.end').every(({ host, on }) => host === 'web1' && on === 'lb1')).toBe(
      true,
    )
    // Nothing of it holds the lock any more.
    await expect(text('lb1-state/bootstrap.pid')).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('of many hosts goes one after the other, over one connection', async () => {
    const names = Array.from({ length: 10 }, (_, at) => `web${at + 1}`)
    const { place, inventory, text } = await withBalancer(...names)
    const busy = place.at('busy')
    const connected: string[] = []
    const own = createConnector({ acceptNew: false })
    const connector: Connector = {
      ...own,
      connect: (host, how) => {
        connected.push(host.name)
        return own.connect(host, how)
      },
    }
    const { exitCode, outcomes, seen } = await place.run(
      async ({ on, host }) => {
        // Fails if another one is at it.
        const line = sh`mkdir ${busy} && echo ${host.name} >>${place.at('order')} && sleep 0.05 && rmdir ${busy}`
        await on('lb1').converge(command(line, { title: 'alone' }))
        await on('lb1').effect('again alone', line)
      },
      { inventory, connector },
    )
    expect(connected.filter(name => name === 'lb1')).toEqual(['lb1'])
    expect(outcomes.map(({ error }) => error).filter(Boolean)).toEqual([])
    expect(exitCode).toBe(0)
    // Who waits for whom is shown by --debug only.
    expect(ofType(seen, 'debug')).toEqual([])
    const order = (await text('order')).trim().split('\n')
    expect(order).toHaveLength(20)
    expect(new Set(order)).toEqual(new Set(names))
  })

  test('at a balancer that is part of the same run waits for its own part to end', async () => {
    const { place, lb, inventory, text } = await withBalancer('web1', 'web2')
    const { exitCode } = await place.run(
      async ({ on, host, $ }) => {
        if (host.name === 'lb1') {
          await $`echo begin >>${place.at('order')}; sleep 0.3`
          await $`echo end >>${place.at('order')}`
        } else await on('lb').$`echo ${host.name} >>${place.at('order')}`
      },
      { inventory, hosts: [lb, ...place.hosts] },
    )
    expect(exitCode).toBe(0)
    const lines = (await text('order')).trim().split('\n')
    expect(lines.indexOf('end') - lines.indexOf('begin')).toBe(1)
    expect(lines).toHaveLength(4)
  })

  test('for each other in a circle is refused for one of them, and goes on for the other', async () => {
    const place = await local('web1', 'web2')
    let there = 0
    const { outcomes } = await place.run(async ({ on, host }) => {
      there++
      while (there < 2) await new Promise(resolve => setTimeout(resolve, 5))
      await on(host.name === 'web1' ? 'web2' : 'web1').$`true`
    })
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['failed', 'ok'])
    expect(outcomes.find(({ error }) => error)!.error).toMatchObject({
      code: 'wait_cycle',
      message: expect.stringMatching(
        /^web\d would wait for ever: web\d waits for web\d, which waits for web\d$/,
      ),
    })
  })

  test('at a host that is down fails with an error that names both', async () => {
    const place = await local('web1')
    const lb = deadHost('lb1', place.directory)
    const { exitCode, outcomes } = await place.run(
      async ({ on }) => {
        await on('lb').$`true`
      },
      { inventory: inventoryOf([...place.hosts, lb], { lb: ['lb1'] }) },
    )
    expect(exitCode).toBe(4)
    expect(outcomes[0]).toMatchObject({
      status: 'failed',
      error: { code: 'other_host', message: expect.stringMatching(/^web1 works at lb1: /) },
    })
  })

  test('at a host whose lock another run holds waits for it, within a limit', async () => {
    const { place, lb, inventory } = await withBalancer('web1')
    let release = () => {}
    const held = new Promise<void>(resolve => {
      release = resolve
    })
    let holds = () => {}
    const begun = new Promise<void>(resolve => {
      holds = resolve
    })
    const other = place.run(
      async () => {
        holds()
        await held
      },
      { hosts: [lb] },
    )
    await begun
    const at = (wait: string) =>
      place.run(async ({ on }) => void (await on('lb1', { wait }).$`true`), { inventory })
    const { outcomes } = await at('100ms')
    expect(outcomes[0]!.error).toMatchObject({
      code: 'other_host',
      message: expect.stringMatching(/^web1 works at lb1: locked: site by tester@here/),
    })
    const waiting = at('1m')
    setTimeout(release, 200)
    expect((await waiting).outcomes[0]!.status).toBe('ok')
    await other
  })

  test.each([
    ['--check', { check: true }],
    ['list tasks', { mode: { kind: 'list', onStep: () => {} } }],
  ] as const)('changes nothing with %s, and takes no lock', async (_, more) => {
    const { place, inventory } = await withBalancer('web1')
    const { exitCode } = await place.run(
      async ({ on }) => {
        const { changed } = await on('lb').converge(file(place.at('drained'), { content: 'x' }))
        expect(changed).toBe(more === undefined || 'check' in more)
        await on('lb').$`touch ${place.at('ran')}`
      },
      { inventory, ...(more as object) },
    )
    expect(exitCode).toBe('check' in more ? 6 : 0)
    for (const name of ['drained', 'ran', 'lb1-state'])
      await expect(readFile(place.at(name))).rejects.toMatchObject({ code: 'ENOENT' })
  })

  test('is listed for the host that it is for, with the host where it is done', async () => {
    const { place, inventory } = await withBalancer('web1')
    const steps: unknown[] = []
    await place.run(
      async ({ on }) => {
        await on('lb').converge(file(place.at('drained'), { content: 'x' }))
      },
      {
        inventory,
        mode: { kind: 'list', onStep: (host, { title, on }) => steps.push([host, on, title]) },
      },
    )
    expect(steps).toEqual([['web1', 'lb1', `file ${place.at('drained')}`]])
  })

  test('runs an effect once a run for each host that it is for', async () => {
    const { place, inventory, text } = await withBalancer('web1', 'web2')
    const attempt = (number: number) =>
      place.run(
        async ({ on, host }) => {
          await on('lb').effect('note', sh`echo ${host.name} >>${place.at('noted')}`)
        },
        { inventory, runId: 'one', attempt: number, forks: 1 },
      )
    expect((await attempt(1)).exitCode).toBe(0)
    expect((await attempt(2)).exitCode).toBe(0)
    expect(await text('noted')).toBe('web1\nweb2\n')
  })

  test('at the host itself is its own work', async () => {
    const place = await local('web1')
    const { exitCode, seen } = await place.run(async ({ on, host }) => {
      await on(host).converge(command('true', { title: 'own' }))
    })
    expect(exitCode).toBe(0)
    expect(ofType(seen, 'task.start')).toMatchObject([{ host: 'web1', title: 'site' }])
  })

  test('at several hosts is done on each, and needs one of them for an answer', async () => {
    const { place, inventory, text } = await withBalancer('web1', 'web2')
    const { outcomes } = await place.run(
      async ({ on }) => {
        const others = on('web:lb')
        expect(others.hosts.map(({ name }) => name)).toEqual(['web1', 'web2', 'lb1'])
        for (const other of others) await other.$`echo ${other.host.name} >>${place.at('seen')}`
        await others.read`true`
      },
      { inventory, hosts: [place.hosts[0]!] },
    )
    expect(await text('seen')).toBe('web1\nweb2\nlb1\n')
    expect(outcomes[0]!.error).toMatchObject({
      code: 'recipe_invalid',
      message: "on('web:lb') is 3 hosts",
    })
  })

  test('asks for the facts of a host only if the recipe says so', async () => {
    const { place, inventory } = await withBalancer('web1')
    const { outcomes } = await place.run(
      async ({ factsOf, host }) => {
        expect(factsOf('lb1')).toBeUndefined()
        expect(await factsOf('lb1', { ask: true })).toEqual(host.facts)
        expect(factsOf('lb1')).toEqual(host.facts)
      },
      { inventory },
    )
    expect(outcomes[0]!.error).toBeUndefined()
  })
})
