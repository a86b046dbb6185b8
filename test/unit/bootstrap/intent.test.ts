import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  decide,
  describeIntent,
  type Intent,
  type ScriptState,
  scriptStates,
  settledMode,
  type Target,
} from '../../../lib/bootstrap/intent.ts'
import { parseIntent, renderIntent } from '../../../lib/bootstrap/intent-file.ts'

const a: Target = { version: '1', settings: { port: '1' } }
const b: Target = { version: '2', settings: { port: '1' } }
const c: Target = { version: '3', settings: { port: '1' } }
const set: Target = { version: '1', settings: { port: '2' } }

const intentOf = (more: Partial<Intent> = {}): Intent => ({
  recipe: 'product.upgrade',
  run: 'r1',
  attempt: 1,
  begunAt: '2026-11-30T09:00:00.000Z',
  direction: 'forward',
  mode: 'maintenance',
  config: '/etc/app.ini',
  from: a,
  to: b,
  steps: {},
  ...more,
})

describe('what is done about what is under way', () => {
  const upgrade = (more?: Partial<Intent>) => intentOf(more)
  const setting = intentOf({ recipe: 'product.set', to: set, mode: undefined })
  const provision = intentOf({ recipe: 'server.provision', to: a })
  const first = intentOf({ recipe: 'server.provision', from: undefined, to: a })
  const script = (state: ScriptState, more: Partial<Intent> = {}) =>
    intentOf({ steps: { script: state }, ...more })

  test.each<[string, Intent | undefined, Target | undefined, string, Target, string]>([
    ['nothing', undefined, a, 'product.upgrade', b, 'begin'],
    ['an upgrade', upgrade(), a, 'product.upgrade', b, 'go on'],
    ['an upgrade', upgrade(), a, 'product.rollback', b, 'go on'],
    ['an upgrade', upgrade(), a, 'product.upgrade', a, 'go back'],
    ['an upgrade', upgrade(), a, 'product.rollback', a, 'go back'],
    ['an upgrade', upgrade(), a, 'server.provision', a, 'go back'],
    ['an upgrade', upgrade(), a, 'product.upgrade', c, 'go back, then begin'],
    ['an upgrade', upgrade(), a, 'product.set', set, 'go back, then begin'],
    ['an upgrade whose script ran', script('forward ended'), a, 'product.upgrade', b, 'go on'],
    // On what a script has left that was cut off it must not run again.
    ...(['forward begun', 'back begun', 'back ended'] as const).map(
      state =>
        [
          `an upgrade whose script is ${state}`,
          script(state),
          a,
          'product.upgrade',
          b,
          'go back, then begin',
        ] as [string, Intent, Target, string, Target, string],
    ),
    ['a way back', upgrade({ direction: 'back' }), a, 'product.upgrade', b, 'go back, then begin'],
    ['a way back', upgrade({ direction: 'back' }), a, 'product.upgrade', a, 'go back'],
    ['a proven upgrade', upgrade(), b, 'product.upgrade', b, 'put away'],
    ['a proven upgrade', upgrade(), b, 'server.provision', b, 'put away'],
    ['a proven upgrade', upgrade(), b, 'product.set', { ...b, settings: {} }, 'put away'],
    ['a proven upgrade', upgrade(), b, 'product.upgrade', a, 'go back'],
    ['a setting', setting, a, 'product.set', set, 'go on'],
    ['a setting', setting, a, 'product.set', a, 'go back'],
    ['a setting', setting, a, 'server.provision', a, 'go back'],
    ['a setting', setting, a, 'product.upgrade', a, 'go back'],
    ['a setting', setting, a, 'product.upgrade', b, 'go back, then begin'],
    ['a setting', setting, a, 'product.set', { ...a, settings: {} }, 'go back, then begin'],
    ['a proven setting', setting, set, 'product.upgrade', set, 'put away'],
    ['a provision', provision, a, 'server.provision', a, 'go on'],
    ['a provision', provision, a, 'product.upgrade', a, 'go back'],
    ['a provision', provision, a, 'product.upgrade', b, 'go back, then begin'],
    ['the first provision', first, undefined, 'server.provision', a, 'go on'],
    ['the first provision', first, undefined, 'server.provision', b, 'go on'],
    ['the first provision', first, a, 'product.upgrade', b, 'begin'],
  ])('%s under way', (_, intent, recorded, recipe, wanted, move) => {
    expect(decide(intent, recorded, { recipe, ...wanted })).toBe(move)
  })

  test('takes a package’s version for the same with its epoch and release', () => {
    const from = { ...a, version: '1:1.0-1' }
    const wanted = { recipe: 'product.upgrade', version: '1.0', settings: a.settings }
    expect(decide(intentOf({ from }), from, wanted)).toBe('go back')
  })
})

describe('the mode of a server when nothing is under way any more', () => {
  const upgrade = new Map([['app', intentOf()]])
  test.each<[string, string, ReadonlyMap<string, Intent>, string]>([
    ['is what it was before', 'upgrading', upgrade, 'maintenance'],
    ['is what somebody has set since', 'active', upgrade, 'active'],
    ['is active where nothing says otherwise', 'provisioning', new Map(), 'active'],
    ['is left alone', 'maintenance', new Map(), 'maintenance'],
  ])('%s', (_, mode, intents, settled) => {
    expect(settledMode({ mode }, intents)).toBe(settled)
  })
})

describe('the file', () => {
  const text = fc.string({ unit: 'grapheme' }).filter(word => !/[\r\n\0]/.test(word) && word !== '')
  const target = fc.record(
    {
      version: text,
      previousVersion: text,
      previousConfig: text,
      provisioned: text,
      settings: fc.dictionary(fc.stringMatching(/^[A-Za-z_][\w.-]*$/), text),
    },
    { requiredKeys: ['settings'] },
  )
  const steps = fc.record(
    {
      copy: text,
      config: text,
      script: fc.constantFrom(...scriptStates),
      restored: fc.constant(true),
    },
    { requiredKeys: [] },
  )

  test('is read back identically, whatever the values', () => {
    fc.assert(
      fc.property(target, target, steps, text, (from, to, done, run) => {
        const intent = intentOf({ from, to, steps: done, run })
        expect(parseIntent(renderIntent(intent), 'x')).toEqual(intent)
        const first = { ...intent }
        delete first.from
        expect(parseIntent(renderIntent(first), 'x')).toEqual(first)
      }),
    )
  })

  test.each([
    ['[intent]\nrecipe = x\n', 'has no direction'],
    [renderIntent(intentOf()).replace('forward', 'sideways'), 'neither forward nor back'],
    [renderIntent(intentOf()).replace('[to]', '[two]'), 'the section [to] is missing'],
    [`${renderIntent(intentOf())}script = backwards\n`, 'script is not one of'],
    ['', 'the section [intent] is missing'],
  ])('is not guessed at where it is damaged: %#', (damaged, message) => {
    expect(() => parseIntent(damaged, 'app.intent')).toThrow(
      expect.objectContaining({
        code: 'state_unreadable',
        message: expect.stringContaining(message),
      }),
    )
  })

  test('says in a few words what is under way', () => {
    expect(describeIntent(intentOf({ attempt: 2, direction: 'back' }))).toBe(
      'product.upgrade from 1 to 2, on the way back, since run r1 (attempt 2)',
    )
  })
})
