import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { productOnHost } from '../../../lib/bootstrap/product.ts'
import type { HostProduct, Items, RunningHost, Task } from '../../../lib/index.ts'
import { hostVars } from '../../../lib/inventory/host-vars.ts'
import { flatten } from '../../../lib/resources/resource.ts'
import { keepConfig, restoreConfig } from '../../../tasks/config-copy.ts'
import { deepfiler } from '../../../tasks/deepfiler.ts'
import { haproxy, haproxyConfig } from '../../../tasks/haproxy.ts'
import {
  configure,
  provision,
  provisionedWith,
  renewalOf,
  scriptEnv,
  upgrade,
} from '../../../tasks/product.ts'
import { moduleOf } from '../../../tasks/products.ts'
import { catalogueOf, localHost } from '../../support/local-run.ts'
import { temporaryDirectory, testHost } from '../../support/shells.ts'

const host = { ...localHost('h1', '/state'), facts: {} } as unknown as RunningHost

type Wishes = Partial<Parameters<typeof productOnHost>[1]>

/** A product as a catalogue's definition makes it on the host. */
const productOf = (definition: object, wishes: Wishes = {}): HostProduct =>
  productOnHost(catalogueOf({ app: definition })().products.get('app')!, {
    host,
    directory: '/catalogue',
    ...wishes,
  })

const setting = (name: string, more: object = {}) =>
  [name, { name, type: 'string', section: 's', key: name, description: '', ...more }] as const

const titles = (task: Task) => flatten(task).map(({ title }) => title)

describe('the tasks that provision a product', () => {
  test('install packages, the first in the wanted version', () => {
    const definition = { packages: ['haproxy', 'socat'], service: 'haproxy' }
    expect(titles(provision(productOf(definition), host))).toEqual([
      'pkg haproxy socat',
      'service haproxy running, enabled',
    ])
    const calls = flatten(provision(productOf(definition, { version: '2.6' }), host))
    expect(calls.slice(0, 2).map(({ call }) => call.args)).toEqual([
      // What the distribution has updated since stays.
      ['least', '', 'haproxy=2.6'],
      ['present', '', 'socat'],
    ])
  })

  test('restart the service if a package changes, as the old process would pass the heartbeat', () => {
    const definition = { packages: ['app', 'socat'], service: 'app' }
    const wishes = { version: '2.6' }
    for (const task of [provision, upgrade])
      for (const product of [productOf(definition), productOf(definition, wishes)])
        for (const each of flatten(task(product, host)).filter(({ title }) => /^pkg/.test(title)))
          expect(each.notify.map(({ title }) => title)).toEqual(['service app restarted'])
    const [exact] = flatten(upgrade(productOf(definition, wishes), host))
    expect(exact!.call.args).toEqual(['present', '', 'app=2.6'])
  })

  test('restart the service for the settings that say so, and reload it for the others', () => {
    const product = productOf({
      config: '/etc/app.ini',
      service: 'app',
      settings: new Map([
        setting('port', { default: '1', apply: 'restart' }),
        setting('level', { default: 'x', apply: 'reload' }),
      ]),
    })
    const notified = (keys: string[]) =>
      flatten(configure(product, keys, {})).map(({ notify }) => notify.map(({ title }) => title))
    expect(notified(['port', 'level'])).toEqual([
      ['service app restarted'],
      ['service app reloaded'],
    ])
    expect(notified(['level'])).toEqual([['service app reloaded']])
    expect(renewalOf(product, ['level'])).toBe('reload')
    expect(renewalOf(product, ['level', 'port'])).toBe('restart')
  })

  test('unpack an archive aside, link it, and restart the service if the link changes', async () => {
    const directory = await temporaryDirectory()
    await writeFile(join(directory, 'app-1.1.tar.gz'), 'x')
    const product = productOf(
      {
        archive: 'app-{version}.tar.gz',
        home: '/opt/app',
        service: '{home}/current/bin/app',
        version: '1.1',
      },
      { directory },
    )
    const task = provision(product, host)
    expect(task.title).toBe('provision app 1.1')
    expect(titles(task)).toEqual([
      'archive /opt/app/releases/1.1',
      'link current to releases/1.1',
      // A script of the release itself can't be enabled.
      'service /opt/app/current/bin/app running',
    ])
    // The first: an archive of this version that was built again is running only then.
    for (const step of [0, 1])
      expect(flatten(task)[step]!.notify.map(({ title }) => title)).toEqual([
        'service /opt/app/current/bin/app restarted',
      ])
  })

  test('set every setting that has a value, remove the others, and reload', () => {
    const product = productOf({
      config: '/etc/app.ini',
      configFormat: 'ini',
      validate: 'check %s',
      service: 'app',
      settings: new Map([
        setting('workers', { default: '4' }),
        setting('key', { type: 'secret', default: 'hunter2' }),
        setting('other', { section: 'o', key: 'the key' }),
      ]),
    })
    const [first, second] = flatten(provision(product, host))
    expect(first!.call.args).toEqual([
      '/etc/app.ini',
      'validate=check "$1"',
      'private=yes',
      '--',
      'S s',
      'K workers',
      'V 4',
      'K key',
      'V hunter2',
    ])
    expect(first!.secrets).toEqual(['hunter2'])
    expect(second!.call.args.slice(3)).toEqual(['S o', 'K the key', 'D'])
    expect(first!.notify.map(({ title }) => title)).toEqual(['service app reloaded'])
    expect(second!.notify[0]).toBe(first!.notify[0])
    expect(titles(configure(product, ['workers'], {}))).toEqual(['ini /etc/app.ini [s]'])
    expect(flatten(configure(product, ['workers'], {}))[0]!.call.args).not.toContain('K key')
  })

  test('run its script unless it already succeeded with the same values', async () => {
    const script = join(await temporaryDirectory(), 'provision.sh')
    await writeFile(script, 'install it')
    const definition = { scripts: { provision: script }, version: '1' }
    const product = productOf(definition)
    expect(titles(provision(product, host))).toEqual(['provision script of app'])
    const provisioned = provisionedWith(product, host)!
    const again = (more: Wishes = {}) =>
      provision(
        productOf(definition, { recorded: { settings: {}, version: '1', provisioned }, ...more }),
        host,
      )
    expect(titles(again())).toEqual([])
    expect(titles(again({ version: '2' }))).toEqual(['provision script of app'])
    await writeFile(script, 'install it otherwise')
    expect(titles(again())).toEqual(['provision script of app'])
  })

  test('include the steps of its module in the right places', () => {
    const product = productOf({
      packages: ['aa'],
      home: '/opt/app',
      config: '/etc/app',
      service: 'app',
    })
    expect(titles(provision(product, host, deepfiler))).toContain('file /opt/app/config')
    expect(moduleOf({ ...product, name: 'haproxy' })).toBe(haproxy)
    expect(moduleOf(product)).toEqual({})
    const own = { prepare: () => false as const }
    expect(moduleOf({ ...product, name: 'haproxy', module: own })).toBe(own)
  })
})

