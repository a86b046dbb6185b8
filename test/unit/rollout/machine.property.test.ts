/**
 * The state machine of a rollout, driven through random fleets, outcomes, verdicts and decisions, beside a model that
 * knows only what must hold: which hosts were begun, how each ended, and what the plan allows.
 */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { HostStatus } from '../../../lib/events.ts'
import { createMachine } from '../../../lib/rollout/machine.ts'
import {
  initialState,
  type RolloutCommand,
  type RolloutEvent,
  type RolloutPlan,
  type RolloutState,
  resumedState,
  watchedHosts,
} from '../../../lib/rollout/state.ts'

const statuses: readonly HostStatus[] = [
  ...['ok', 'changed', 'changed', 'changed', 'changed', 'changed', 'failed', 'unreachable'],
  ...['uncertain', 'locked', 'interrupted'],
] as HostStatus[]

const size = fc.oneof(
  fc.integer({ min: 0, max: 5 }).map(String),
  fc.integer({ min: 0, max: 40 }).map(share => `${share}%`),
)

/** A plan over one to 200 hosts. */
const plans: fc.Arbitrary<RolloutPlan> = fc
  .record({
    sizes: fc.oneof(
      fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 6 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 4 }),
    ),
    atOnce: fc.integer({ min: 1, max: 60 }),
    zones: fc.integer({ min: 1, max: 3 }),
    budget: fc.option(fc.integer({ min: 1, max: 8 }), { nil: undefined }),
    limits: fc.record({
      fail: fc.option(size, { nil: undefined }),
      unreachable: fc.option(size, { nil: undefined }),
    }),
    bakeMs: fc.constantFrom(0, 100),
    gate: fc.boolean(),
    pauses: fc.uniqueArray(fc.nat(4), { maxLength: 3 }),
    onFailure: fc.constantFrom('stop', 'pause', 'rollback'),
  })
  .map(({ sizes, zones, budget, atOnce, limits, bakeMs, gate, pauses, onFailure }) => {
    let made = 0
    const batches = sizes.map(count => Array.from({ length: count }, () => `h${++made}`))
    const names = batches.flat()
    const zone = (of: number) => names.filter((_, at) => at % zones === of)
    const all = Array.from({ length: zones }, (_, of) => zone(of)).filter(hosts => hosts.length > 0)
    const budgets =
      budget === undefined ? [] : all.map(hosts => ({ name: 'the budget', hosts, limit: budget }))
    return { batches, canary: false, atOnce, budgets, limits, bakeMs, gate, pauses, onFailure }
  })

/** Numbers that decide what happens next; when they are used up, all goes well. */
const choices = fc.array(fc.nat(1_000_000), { maxLength: 400 })

/** A choice by which all goes well, and time passes. */
const allGood = 50_059

/** What is known without the machine: hosts at work, and how the others ended. */
interface Model {
  working: Set<string>
  undoing: Set<string>
  ended: Map<string, HostStatus>
  changed: Set<string>
  undone: Map<string, boolean>
  accepted: Set<string>
  bakes: boolean
  asks: boolean
  paused: boolean
  over: boolean
}

const begin = (): Model => ({
  working: new Set(),
  undoing: new Set(),
  ended: new Map(),
  changed: new Set(),
  undone: new Map(),
  accepted: new Set(),
  bakes: false,
  asks: false,
  paused: false,
  over: false,
})

const isBad = (status: HostStatus) => status !== 'ok' && status !== 'changed'
const failed = ({ ended }: Model, unreachable: boolean) =>
  [...ended].filter(([, status]) => isBad(status) && (status === 'unreachable') === unreachable)

const allowed = (limit: string, total: number) =>
  limit.endsWith('%') ? Math.floor((Number(limit.slice(0, -1)) * total) / 100) : Number(limit)

/** What must hold of hosts that begin. @param before as it was when they were told to */
function checkStart(plan: RolloutPlan, model: Model, hosts: readonly string[]): void {
  const names = plan.batches.flat()
  const batchOf = (name: string) => plan.batches.findIndex(batch => batch.includes(name))
  const batch = batchOf(hosts[0]!)
  for (const host of hosts) {
    expect(batchOf(host)).toBe(batch)
    expect(model.ended.has(host) || model.working.has(host)).toBe(false)
    model.working.add(host)
  }
  // No host of a later batch is touched before all of those before have ended.
  for (const earlier of plan.batches.slice(0, batch).flat())
    expect(model.ended.has(earlier)).toBe(true)
  expect(model.bakes || model.asks || model.paused || model.undone.size > 0).toBe(false)
  expect(model.working.size).toBeLessThanOrEqual(plan.atOnce)
  for (const { hosts: own, limit } of plan.budgets) {
    if (!hosts.some(host => own.includes(host))) continue
    const away = own.filter(
      host =>
        model.working.has(host) ||
        (model.ended.has(host) && isBad(model.ended.get(host)!) && !model.accepted.has(host)),
    )
    expect(away.length).toBeLessThanOrEqual(limit)
  }
  for (const [kind, unreachable] of [
    ['fail', false],
    ['unreachable', true],
  ] as const) {
    const limit = plan.limits[kind]
    const bad = failed(model, unreachable)
    const taken = bad.filter(([host]) => model.accepted.has(host)).length
    const begun = plan.batches[batch]!.some(
      host => model.ended.has(host) || (model.working.has(host) && !hosts.includes(host)),
    )
    // Between batches none may have failed, unless a limit says otherwise.
    if (limit === undefined && (begun || batch === 0)) continue
    expect(bad.length).toBeLessThanOrEqual(Math.max(allowed(limit ?? '0', names.length), taken))
  }
}

