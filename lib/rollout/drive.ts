/** Does what the state machine says: hosts, clock and people are here. Decisions are all in machine.ts. */
import type { HostOutcome } from '../events.ts'
import type { Interrupts } from '../host/interrupts.ts'
import { type Accounts, createAccounts, type Keeping } from './accounts.ts'
import { announcementsOf } from './announce.ts'
import { type Baking, bakeFor } from './bake.ts'
import type { Deeds } from './deeds.ts'
import { createHooks } from './hooks.ts'
import { createMachine } from './machine.ts'
import type { RolloutCommand, RolloutEvent, RolloutPlan, RolloutState } from './state.ts'

/** What a rollout begins with. */
export interface Beginning {
  plan: RolloutPlan
  state: RolloutState
  /** What was decided about a run that had paused: the first event, instead of `begin`. */
  decided?: RolloutEvent
}

export interface Driven {
  /** In the order of the batches. */
  outcomes: HostOutcome[]
  state: RolloutState
  /** Why it is left to a person. */
  paused?: string
  /** What is before or after the run, or a batch, has failed. */
  broken: boolean
  /** What is left to do of that: `after the run`. */
  due: string[]
}

/** @param by who decides at this controller */
export async function driveRollout(
  { plan, state: begun, decided }: Beginning,
  deeds: Deeds,
  { by, interrupts, keeping }: { by: string; interrupts: Interrupts; keeping: Keeping },
): Promise<Driven> {
  const { events } = keeping
  const advance = createMachine(plan)
  const accounts = createAccounts(plan, keeping)
  const end = createEnd<string | undefined>()
  let state = begun
  /** Ends the bake that is under way. */
  let baking = new AbortController()
  const feed = (event: RolloutEvent) => {
    const before = state
    const after = advance(before, event)
    state = after.state
    if (before.stage.kind !== state.stage.kind || event.type === 'interrupt') baking.abort()
    accounts.closeDone(state.hosts)
    for (const each of announcementsOf(plan, before, state, event.type)) events.emit(each)
    for (const command of after.commands) void obey(command).catch(end.fail)
  }
  const hooks = createHooks(deeds.hooks, keeping, accounts.ended)
  const work = createWork(deeds, accounts, keeping, interrupts, event => feed(event))
  const obey = async (command: RolloutCommand): Promise<void> => {
    const hosts = 'hosts' in command ? command.hosts : []
    const batch = hosts.length > 0 ? accounts.numberOf(hosts[0]!) : undefined
    const why = await hooks.around(batch)
    // What failed before hosts go back, or while a person is asked, is reported at the end.
    const begins = command.do === 'start' || command.do === 'bake' || command.do === 'ask'
    if (begins && why !== undefined) return feed({ type: 'broken', why, hosts })
    switch (command.do) {
      case 'start':
        return work.start(hosts, () => hooks.enter(batch))
      case 'undo':
        return hooks.enter(batch).then(() => work.undo(hosts))
      case 'bake':
        return bake(command.ms)
      case 'ask':
        return ask()
      case 'pause':
        return decide(command.why)
      case 'end':
        await hooks.leave()
        return end.now(undefined)
    }
  }
  const bake = async (ms: number) => {
    // It may have come while what is after the batch was done.
    if (interrupts.stop.aborted) return
    baking = new AbortController()
    const { signal } = baking
    return bakeFor(ms, {
      ...bakingOf(deeds, plan, accounts, events),
      state: () => state,
      feed,
      signal,
    })
  }
  const ask = async () => {
    const place = numbersOf(plan, state)
    const { verdict, why } = await deeds.judge(place.number, place.of, accounts.ended())
    if (state.stage.kind !== 'judging' || interrupts.stop.aborted) return
    events.emit({ type: 'verdict', ...place, verdict, why })
    feed({ type: 'verdict', verdict, why })
  }
  const decide = async (why: string) => {
    const decision = await deeds.decide(why)
    if (interrupts.stop.aborted) return
    if (decision === undefined) return end.now(why)
    if (decision === 'continue') hooks.again()
    events.emit({ type: 'decision', message: decisionText[decision], by })
    feed(decisionEvent[decision])
  }
  const { stop } = interrupts
  const onStop = () => feed({ type: 'interrupt' })
  stop.addEventListener('abort', onStop, { once: true })
  if (stop.aborted) onStop()
  try {
    // Another attempt has decided that it is over, and did not get to its end.
    if (state.stage.kind === 'ended') obey({ do: 'end' }).catch(end.fail)
    else feed(decided ?? { type: 'begin' })
    const paused = await end.promise
    return {
      outcomes: accounts.finish(),
      state,
      paused,
      broken: hooks.failures.length > 0,
      due: hooks.due(),
    }
  } finally {
    baking.abort()
    stop.removeEventListener('abort', onStop)
  }
}

