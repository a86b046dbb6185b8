import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { RolloutOptions } from '../../../lib/recipe/rollout-options.ts'
import { shuffle, spread } from '../../../lib/rollout/order.ts'
import { describePlan, planRollout } from '../../../lib/rollout/plan-batches.ts'
import { type PolicyTexts, readPolicy } from '../../../lib/rollout/policy.ts'
import { localHost } from '../../support/local-run.ts'

const read = (declared?: object, given: PolicyTexts = {}, preset?: string) =>
  readPolicy(declared as RolloutOptions, given, preset, () => 'drawn')

describe('the policy of a run', () => {
  test('is by default one batch, which stops at a failure', () => {
    expect(read()).toEqual({
      waves: ['100%'],
      canary: undefined,
      maxUnavailable: undefined,
      order: { by: 'inventory' },
      bakeMs: 0,
      gate: undefined,
      pause: 'never',
      limits: undefined,
      deadlineMs: undefined,
      onFailure: 'stop',
    })
  })

  test('is read the same from a recipe and from options', () => {
    const declared = read({
      waves: [1, '25%', '100%'],
      canary: 'web1',
      maxUnavailable: '1/zone',
      order: 'spread:zone',
      bake: '2m',
      gate: 'none',
      pause: [1, 3],
      maxFail: 2,
      maxUnreachable: '10%',
      deadline: '10m',
      onFailure: 'pause',
    })
    const given = read(undefined, {
      waves: '1,25%,100%',
      canary: 'web1',
      maxUnavailable: '1/zone',
      order: 'spread:zone',
      bake: '2m',
      gate: 'none',
      pause: '1,3',
      maxFail: '2',
      maxUnreachable: '10%',
      deadline: '10m',
      onFailure: 'pause',
    })
    expect(given).toEqual(declared)
    expect(declared).toMatchObject({
      waves: ['1', '25%', '100%'],
      canary: { pattern: 'web1' },
      maxUnavailable: { size: '1', per: 'zone' },
      order: { by: 'spread', over: 'zone' },
      bakeMs: 120_000,
      pause: [1, 3],
      limits: { fail: '2', unreachable: '10%' },
      deadlineMs: 600_000,
    })
  })

  test('takes an option before the preset, and the preset before the recipe', () => {
    const recipe = { canary: 5, bake: '10m', deadline: '1h', order: 'shuffled' }
    expect(read(recipe, { bake: '30s' }, 'careful')).toMatchObject({
      canary: { size: '1' },
      waves: ['10%', '25%', '100%'],
      bakeMs: 30_000,
      pause: 'after-canary',
      onFailure: 'pause',
      deadlineMs: 3_600_000,
      order: { by: 'shuffled', seed: 'drawn' },
    })
  })

  test('takes what a recipe declares away by none', () => {
    const recipe = { canary: 1, maxUnavailable: 2, deadline: '1m' }
    const none = read(recipe, { canary: 'none', maxUnavailable: 'none', deadline: 'none' })
    expect(none).toMatchObject({
      canary: undefined,
      maxUnavailable: undefined,
      deadlineMs: undefined,
    })
  })

  test('has the gate of a recipe, unless an option names another', () => {
    const gate = () => 'good'
    expect(read({ gate }).gate).toBe(gate)
    expect(read({ gate }, { gate: 'none' }).gate).toBe('none')
  })

  test.each<[PolicyTexts, string]>([
    [{ order: 'spred:zone' }, "--order: unknown order 'spred': did you mean spread?"],
    [{ order: 'spread' }, '--order spread: names no variable to spread over'],
    [{ order: 'spread:a b' }, '--order spread:a b: names no variable to spread over'],
    [{ order: 'shuffled:' }, '--order shuffled:: has no seed'],
    [{ order: 'inventory:x' }, '--order inventory:x: takes nothing after it'],
    [{ gate: 'heartbeet' }, "--gate: unknown gate 'heartbeet': did you mean heartbeat?"],
    [
      { pause: 'after-canari' },
      "--pause: unknown pause 'after-canari': did you mean after-canary?",
    ],
    [{ pause: '0' }, '--pause 0: "0" is not the number of a batch'],
    [{ pause: '1,' }, '--pause 1,: "" is not the number of a batch'],
    [{ onFailure: 'rollbak' }, 'did you mean rollback?'],
    [{ canary: '1,2' }, '--canary 1,2: is more than one batch'],
    [{ canary: '0' }, '--canary 0: "0" is not a number of hosts or a percentage'],
    [{ canary: '-1' }, '--canary -1: "-1" is not a number of hosts or a percentage'],
    [{ canary: ' ' }, '--canary "": names no host'],
    [{ bake: 'soon' }, '--bake: not a duration: "soon"'],
    [{ deadline: '0' }, '--deadline 0: must be more than 0'],
  ])('refuses %j', (given, message) => {
    expect(() => read(undefined, given)).toThrow(
      expect.objectContaining({ exitCode: 2, message: expect.stringContaining(message) }),
    )
  })

  test.each<[object | number, string]>([
    [{ wavs: 1 }, 'the recipe’s rollout has no key wavs: did you mean waves?'],
    [{ waves: [] }, 'rollout.waves : "" is not a number of hosts'],
    [{ order: 'spred:zone' }, "rollout.order: unknown order 'spred'"],
    [{ bake: 5 }, undefined as never],
    [7, 'the recipe’s rollout is not an object'],
  ])('refuses %j of a recipe as the recipe’s fault', (declared, message) => {
    // A number alone is seconds, as everywhere.
    if (message === undefined) expect(read(declared as object).bakeMs).toBe(5000)
    else
      expect(() => read(declared as object)).toThrow(
        expect.objectContaining({
          code: 'recipe_invalid',
          message: expect.stringContaining(message),
        }),
      )
  })

  test('refuses a preset that does not exist and names the nearest', () => {
    expect(() => read(undefined, {}, 'carefull')).toThrow(
      "unknown rollout 'carefull': did you mean careful?",
    )
  })
})

