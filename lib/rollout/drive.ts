/** Does what the state machine says: hosts, clock and people are here. Decisions are all in machine.ts. */
import type { HostOutcome } from '../events.ts'
import type { Interrupts } from '../host/interrupts.ts'
import { createAccounts, type Keeping } from './accounts.ts'
import { announcementsOf } from './announce.ts'
import { bakeFor } from './bake.ts'
import type { Deeds } from './deeds.ts'
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
  // Another attempt has decided that it is over, and did not get to its end.
  if (begun.stage.kind === 'ended') return { outcomes: accounts.finish(), state: begun }
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
  const obey = async (command: RolloutCommand): Promise<void> => {
    switch (command.do) {
      case 'start':
        await accounts.open(command.hosts)
        return void (await Promise.all(command.hosts.map(begin)))
      case 'undo':
        return void (await Promise.all(command.hosts.map(goBack)))
      case 'bake':
        return bake(command.ms)
      case 'ask':
        return ask()
      case 'pause':
        return decide(command.why)
      case 'end':
        return end.now(undefined)
    }
  }
  const begin = async (name: string) => {
    // Ctrl-C may have come while the journal was written.
    const outcome = interrupts.stop.aborted
      ? accounts.skip(name)
      : await deeds.work(accounts.host(name))
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
  const bake = (ms: number) => {
    baking = new AbortController()
    const { heartbeat } = deeds
    return bakeFor(ms, {
      plan,
      state: () => state,
      feed,
      heartbeat: heartbeat && (name => heartbeat(accounts.host(name))),
      report: (host, { verdict, why, error }) => {
        events.emit({ type: 'verdict', ...numbersOf(plan, state), verdict, why, host, error })
        if (verdict === 'bad') accounts.turn(host, error)
      },
      signal: baking.signal,
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
    events.emit({ type: 'decision', message: decisionText[decision], by })
    feed(decisionEvent[decision])
  }
  const onStop = () => feed({ type: 'interrupt' })
  if (interrupts.stop.aborted) onStop()
  else interrupts.stop.addEventListener('abort', onStop, { once: true })
  try {
    feed(decided ?? { type: 'begin' })
    const paused = await end.promise
    return { outcomes: accounts.finish(), state, paused }
  } finally {
    baking.abort()
    interrupts.stop.removeEventListener('abort', onStop)
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
function numbersOf({ batches }: RolloutPlan, { stage }: RolloutState) {
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