/** Who is asked while a batch bakes, and what becomes of the answers. */
function bakingOf(
  { heartbeat }: Pick<Deeds, 'heartbeat'>,
  plan: RolloutPlan,
  accounts: Accounts,
  { emit }: Keeping['events'],
): Pick<Baking, 'plan' | 'heartbeat' | 'report'> {
  return {
    plan,
    heartbeat: heartbeat && (name => heartbeat(accounts.host(name))),
    report: (host, { verdict, why, error }, stage) => {
      emit({ type: 'verdict', ...numbersOf(plan, { stage }), verdict, why, host, error })
      if (verdict === 'bad') accounts.turn(host, error)
    },
  }
}

/** What is done with a host, and what the machine hears of its end. */
function createWork(
  deeds: Pick<Deeds, 'work' | 'undo'>,
  accounts: Accounts,
  { events }: Pick<Keeping, 'events'>,
  { stop }: Interrupts,
  feed: (event: RolloutEvent) => void,
) {
  const begin = async (name: string) => {
    // Ctrl-C may have come while the journal was written.
    const outcome = stop.aborted ? accounts.skip(name) : await deeds.work(accounts.host(name))
    accounts.set(outcome)
    feed({ type: 'ended', host: name, status: outcome.status })
  }
  const goBack = async (name: string) => {
    events.emit({ type: 'rollback.start', host: name })
    const { how, outcome } = await deeds.undo(accounts.host(name), accounts.of(name)!)
    events.emit({ type: 'rollback.end', how, ...outcome })
    accounts.set(outcome)
    feed({ type: 'undone', host: name, how })
  }
  return {
    /** @param enter does what is before their batch. It returns why that failed */
    start: async (hosts: readonly string[], enter: () => Promise<string | undefined>) => {
      await accounts.open(hosts)
      const why = await enter()
      if (why === undefined) await Promise.all(hosts.map(begin))
      else feed({ type: 'broken', why, hosts })
    },
    undo: async (hosts: readonly string[]) => void (await Promise.all(hosts.map(goBack))),
  }
}

/** What a person has decided, for people. */
export const decisionText = {
  continue: 'the rollout goes on',
  abort: 'the rollout is aborted',
  'roll back': 'the rollout is aborted, and goes back',
} as const

/** What a person's decision is to the state machine. */
export const decisionEvent = {
  continue: { type: 'continue' },
  abort: { type: 'abort', undo: false, why: 'it was aborted' },
  'roll back': { type: 'abort', undo: true, why: 'it was aborted' },
} as const satisfies Record<string, RolloutEvent>

/** The batch that is at work, as people count. */
function numbersOf({ batches }: RolloutPlan, { stage }: Pick<RolloutState, 'stage'>) {
  const of = batches.length
  return { number: stage.kind === 'ended' ? of : stage.batch + 1, of }
}

function createEnd<T>() {
  let now: (value: T) => void = () => {}
  let fail: (error: unknown) => void = () => {}
  const promise = new Promise<T>((resolve, reject) => {
    now = resolve
    fail = reject
  })
  return { promise, now, fail }
}