function checkUndo(plan: RolloutPlan, model: Model, hosts: readonly string[]): void {
  const batchOf = (name: string) => plan.batches.findIndex(batch => batch.includes(name))
  const batch = batchOf(hosts[0]!)
  expect(model.working.size).toBe(0)
  for (const host of hosts) {
    expect(batchOf(host)).toBe(batch)
    // Only what this run has changed, and each once.
    expect(model.changed.has(host)).toBe(true)
    expect(model.undone.has(host) || model.undoing.has(host)).toBe(false)
    model.undoing.add(host)
  }
  for (const later of plan.batches.slice(batch + 1).flat())
    expect(model.changed.has(later) && !model.undone.has(later)).toBe(false)
  expect(model.undoing.size).toBeLessThanOrEqual(plan.atOnce)
  for (const { hosts: own, limit } of plan.budgets)
    expect(own.filter(host => model.undoing.has(host)).length).toBeLessThanOrEqual(limit)
}

function hear(plan: RolloutPlan, model: Model, commands: readonly RolloutCommand[]): void {
  for (const command of commands) {
    expect(model.over).toBe(false)
    if (command.do === 'start') checkStart(plan, model, command.hosts)
    if (command.do === 'undo') checkUndo(plan, model, command.hosts)
    if (command.do === 'bake') model.bakes = true
    if (command.do === 'ask') model.asks = true
    if (command.do === 'pause') model.paused = true
    if (command.do === 'end') model.over = true
  }
}

/** The event that a choice means just now, with what it does to the model. */
function choose(
  plan: RolloutPlan,
  state: RolloutState,
  model: Model,
  choice: number,
): RolloutEvent {
  const pick = <T>(list: readonly T[]) => list[choice % list.length]!
  const act = Math.floor(choice / 1000) % 100
  if (choice > 0 && act < 2) return { type: 'interrupt' }
  if (choice > 0 && act < 4) return { type: 'abort', undo: choice % 2 === 0, why: 'x' }
  if (choice > 0 && act < 6) return goOn(model)
  if (model.undoing.size > 0) {
    const host = pick([...model.undoing])
    const how = act < 12 ? 'failed' : 'done'
    model.undoing.delete(host)
    model.undone.set(host, how === 'done')
    return { type: 'undone', host, how }
  }
  if (model.working.size > 0) {
    const host = pick([...model.working])
    const status = choice === 0 || act > 30 ? 'changed' : pick(statuses)
    model.working.delete(host)
    model.ended.set(host, status)
    if (status === 'changed') model.changed.add(host)
    return { type: 'ended', host, status }
  }
  if (model.bakes) return bakes(plan, state, model, choice, act)
  if (model.asks) {
    model.asks = false
    const verdict = choice === 0 || act > 20 ? 'good' : pick(['bad', 'unknown'] as const)
    return { type: 'verdict', verdict, why: 'the gate' }
  }
  return goOn(model)
}

function goOn(model: Model): RolloutEvent {
  if (model.paused) {
    model.paused = false
    for (const [host, status] of model.ended) if (isBad(status)) model.accepted.add(host)
  }
  return { type: 'continue' }
}

function bakes(
  plan: RolloutPlan,
  state: RolloutState,
  model: Model,
  choice: number,
  act: number,
): RolloutEvent {
  const asked = watchedHosts(plan, state)
  const host = asked[choice % asked.length]
  if (choice > 0 && act < 20 && host !== undefined) {
    const verdict = choice % 3 === 0 ? 'unknown' : 'bad'
    if (verdict === 'bad') model.ended.set(host, 'failed')
    else model.accepted.add(host)
    return { type: 'verdict', host, verdict, why: 'a heartbeat' }
  }
  return { type: 'passed', ms: choice % 60 }
}

/** What a new stage ends. */
function follow(model: Model, { stage }: RolloutState): void {
  if (stage.kind !== 'baking') model.bakes = false
  if (stage.kind !== 'judging') model.asks = false
  if (stage.kind !== 'paused') model.paused = false
}

interface Played {
  state: RolloutState
  model: Model
  events: RolloutEvent[]
  commands: RolloutCommand[]
}

