/** What the hosts of a run know of each other and of the rest of the inventory. */
import { describe, expect, test } from 'vitest'
import { inventoryOf, local, localHost } from '../../support/local-run.ts'

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