describe('the order of hosts', () => {
  const names = Array.from({ length: 50 }, (_, at) => `h${at}`)

  test('that is shuffled has every host once, and is the same for the same seed', () => {
    fc.assert(
      fc.property(fc.string(), fc.uniqueArray(fc.string()), (seed, items) => {
        const found = shuffle(items, seed)
        expect([...found].sort()).toEqual([...items].sort())
        expect(shuffle(items, seed)).toEqual(found)
      }),
    )
    expect(shuffle(names, '1')).not.toEqual(names)
    expect(shuffle(names, '1')).not.toEqual(shuffle(names, '2'))
  })

  test('that is spread takes one of each value in turn', () => {
    const hosts = ['a1', 'a2', 'a3', 'b1', 'c1', 'c2']
    expect(spread(hosts, host => host[0]!)).toEqual(['a1', 'b1', 'c1', 'a2', 'c2', 'a3'])
  })
})

describe('the plan of a rollout', () => {
  const hosts = ['web1', 'web2', 'web3', 'web4', 'web5', 'db1'].map((name, at) =>
    localHost(name, '/tmp', at < 5 ? { zone: at % 2 === 0 ? 'a' : 'b' } : {}),
  )
  const plan = (declared: object) =>
    planRollout(
      hosts,
      read(declared),
      pattern => hosts.map(each => each.name).filter(name => name.startsWith(pattern)),
      50,
    )

  test.each<[object, string[][]]>([
    [{}, [['web1', 'web2', 'web3', 'web4', 'web5', 'db1']]],
    [{ canary: 1, waves: ['50%', '100%'] }, [['web1'], ['web2', 'web3', 'web4'], ['web5', 'db1']]],
    [
      { canary: '34%' },
      [
        ['web1', 'web2'],
        ['web3', 'web4', 'web5', 'db1'],
      ],
    ],
    [{ canary: 'db' }, [['db1'], ['web1', 'web2', 'web3', 'web4', 'web5']]],
    [{ canary: 9 }, [['web1', 'web2', 'web3', 'web4', 'web5', 'db1']]],
    [
      { order: 'spread:zone', waves: 3 },
      [
        ['web1', 'web2', 'db1'],
        ['web3', 'web4', 'web5'],
      ],
    ],
  ])('of %j has these batches', (declared, batches) => {
    expect(plan(declared).batches).toEqual(batches)
  })

  test('has a budget for each value of a variable, and one for hosts without it', () => {
    expect(plan({ maxUnavailable: '50%/zone' }).budgets).toEqual([
      { name: '--max-unavailable is 50% for zone a', hosts: ['web1', 'web3', 'web5'], limit: 1 },
      { name: '--max-unavailable is 50% for zone b', hosts: ['web2', 'web4'], limit: 1 },
      { name: '--max-unavailable is 50% for zone (none)', hosts: ['db1'], limit: 1 },
    ])
  })

  test.each<[object, string]>([
    [
      { order: 'spread:zon' },
      '--order: no host of this run has a variable zon: did you mean zone?',
    ],
    [
      { maxUnavailable: '1/zon' },
      '--max-unavailable: no host of this run has a variable zon: did you mean zone?',
    ],
    [{ canary: 'lb' }, 'the canary lb is none of the hosts of this run'],
    [{ pause: 'after-canary' }, '--pause after-canary: there is no canary'],
  ])('refuses %j for these hosts', (declared, message) => {
    expect(() => plan(declared)).toThrow(expect.objectContaining({ exitCode: 2, message }))
  })

  test('is shown as its batches by name, if there are several', () => {
    expect(describePlan(plan({}))).toEqual([])
    expect(describePlan(plan({ canary: 1, pause: 'after-canary' }))).toEqual([
      'batch 1 of 2, the canary: web1; then it pauses',
      'batch 2 of 2: web2, web3, web4, web5, db1',
    ])
  })
})
