/**
 * Hosts that are drained at real haproxys before they are changed, and put back afterwards. What is asked is haproxy itself.
 * @module-tag haproxy
 * @module-tag socat
 */
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Recipe } from '../../lib/index.ts'
import rollback from '../../recipes/product.rollback.ts'
import set from '../../recipes/product.set.ts'
import upgrade from '../../recipes/product.upgrade.ts'
import mode from '../../recipes/server.mode.ts'
import { type Balancer, balancer } from '../support/balancers.ts'
import {
  catalogueOf,
  inventoryOf,
  type LocalOptions,
  local,
  localHost,
} from '../support/local-run.ts'
import { webServer } from '../support/web.ts'

const web = webServer()

/** Two hosts with a product behind two haproxys. Its heartbeat is bad in the versions of `bad`. */
async function fleet({ drainMs = 5000, balancers = ['lb1', 'lb2'] } = {}) {
  web.pages['/health'] = { body: 'ok' }
  const place = await local('web1', 'web2')
  const address = new URL(web.url('/')).host
  const lbs = new Map<string, Balancer>()
  for (const name of balancers)
    lbs.set(name, await balancer(place.directory, name, { web1: address, web2: address }))
  const file = (host: string, name: string) => place.at(`${host}-${name}`)
  const script = place.at('upgrade.sh')
  // It notes how the balancers see its host while it works.
  const looks = [...lbs.values()].map(
    ({ socket }) =>
      `echo 'show stat -1 4 -1' | socat -t 5 - UNIX-CONNECT:${socket} | awk -F, -v p="$HOST" '$2 == p { print $18 }'`,
  )
  await writeFile(
    script,
    `HOST=$(basename "\${CONFIG%-*}")\n{ echo "$VERSION"; ${looks.join('; ')}; } | xargs >>"\${CONFIG%-*}-seen"\n! grep -qxF "$VERSION" "\${CONFIG%-*}-bad" || echo bad >"\${CONFIG%-*}-pulse"\n! grep -qxF "$VERSION" "\${CONFIG%-*}-good" || echo ok >"\${CONFIG%-*}-pulse"\n`,
  )
  for (const host of ['web1', 'web2']) {
    await writeFile(file(host, 'pulse'), 'ok\n')
    await writeFile(file(host, 'bad'), '9.0\n')
    await writeFile(file(host, 'good'), '1.0\n2.0\n')
    await writeFile(file(host, 'config'), '[main]\nworkers = 2\nlevel = info\n')
    await writeFile(
      file(host, 'service'),
      `#!/bin/sh\necho "$1" >>${file(host, 'service.log')}\n`,
      {
        mode: 0o755,
      },
    )
  }
  const setting = (name: string, apply: string) =>
    [name, { name, type: 'string', section: 'main', key: name, apply, description: '' }] as const
  const app = {
    version: '1.0',
    config: place.at('{host}-config'),
    configFormat: 'ini',
    service: place.at('{host}-service'),
    scripts: { upgrade: script },
    heartbeat: {
      probe: { kind: 'command', command: `grep ok ${place.at('{host}-pulse')}` },
      ...{ intervalMs: 10, timeoutMs: 5000, attempts: 2, successes: 1 },
    },
    settings: new Map([setting('workers', 'restart'), setting('level', 'reload')]),
  }
  const behind = {
    hosts: 'lb',
    backend: 'app',
    server: '{host}',
    socket: place.at('{host}/admin.sock'),
    drainMs,
    readyMs: 20_000,
  }
  const all = [...place.hosts, ...balancers.map(name => localHost(name, place.directory))]
  const inventory = inventoryOf(all, { lb: balancers })
  for (const host of place.hosts)
    await place.run(
      async ({ recordProduct, setMode }) => {
        await recordProduct('app', { version: '1.0' })
        await setMode('active', { role: 'web' })
      },
      { hosts: [host] },
    )
  const run = (
    name: string,
    recipe: Recipe<never>,
    args: Record<string, unknown>,
    { bare = false, ...more }: LocalOptions & { bare?: boolean } = {},
  ) =>
    place.run(async () => {}, {
      name,
      recipe: recipe as never,
      args,
      inventory,
      hosts: place.hosts.slice(0, 1),
      catalogue: catalogueOf({ app: bare ? app : { ...app, balancer: behind } }, { web: ['app'] }),
      waitLockMs: 20_000,
      ...more,
    })
  return {
    place,
    lbs: [...lbs.values()],
    upgradeTo: (version: string, more?: LocalOptions & { bare?: boolean }) =>
      run('product.upgrade', upgrade as never, { product: 'app', version }, more),
    setTo: (...settings: string[]) =>
      run('product.set', set as never, { product: 'app', settings }),
    modeTo: (wanted: string) => run('server.mode', mode as never, { mode: wanted }),
    back: () => run('product.rollback', rollback as never, { product: 'app' }),
    servers: async () => (await Promise.all([...lbs.values()].map(each => each.servers()))).flat(),
    /** What the balancers said of a host while each version was installed. */
    seen: async (host: string) =>
      (await readFile(file(host, 'seen'), 'utf8').catch(() => '')).trim().split('\n'),
    note: (host = 'web1') =>
      readFile(join(place.directory, `${host}-state/products/app.drain`), 'utf8').catch(
        () => undefined,
      ),
    write: (host: string, name: string, text: string) => writeFile(file(host, name), text),
    remove: (host: string, name: string) => rm(file(host, name), { force: true }),
  }
}

