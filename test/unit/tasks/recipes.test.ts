import { readFile, writeFile } from 'node:fs/promises'
import { describe, expect, test } from 'vitest'
import { productOnHost } from '../../../lib/bootstrap/product.ts'
import type { Host } from '../../../lib/inventory/inventory.ts'
import type { PrepareContext, Recipe } from '../../../lib/recipe/recipe.ts'
import heartbeat from '../../../recipes/heartbeat.ts'
import productGet from '../../../recipes/product.get.ts'
import productSet from '../../../recipes/product.set.ts'
import productUpgrade from '../../../recipes/product.upgrade.ts'
import serverMode from '../../../recipes/server.mode.ts'
import serverProvision from '../../../recipes/server.provision.ts'
import { catalogueOf, local, localHost, viewOf } from '../../support/local-run.ts'
import { ofType } from '../../support/run-events.ts'

const setting = (name: string, more = {}) => [
  name,
  { name, type: 'string', section: '', key: name, description: '', ...more },
]

/** Prepares a recipe as the command line does, over hosts that are never touched. */
async function prepare(
  { prepare: check }: Pick<Recipe<never>, 'prepare'>,
  args: object,
  catalogue: ReturnType<typeof catalogueOf>,
  hosts: Host[] = [localHost('h1', '/nowhere')],
) {
  const context: PrepareContext = {
    args,
    hosts,
    inventory: viewOf(hosts),
    catalogue: catalogue(),
    product: (host, name, wishes) =>
      productOnHost(catalogue().products.get(name)!, { host, directory: '/nowhere', ...wishes }),
  }
  await check?.(context as never)
}

describe('before any host is touched', () => {
  const app = {
    version: '1.0',
    settings: new Map([
      setting('workers', { type: 'integer' }),
      setting('key', { type: 'secret' }),
    ] as never),
  }
  const catalogue = catalogueOf({ app, bare: {} }, { web: ['app'] })
  const usage = (code: string, text: string) => ({
    exitCode: 2,
    code,
    message: expect.stringContaining(text),
  })

  test('product.get refuses an unknown key and accepts version', async () => {
    await prepare(productGet as never, { product: 'app', key: 'workers' }, catalogue)
    await prepare(productGet as never, { product: 'app', key: 'version' }, catalogue)
    await prepare(productGet as never, { product: 'app' }, catalogue)
    await expect(
      prepare(productGet as never, { product: 'app', key: 'worker' }, catalogue),
    ).rejects.toMatchObject(usage('unknown_name', 'did you mean workers?'))
  })

  test.each([
    [['workers=8'], undefined, ''],
    [['worker=8'], 'unknown_name', 'did you mean workers?'],
    [['workers=many'], 'invalid_value', 'workers'],
    [['workers'], 'invalid_value', 'key=value'],
  ])('product.set checks %j', async (settings, code, text) => {
    const prepared = prepare(productSet as never, { product: 'app', settings }, catalogue)
    if (code === undefined) await prepared
    else
      await expect(prepared).rejects.toMatchObject({
        exitCode: 2,
        code,
        message: expect.stringContaining(text),
      })
  })

  test('heartbeat refuses a product without a heartbeat', async () => {
    await prepare(heartbeat as never, {}, catalogue)
    await expect(prepare(heartbeat as never, { product: 'bare' }, catalogue)).rejects.toMatchObject(
      usage('invalid_value', 'bare has no heartbeat'),
    )
  })

  test('product.set hides secrets', () => {
    for (const secret of ['key=hunter2', 'key =hunter2', 'key=a=b'])
      expect(
        productSet.show!({ product: 'app', settings: ['workers=8', secret] }, catalogue),
      ).toEqual({ product: 'app', settings: ['workers=8', 'key=********'] })
  })

  test('product.upgrade refuses an invalid version', async () => {
    await prepare(productUpgrade as never, { product: 'app' }, catalogue)
    await prepare(productUpgrade as never, { product: 'bare', version: '1:2.3~rc+1-4' }, catalogue)
    await expect(
      prepare(productUpgrade as never, { product: 'bare' }, catalogue),
    ).rejects.toMatchObject(usage('usage', 'no version of bare'))
    for (const version of ['', '../../etc', 'a b', '-1', 'a/b', '1\n'])
      await expect(
        prepare(productUpgrade as never, { product: 'app', version }, catalogue),
      ).rejects.toMatchObject({ exitCode: 2 })
  })

  test('product.upgrade refuses a version without an archive', async () => {
    const packed = catalogueOf({
      app: { archive: 'releases/app-{version}.tar.gz', home: '/opt/app' },
    })
    await expect(
      prepare(productUpgrade as never, { product: 'app', version: '9.9' }, packed),
    ).rejects.toMatchObject(
      usage('invalid_value', '/nowhere/releases/app-9.9.tar.gz does not exist'),
    )
  })

  test('server.provision checks the role of each host and its products', async () => {
    const needs = catalogueOf({ app: { config: '/etc/{nope}.ini' } }, { web: ['app'] })
    const web = { ...localHost('h2', '/nowhere', { role: 'web' }) }
    const lost = { ...localHost('h3', '/nowhere', { role: 'wbe' }) }
    await prepare(serverProvision as never, { role: 'web' }, catalogue)
    await prepare(serverProvision as never, {}, catalogue)
    await expect(
      prepare(serverProvision as never, {}, catalogue, [web, lost]),
    ).rejects.toMatchObject(usage('unknown_name', 'wbe'))
    await expect(prepare(serverProvision as never, {}, needs, [web])).rejects.toMatchObject({
      exitCode: 2,
    })
  })
})

