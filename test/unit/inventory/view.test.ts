import { describe, expect, test } from 'vitest'
import { createInventoryView } from '../../../lib/inventory/view.ts'
import { inventoryOf, localHost } from '../../support/local-run.ts'

const hosts = [
  localHost('db1', '/state', { port: '5432', app_token: 'sesame-of-db1' }),
  localHost('app1', '/state', { port: '8080' }),
]

/** The view, and what it has hidden. */
function viewed() {
  const hidden: string[] = []
  const view = createInventoryView(inventoryOf(hosts, { app: ['app1'], empty: [] }), {
    names: new Set(['app_token']),
    hide: values => void hidden.push(...values),
  })
  return { view, hidden }
}

describe('the inventory as recipes see it', () => {
  test('has all hosts, groups and variables', () => {
    const { view } = viewed()
    expect(view.hosts.map(({ name }) => name)).toEqual(['db1', 'app1'])
    expect(view.groups).toEqual(['all', 'app', 'empty'])
    expect(view.group('app').map(({ name }) => name)).toEqual(['app1'])
    expect(view.group('empty')).toEqual([])
    expect(view.host('db1').vars.port).toBe('5432')
    expect(view.select('all:!db1').map(({ name }) => name)).toEqual(['app1'])
  })

  test.each([
    ['host', () => viewed().view.host('ap1'), 'did you mean app1?'],
    ['group', () => viewed().view.group('ap'), 'did you mean app?'],
    ['host or group', () => viewed().view.select('bd1'), 'did you mean db1?'],
  ])('refuses the name of an unknown %s and names the nearest', (kind, ask, nearest) => {
    expect(ask).toThrow(
      expect.objectContaining({
        code: 'unknown_name',
        message: expect.stringMatching(
          new RegExp(`^unknown ${kind} .*${nearest.replace('?', '.')}`),
        ),
      }),
    )
  })

  test.each([
    ['read', () => (vars: Record<string, string>) => vars.app_token],
    [
      'asked for by maybe()',
      () => (vars: never) => (vars as { maybe(name: string): string }).maybe('app_token'),
    ],
    ['spread', () => (vars: object) => ({ ...vars })],
  ])('hides a variable that is a secret once it is %s', (_, make) => {
    const { view, hidden } = viewed()
    const { vars } = view.host('db1')
    expect(vars.port).toBe('5432')
    expect(hidden).toEqual([])
    make()(vars as never)
    expect(hidden).toEqual(['sesame-of-db1'])
  })
})