const allUp = ['web1 UP', 'web2 UP', 'web1 UP', 'web2 UP']

describe('an upgrade', () => {
  test('takes its host out at both balancers while it works, and leaves it UP', async () => {
    const { upgradeTo, seen, servers, note, place } = await fleet()
    const { exitCode } = await upgradeTo('2.0', { hosts: place.hosts })
    expect(exitCode).toBe(0)
    for (const host of ['web1', 'web2']) {
      expect(await seen(host)).toEqual(['2.0 MAINT MAINT'])
      expect(await note(host)).toBeUndefined()
    }
    expect(await servers()).toEqual(allUp)
  })

  test('that has nothing to do asks no balancer, and costs no more round trips', async () => {
    const { upgradeTo, lbs } = await fleet({ balancers: ['lb1'] })
    await lbs[0]!.stop()
    // The first run starts the service.
    await upgradeTo('1.0', { bare: true })
    const plain = await upgradeTo('1.0', { bare: true })
    const behind = await upgradeTo('1.0')
    expect(behind.exitCode).toBe(0)
    expect(behind.outcomes[0]!.roundTrips).toBe(plain.outcomes[0]!.roundTrips)
  })

  test('waits for sessions until a limit, then says how many it cuts off', async () => {
    const { upgradeTo, lbs, servers } = await fleet({ drainMs: 600, balancers: ['lb1'] })
    let end = () => {}
    const held = new Promise<void>(resolve => {
      end = resolve
    })
    const server = (await import('node:http')).createServer(async (_, response) => {
      response.write('begun')
      await held
      response.end()
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const { port } = server.address() as { port: number }
    await lbs[0]!.ask(`set server app/web2 state maint`)
    await lbs[0]!.ask(`set server app/web1 addr 127.0.0.1 port ${port}`)
    const answer = await fetch(lbs[0]!.url)
    const { exitCode, seen } = await upgradeTo('2.0', { timeoutMs: 20_000 }).finally(async () => {
      end()
      await answer.text().catch(() => {})
      server.closeAllConnections()
      server.close()
    })
    expect(seen.flatMap(event => (event.type === 'warning' ? event.message : []))).toContainEqual(
      expect.stringMatching(/lb1: 1 sessions of app\/web1 have not ended after 0\.6 s/),
    )
    expect({ exitCode, servers: await servers() }).toEqual({
      exitCode: 0,
      servers: ['web1 UP', 'web2 MAINT'],
    })
  })

  test('that fails is rolled back while drained, proven, and its host put back', async () => {
    const { upgradeTo, seen, servers, note } = await fleet()
    const { outcomes } = await upgradeTo('9.0')
    expect(outcomes[0]!.error).toMatchObject({ code: 'rolled_back' })
    expect(await seen('web1')).toEqual(['9.0 MAINT MAINT', '1.0 MAINT MAINT'])
    expect({ servers: await servers(), note: await note() }).toEqual({ servers: allUp })
  })

  test('whose rollback fails leaves its host drained, until its heartbeat is good', async () => {
    const { upgradeTo, modeTo, servers, note, write } = await fleet()
    await write('web1', 'good', 'none')
    const out = ['web1 MAINT', 'web2 UP', 'web1 MAINT', 'web2 UP']
    const { outcomes } = await upgradeTo('9.0')
    expect(outcomes[0]!.error).toMatchObject({
      code: 'rollback_failed',
      message: expect.stringMatching(
        /stays drained at lb1, lb2 as app\/web1 since .* \(tester@here\)/,
      ),
    })
    expect(await servers()).toEqual(out)
    const early = await modeTo('active')
    expect(early.outcomes[0]!.error).toMatchObject({ code: 'left_drained' })
    expect(await servers()).toEqual(out)
    await write('web1', 'pulse', 'ok\n')
    expect((await modeTo('active')).exitCode).toBe(0)
    expect({ servers: await servers(), note: await note() }).toEqual({ servers: allUp })
  })

  test('changes nothing if a balancer is down, and leaves its host in service at the other', async () => {
    const { upgradeTo, seen, lbs, note } = await fleet()
    await lbs[1]!.stop()
    const { outcomes } = await upgradeTo('2.0')
    expect(outcomes[0]!.error).toMatchObject({
      code: 'balancer_failed',
      message: expect.stringContaining('lb2'),
    })
    expect(await seen('web1')).toEqual([''])
    expect({ servers: await lbs[0]!.servers(), note: await note() }).toEqual({
      servers: ['web1 UP', 'web2 UP'],
    })
  })

  test('leaves out of service what somebody had taken out before', async () => {
    const { upgradeTo, lbs, servers, note } = await fleet()
    await lbs[0]!.ask('set server app/web1 state drain')
    await lbs[1]!.ask('set server app/web1 state maint')
    const { exitCode, seen } = await upgradeTo('2.0')
    expect(exitCode).toBe(0)
    // `DRAIN 1/2` until the first check after it was in MAINT for the upgrade.
    await expect
      .poll(servers, { timeout: 20_000 })
      .toEqual(['web1 DRAIN', 'web2 UP', 'web1 MAINT', 'web2 UP'])
    expect(await note()).toBeUndefined()
    expect(seen.flatMap(event => (event.type === 'warning' ? event.message : []))).toEqual([
      'app stays in drain at lb1, as it was before',
      'app stays in maint at lb2, as it was before',
    ])
  })

  test('with --check shows what it would do at the balancers, and does none of it', async () => {
    const { upgradeTo, servers, note } = await fleet()
    const { exitCode, seen } = await upgradeTo('2.0', { check: true })
    expect(exitCode).toBe(6)
    const titles = seen.flatMap(event =>
      event.type === 'step.end' && event.on ? `${event.on} ${event.title} ${event.status}` : [],
    )
    expect(titles).toEqual([
      'lb1 server app/web1 drain changed',
      'lb2 server app/web1 drain changed',
      'lb1 server app/web1 maint changed',
      'lb2 server app/web1 maint changed',
      'lb1 server app/web1 ready ok',
      'lb2 server app/web1 ready ok',
    ])
    expect({ servers: await servers(), note: await note() }).toEqual({ servers: allUp })
  })
})

test('a setting that needs a restart drains, one that is reloaded does not', async () => {
  const { setTo, servers, lbs } = await fleet({ balancers: ['lb1'] })
  const drained = async (setting: string) => {
    const { exitCode, seen } = await setTo(setting)
    expect(exitCode).toBe(0)
    return seen.some(event => event.type === 'drain')
  }
  expect(await drained('workers=4')).toBe(true)
  expect(await drained('workers=4')).toBe(false)
  await lbs[0]!.ask('set server app/web2 state drain')
  expect(await drained('level=debug')).toBe(false)
  expect(await servers()).toEqual(['web1 UP', 'web2 DRAIN'])
})

test('maintenance drains until the server is active again, whatever is upgraded meanwhile', async () => {
  const { modeTo, upgradeTo, back, servers, note, seen } = await fleet()
  const out = ['web1 MAINT', 'web2 UP', 'web1 MAINT', 'web2 UP']
  expect((await modeTo('maintenance')).exitCode).toBe(0)
  expect(await servers()).toEqual(out)
  expect(await note()).toContain('recipe = server.mode')
  expect((await upgradeTo('2.0')).exitCode).toBe(0)
  expect((await back()).exitCode).toBe(0)
  expect(await seen('web1')).toEqual(['2.0 MAINT MAINT', '1.0 MAINT MAINT'])
  expect(await servers()).toEqual(out)
  expect((await modeTo('active')).exitCode).toBe(0)
  expect({ servers: await servers(), note: await note() }).toEqual({ servers: allUp })
})
