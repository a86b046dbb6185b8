import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { productOnHost } from '../../../lib/bootstrap/product.ts'
import type { HostProduct, RunningHost, Task } from '../../../lib/index.ts'
import { hostVars } from '../../../lib/inventory/host-vars.ts'
import { flatten } from '../../../lib/resources/resource.ts'
import { haproxy, haproxyConfig } from '../../../tasks/haproxy.ts'
import {
  configure,
  provision,
  provisionedWith,
  renewalOf,
  scriptEnv,
  undone,
  upgrade,
} from '../../../tasks/product.ts'
import { moduleOf } from '../../../tasks/products.ts'
import { catalogueOf, localHost, viewOf } from '../../support/local-run.ts'
import { temporaryDirectory } from '../../support/shells.ts'

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
    const upgraded = (product: HostProduct) => upgrade(product, host, { module: {} })
    for (const task of [(product: HostProduct) => provision(product, host), upgraded])
      for (const product of [productOf(definition), productOf(definition, wishes)])
        for (const each of flatten(task(product)).filter(({ title }) => /^pkg/.test(title)))
          expect(each.notify.map(({ title }) => title)).toEqual(['service app restarted'])
    const [exact] = flatten(upgraded(productOf(definition, wishes)))
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
    const inventory = { inventory: viewOf([]) }
    expect(
      titles(provision(product, host, moduleOf({ ...product, name: 'deepfiler' }, inventory))),
    ).toContain('file /opt/app/config')
    expect(moduleOf({ ...product, name: 'haproxy' }, inventory).prepare).toBe(haproxy.prepare)
    expect(moduleOf(product, inventory)).toEqual({})
    const own = { prepare: () => false as const }
    expect(moduleOf({ ...product, name: 'haproxy', module: own }, inventory)).toBe(own)
  })
})

describe('an upgrade', () => {
  test('runs the upgrade script only if the version differs from the one before, in pairs', async () => {
    const script = join(await temporaryDirectory(), 'upgrade.sh')
    await writeFile(script, 'upgrade')
    const product = (version: string) => productOf({ scripts: { upgrade: script } }, { version })
    const forth = (version: string) =>
      upgrade(product(version), host, { module: {}, previous: '1' })
    const steps = flatten(forth('2'))
    expect(steps.map(({ title, part }) => [title, part])).toEqual([
      ['upgrade script of app', 'forward'],
    ])
    expect(steps[0]!.call.args).toContain('env=PREVIOUS_VERSION=1')
    expect(titles(forth('1'))).toEqual([])
    const back = { module: {}, previous: '2', copy: '', restored: false, keys: [] }
    expect(flatten(undone(product('1'), host, back)).map(({ part }) => part)).toEqual(['back'])
    expect(titles(undone(product('2'), host, back))).toEqual([])
  })

  test('is undone with the release that ran before, not with what was built since', async () => {
    const directory = await temporaryDirectory()
    const app = { archive: 'app.tar.gz', home: '/opt/app', config: '/etc/app.ini', service: 'app' }
    const back = { module: {}, previous: '2', copy: 'copy', restored: false, keys: [] }
    const way = () =>
      flatten(undone(productOf(app, { directory, version: '1' }), host, back)).map(
        ({ title, when }) => [title, when?.kind],
      )
    const rest = [
      ['link current to releases/1', undefined],
      ['restore /etc/app.ini', undefined],
      ['service app running', undefined],
    ]
    expect(way()).toEqual(rest)
    await writeFile(join(directory, 'app.tar.gz'), '')
    expect(way()).toEqual([['archive /opt/app/releases/1', 'not'], ...rest])
  })
})

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
      viewOf([]),
    )
    expect(config).toContain('    maxconn 7\n')
    expect(config).toContain('    timeout server 9s\n')
    expect(config).toContain('    server stack1 10.0.0.2:80\n    server stack2 10.0.0.3:80\n')
    expect(config.endsWith('\n')).toBe(true)
  })

  test('has defaults for settings that are not set', () => {
    expect(haproxyConfig({}, { vars: hostVars('lb', {}) }, viewOf([]))).toContain(
      'server stack1 127.0.0.1:8080\n',
    )
  })

  test('has all hosts of a group as backends, by their names, whichever hosts the run is about', () => {
    const app = [1, 2].map(number => ({
      ...localHost(`app${number}`, '/srv'),
      address: `10.0.0.${number}`,
    }))
    const inventory = viewOf(app, { app: ['app1', 'app2'] })
    const vars = hostVars('lb', { haproxy_backends: 'app:8080, 10.1.0.1:90' })
    expect(haproxyConfig({}, { vars }, inventory)).toContain(
      '    server app1 10.0.0.1:8080\n    server app2 10.0.0.2:8080\n    server stack2 10.1.0.1:90\n',
    )
  })
})
