import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  type HostState,
  parseState,
  renderProduct,
  renderServer,
} from '../../../lib/bootstrap/state.ts'

const at = '2026-01-02T03:04:05.678Z'

/** A state as files. */
function files({ server, products }: HostState): Map<string, string> {
  const texts = new Map(
    [...products].map(([name, it]) => [`products/${name}.ini`, renderProduct(it)]),
  )
  if (server) texts.set('server.ini', renderServer(server))
  return texts
}

describe('parsing', () => {
  test('returns an empty state for a host that was never provisioned', () => {
    expect(parseState(new Map())).toEqual({
      products: new Map(),
      intents: new Map(),
      drains: new Map(),
    })
  })

  test('reads every documented key', () => {
    const state = parseState(
      new Map([
        ['server.ini', `[server]\nmode = active\nrole = web\nchanged_at = ${at}\nrun = r1\n`],
        [
          'products/x.ini',
          '[product]\nversion = 2\nprevious_version = 1\nprovisioned = abc\n[settings]\nport = 80\n',
        ],
        ['products/.x.ini.tmp', 'half a li'],
        ['bootstrap.pid', '17'],
      ]),
    )
    expect(state).toEqual({
      intents: new Map(),
      drains: new Map(),
      server: { mode: 'active', role: 'web', changedAt: at, run: 'r1' },
      products: new Map([
        ['x', { version: '2', previousVersion: '1', provisioned: 'abc', settings: { port: '80' } }],
      ]),
    })
  })

  test.each([
    ['server.ini', '', '1: the section [server] is missing'],
    ['server.ini', '[server]\nmode = active\nhalf', '3: not a section'],
    ['server.ini', '\n[server]\nrole = web', '2: [server] has no mode'],
    ['server.ini', '[server]\nmode = a\nchanged_at = now', '3: changed_at is not a time: "now"'],
    ['products/x.ini', '[product]\nversion = 1\nversion = 2', '3: duplicate key'],
    ['products/x.ini', '\0\0\0', '1: not a section'],
  ])('refuses a damaged %s: %j', (path, text, message) => {
    const place = `/srv/state/${path}:${message.split(':')[0]}`
    expect(() => parseState(new Map([[path, text]]), '/srv/state')).toThrow(
      expect.objectContaining({
        code: 'state_unreadable',
        exitCode: 4,
        message: expect.stringContaining(`/srv/state/${path}:${message}`),
        details: expect.objectContaining({ at: place }),
      }),
    )
  })

  test('has no settings inherited from Object', () => {
    const { products } = parseState(new Map([['products/x.ini', '[product]\n']]))
    expect(products.get('x')!.settings.constructor).toBeUndefined()
  })
})

describe('rendering', () => {
  test('keeps what a newer version wrote when something else changes', () => {
    const newer = '[product]\nversion = 1\npinned = yes\n\n[audit]\nby = ann\n'
    const product = parseState(new Map([['products/x.ini', newer]])).products.get('x')!
    const text = renderProduct({ ...product, version: '2', settings: { port: '80' } })
    expect(text.split('\n').slice(1).join('\n')).toBe(
      '[product]\nversion = 2\npinned = yes\n\n[settings]\nport = 80\n\n[audit]\nby = ann\n',
    )
  })

  const text = fc.string({ unit: 'binary' })
  const some = fc.string({ unit: 'binary', minLength: 1 })
  const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_.-]{0,8}$/)
  const time = fc
    .date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
    .map(date => date.toISOString())
  // The file groups what was kept by section: those before ours, in ours, after ours.
  const kept = (own: string) => {
    const sections = ['', own, 'audit', 'later']
    const entry = fc.record({
      section: fc.constantFrom(...sections),
      key: name.map(key => `newer_${key}`),
      value: text,
    })
    return fc
      .uniqueArray(entry, { minLength: 1, selector: it => `${it.section}\n${it.key}` })
      .map(entries => sections.flatMap(section => entries.filter(it => it.section === section)))
  }
  const server = fc.record(
    { mode: some, role: text, changedAt: time, run: some, kept: kept('server') },
    { requiredKeys: ['mode', 'changedAt', 'run'] },
  )
  const product = fc.record(
    {
      version: text,
      previousVersion: text,
      changedAt: time,
      run: text,
      provisioned: text,
      settings: fc.dictionary(name, text),
      kept: kept('product'),
    },
    { requiredKeys: ['settings'] },
  )

  test('is read back identically, whatever the values', () => {
    fc.assert(
      fc.property(fc.option(server, { nil: undefined }), fc.dictionary(name, product), (s, ps) => {
        const state: HostState = {
          ...(s && { server: s }),
          products: new Map(Object.entries(ps)),
          intents: new Map(),
          drains: new Map(),
        }
        expect(parseState(files(state))).toEqual(state)
      }),
      { numRuns: 300 },
    )
  })
})
