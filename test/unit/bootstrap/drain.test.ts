import { describe, expect, test } from 'vitest'
import { parseCatalogue } from '../../../lib/bootstrap/catalogue.ts'
import type { Drain } from '../../../lib/bootstrap/drain.ts'
import { parseDrain, renderDrain } from '../../../lib/bootstrap/drain-file.ts'
import { productOnHost } from '../../../lib/bootstrap/product.ts'
import { localHost } from '../../support/local-run.ts'

const catalogue = (lines: string) =>
  parseCatalogue(`[server]\nmodes = provisioning, active, upgrading\n[product:app]\n${lines}`, {
    file: 'bootstrap.ini',
  })

describe('the balancer of a product', () => {
  test('has defaults, and the names that it has on a host', () => {
    const { products } = catalogue('balancer = lb:!lb9\nbackend = {tier}_app\nserver = {host}.x\n')
    const host = localHost('web1', '/srv', { tier: 'blue' })
    expect(productOnHost(products.get('app')!, { host, directory: '/' }).balancer).toEqual({
      hosts: 'lb:!lb9',
      backend: 'blue_app',
      server: 'web1.x',
      socket: undefined,
      drainMs: 30_000,
      readyMs: 30_000,
    })
  })

  test.each([
    ['balancer = lb', 'balancer: also needs the key backend'],
    ['backend = app', 'backend: has no effect without the key balancer'],
    ['drain_timeout = 5s', 'drain_timeout: has no effect without the key balancer'],
    ['balancer = lb\nbackend = a b', 'backend: "a b" is not a name in haproxy'],
    ['balancer = lb\nbackend = app;shutdown', 'is not a name in haproxy'],
    ['balancer = lb\nbackend = app\nserver = x/{host}', 'is not a name in haproxy'],
    ['balancer = lb\nbackend = app\nbalancer_socket = admin.sock', 'needs the absolute path'],
    ['balancer = lb\nbackend = app\nready_timeout = soon', 'ready_timeout'],
  ])('is refused as %j', (lines, why) => {
    expect(() => catalogue(`${lines}\n`)).toThrow(why)
  })

  test('is refused where a variable would become more than a name', () => {
    const { products } = catalogue('balancer = lb\nbackend = {tier}\n')
    const host = localHost('web1', '/srv', { tier: 'app; shutdown frontend x' })
    expect(() => productOnHost(products.get('app')!, { host, directory: '/' })).toThrow(
      'is not a name in haproxy',
    )
  })
})

describe('the note of a drain', () => {
  const drain: Drain = {
    recipe: 'product.upgrade',
    run: 'r1',
    by: 'anna@ci',
    since: '2026-01-01T00:00:00.000Z',
    stays: true,
    backend: 'app',
    server: 'web1',
    balancers: new Map([
      ['lb1', 'ready'],
      ['lb.2', 'maint'],
    ]),
  }

  test('is read as it was written', () => {
    expect(parseDrain(renderDrain(drain), 'x')).toEqual(drain)
    const passing = { ...drain, stays: false }
    expect(parseDrain(renderDrain(passing), 'x')).toEqual(passing)
  })

  test.each([
    ['', 'the section [drain] is missing'],
    [renderDrain(drain).replace(/^by.*\n/m, ''), '[drain] has no by'],
    [renderDrain(drain).replace('= ready', '= gone'), 'lb1 is not one of ready, drain, maint'],
  ])('is refused where it is damaged: %j', (text, why) => {
    expect(() => parseDrain(text, 'app.drain')).toThrow(
      expect.objectContaining({ code: 'state_unreadable', message: expect.stringContaining(why) }),
    )
  })
})