describe('an upgrade', () => {
  test('runs the upgrade script only if the version differs from the recorded one', async () => {
    const script = join(await temporaryDirectory(), 'upgrade.sh')
    await writeFile(script, 'upgrade')
    const definition = { scripts: { upgrade: script } }
    const recorded = { settings: {}, version: '1' }
    expect(titles(upgrade(productOf(definition, { recorded, version: '2' }), host))).toEqual([
      'upgrade script of app',
    ])
    expect(titles(upgrade(productOf(definition, { recorded, version: '1' }), host))).toEqual([])
  })

  test('keeps a copy of the config and can restore it', () => {
    const product = productOf({ config: '/etc/it’s app.ini' })
    const kept = flatten(keepConfig(product, host, false))
    expect(kept.map(({ title }) => title)).toEqual([
      'directory /state/h1-state/products',
      'keep /etc/it’s app.ini',
    ])
    expect(flatten(restoreConfig(product, host)).map(({ title }) => title)).toEqual([
      'restore /etc/it’s app.ini',
    ])
    expect(
      flatten([keepConfig(productOf({}), host, false), restoreConfig(productOf({}), host)]),
    ).toEqual([])
  })
})

test.each([
  { cutShort: false, restored: 'edited by hand' },
  { cutShort: true, restored: 'before the upgrade' },
])(
  'handles an existing copy of the config; cut short: $cutShort',
  async ({ cutShort, restored }) => {
    const directory = await temporaryDirectory()
    const at = { ...host, bootstrapDir: join(directory, 'state') }
    const config = join(directory, 'app.ini')
    const product = productOf({ config })
    const { segment } = await testHost({})
    const apply = async (items: Items) => {
      const results = await segment(flatten(items).map(({ call }) => call))
      expect(results.filter(({ status }) => status === 'failed')).toEqual([])
    }
    await mkdir(at.bootstrapDir)
    await writeFile(config, 'before the upgrade')
    await apply(keepConfig(product, at, false))
    await writeFile(config, 'edited by hand')
    await apply(keepConfig(product, at, cutShort))
    await writeFile(config, 'of the new version')
    await apply(restoreConfig(product, at))
    expect(await readFile(config, 'utf8')).toBe(restored)
  },
)

test('scripts get the product, its settings and its paths', () => {
  const product = productOf(
    {
      version: '2',
      home: '/opt/{product}',
      config: '{home}/app.ini',
      settings: new Map([setting('max-conn', { default: '5' })]),
    },
    { recorded: { settings: {}, version: '1' }, version: '2' },
  )
  expect(scriptEnv(product, host)).toEqual({
    PRODUCT: 'app',
    VERSION: '2',
    PREVIOUS_VERSION: '1',
    CONFIG: '/opt/app/app.ini',
    HOME_DIR: '/opt/app',
    ROOT: '',
    BOOTSTRAP_DIR: '/state/h1-state',
    SETTING_MAX_CONN: '5',
  })
})

describe('haproxy’s config', () => {
  test('has each setting on its own line, and the backends of the host', () => {
    const config = haproxyConfig(
      { maxconn: '7', timeout_server: '9s' },
      { vars: hostVars('lb', { haproxy_backends: '10.0.0.2:80, 10.0.0.3:80' }) },
    )
    expect(config).toContain('    maxconn 7\n')
    expect(config).toContain('    timeout server 9s\n')
    expect(config).toContain('    server stack1 10.0.0.2:80\n    server stack2 10.0.0.3:80\n')
    expect(config.endsWith('\n')).toBe(true)
  })

  test('has defaults for settings that are not set', () => {
    expect(haproxyConfig({}, { vars: hostVars('lb', {}) })).toContain(
      'server stack1 127.0.0.1:8080\n',
    )
  })
})