function play(plan: RolloutPlan, numbers: readonly number[]): Played {
  const advance = createMachine(plan)
  const model = begin()
  const events: RolloutEvent[] = []
  const commands: RolloutCommand[] = []
  let state = initialState(plan)
  const feed = (event: RolloutEvent) => {
    events.push(event)
    const next = advance(state, event)
    state = next.state
    commands.push(...next.commands)
    follow(model, state)
    hear(plan, model, next.commands)
  }
  feed({ type: 'begin' })
  // Whatever is chosen, it comes to an end once only good things happen.
  for (let at = 0; !model.over; at++) {
    expect(at).toBeLessThan(numbers.length + 5000)
    feed(choose(plan, state, model, at < numbers.length ? numbers[at]! : allGood))
  }
  return { state, model, events, commands }
}

describe('a rollout', () => {
  test('keeps its budgets and the order of its batches, whatever happens, and always ends', () => {
    fc.assert(
      fc.property(plans, choices, (plan, numbers) => {
        const { state, model } = play(plan, numbers)
        expect(model.working.size + model.undoing.size).toBe(0)
        if (state.interrupted) return
        expect(state.stage.kind).toBe('ended')
        const { why } = state.stage as { why?: string }
        // Without a reason, every host was begun.
        if (why === undefined) expect(model.ended.size).toBe(plan.batches.flat().length)
        // Going back leaves out no host that was changed.
        if (model.undone.size > 0)
          expect([...model.undone.keys()].sort()).toEqual([...model.changed].sort())
      }),
      { numRuns: 200 },
    )
  })

  test('goes on the same from its state as JSON', () => {
    fc.assert(
      fc.property(plans, choices, (plan, numbers) => {
        const { events, commands, state } = play(plan, numbers)
        const advance = createMachine(JSON.parse(JSON.stringify(plan)))
        let now = initialState(plan)
        const heard = events.flatMap(event => {
          const next = advance(JSON.parse(JSON.stringify(now)), event)
          now = next.state
          return next.commands
        })
        expect(heard).toEqual(commands)
        expect(now).toEqual(state)
      }),
      { numRuns: 60 },
    )
  })

  test('that is interrupted anywhere is gone on with, and no host that has ended is begun again', () => {
    fc.assert(
      fc.property(plans, choices, fc.nat(300), (plan, numbers, cut) => {
        const advance = createMachine(plan)
        const model = begin()
        let state = initialState(plan)
        const feed = (event: RolloutEvent) => {
          const next = advance(state, event)
          state = next.state
          follow(model, state)
          hear(plan, model, next.commands)
        }
        feed({ type: 'begin' })
        for (let at = 0; at < cut && !model.over; at++)
          feed(choose(plan, state, model, 4_000 + ((numbers[at] ?? 0) % 90_000) || 40_000))
        if (state.stage.kind === 'ended') return
        // The controller is killed: what was at work is begun again, or undone again.
        state = resumedState(plan, JSON.parse(JSON.stringify(state)))
        model.working.clear()
        model.undoing.clear()
        model.over = false
        const ended = new Set(model.ended.keys())
        model.bakes = false
        model.asks = false
        model.paused = false
        const resumed = advance(state, { type: 'begin' })
        state = resumed.state
        follow(model, state)
        for (const command of resumed.commands)
          if (command.do === 'start')
            expect(command.hosts.filter(host => ended.has(host))).toEqual([])
        hear(plan, model, resumed.commands)
        for (let at = 0; !model.over; at++) {
          expect(at).toBeLessThan(5000)
          feed(choose(plan, state, model, allGood))
        }
        expect(model.working.size + model.undoing.size).toBe(0)
      }),
      { numRuns: 80 },
    )
  })

  test('that is over hears nothing: aborting it makes no difference', () => {
    fc.assert(
      fc.property(plans, choices, fc.boolean(), (plan, numbers, undo) => {
        const { state } = play(plan, numbers)
        if (state.stage.kind !== 'ended') return
        const next = createMachine(plan)(state, { type: 'abort', undo, why: 'x' })
        expect(next).toEqual({ state, commands: [] })
      }),
      { numRuns: 60 },
    )
  })

  test('of which nothing was changed goes back by ending at once', () => {
    const plan = planOf([['a'], ['b']], { onFailure: 'rollback' })
    const advance = createMachine(plan)
    const begun = advance(initialState(plan), { type: 'begin' })
    const failed = advance(begun.state, { type: 'ended', host: 'a', status: 'failed' })
    expect(failed.commands).toEqual([{ do: 'end', why: '1 host failed, and --max-fail is 0' }])
  })
})

const planOf = (batches: string[][], more: Partial<RolloutPlan> = {}): RolloutPlan => ({
  batches,
  canary: false,
  atOnce: 50,
  budgets: [],
  limits: {},
  bakeMs: 0,
  gate: false,
  pauses: [],
  onFailure: 'stop',
  ...more,
})