test('server.mode takes the lock only to set a mode', () => {
  expect(serverMode.lock({ mode: undefined })).toBe(false)
  expect(serverMode.lock({ mode: 'active' })).toBe(true)
})

describe('an upgrade', () => {
  /** A product that consists of a script, which writes the version it gets, and a heartbeat. */
  async function product(script = 'printf %s "$VERSION" >"$BOOTSTRAP_DIR/installed"') {
    const place = await local()
    const upgrade = place.at('upgrade.sh')
    await writeFile(upgrade, script)
    const catalogue = catalogueOf({
      app: {
        version: '1',
        scripts: { upgrade },
        heartbeat: {
          probe: {
            kind: 'command',
            command: `! grep -q bad ${place.hosts[0]!.bootstrapDir}/installed`,
          },
          intervalMs: 1,
          timeoutMs: 1000,
          attempts: 2,
          successes: 1,
        },
      },
    })
    const run = (version: string) =>
      place.run(async () => {}, {
        recipe: productUpgrade as never,
        args: { product: 'app', version },
        catalogue,
      })
    const record = (mode: string, version = '1') =>
      place.run(async ({ setMode, recordProduct }) => {
        await setMode(mode)
        await recordProduct('app', { version })
      })
    const state = (name: string) => readFile(`${place.hosts[0]!.bootstrapDir}/${name}`, 'utf8')
    return { ...place, run, record, state }
  }

  test('records the version and the previous one, and restores the mode', async () => {
    const { run, record, state } = await product()
    await record('maintenance')
    const { exitCode, seen } = await run('2')
    expect(exitCode).toBe(0)
    expect(await state('installed')).toBe('2')
    expect(await state('products/app.ini')).toMatch(/version = 2\nprevious_version = 1\n/)
    expect(await state('server.ini')).toContain('mode = maintenance')
    expect(ofType(seen, 'step.end').at(-1)).toMatchObject({
      title: 'mode maintenance',
      status: 'ok',
    })
    expect((await run('2')).outcomes[0]).toMatchObject({ status: 'ok', counts: { changed: 0 } })
  })

  test('that fails its heartbeat is rolled back and reported', async () => {
    const { run, record, state } = await product()
    await record('active')
    const { outcomes, exitCode } = await run('2-bad')
    expect(exitCode).toBe(4)
    expect(outcomes[0]!.error).toMatchObject({
      code: 'rolled_back',
      message: expect.stringMatching(
        /^2-bad failed and was rolled back to 1: app failed its heartbeat/,
      ),
    })
    expect(await state('installed')).toBe('1')
    expect(await state('products/app.ini')).toContain('version = 1\n')
    expect(await state('server.ini')).toContain('mode = active')
  })

  test('whose rollback fails reports that the product is down', async () => {
    const { run, record, state } = await product(
      'printf "bad %s" "$VERSION" >"$BOOTSTRAP_DIR/installed"',
    )
    await record('active')
    const { outcomes } = await run('2')
    expect(outcomes[0]!.error).toMatchObject({ code: 'rollback_failed' })
    expect(await state('server.ini')).toContain('mode = upgrading')
  })

  test.each(['upgrading', 'provisioning'])(
    'after an interrupted run in the mode %s ends active',
    async mode => {
      const { run, record, state } = await product()
      await record(mode)
      expect((await run('2')).exitCode).toBe(0)
      expect(await state('server.ini')).toContain('mode = active')
    },
  )

  test('to the recorded version finishes an interrupted run', async () => {
    const { run, record, state } = await product()
    await record('upgrading', '2')
    expect((await run('2')).exitCode).toBe(0)
    expect(await state('server.ini')).toContain('mode = active')
  })

  test('of a product that is not provisioned is refused', async () => {
    const { run } = await product()
    const { outcomes } = await run('2')
    expect(outcomes[0]!.error).toMatchObject({
      code: 'step_failed',
      message: 'app is not provisioned on this host',
    })
  })
})
