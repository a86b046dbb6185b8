/** What a rollout does with one host: its work within a deadline, its way back, and its heartbeats. */
import { setMaxListeners } from 'node:events'
import type { ErrorReport, EventStream, HostOutcome } from '../events.ts'
import { runHost } from '../host/host.ts'
import type { Interrupts } from '../host/interrupts.ts'
import type { Job, World } from '../host/job.ts'
import type { Host } from '../inventory/inventory.ts'
import { createSelection, everything, type Selection } from '../program/selection.ts'
import type { ArgumentTypes, ArgumentValues } from '../recipe/arguments.ts'
import { type Recipe, type RunContext, recipe } from '../recipe/recipe.ts'
import { createProgress, type Progress } from '../report/progress.ts'
import type { Redactor } from '../shell/redact.ts'
import type { Said, Undone } from './deeds.ts'
import { isGood } from './state.ts'

/** What all hosts of a run contribute to. */
export interface Shared {
  redactor: Redactor
  redactors: Redactor['redact'][]
  selections: Selection[]
}

/** How long work that passed its deadline may take to end. */
const graceMs = 10_000

/** Has what a visit, or a hook, hides hidden in all of the run, and what others hide in it. */
export function enroll(
  progress: Progress,
  { visitors, guests }: Job['across'],
  redactors: Redactor['redact'][],
): void {
  redactors.push(progress.redact)
  visitors.push(progress)
  progress.hide(guests.hidden)
}

/** One host's work; adds its redactor and selection to the shared ones. */
export async function visit<A extends ArgumentTypes>(
  host: Host,
  { what, mode, world, across }: Job<A>,
  { redactor, redactors, selections }: Shared,
  deadlineMs: number | undefined,
): Promise<HostOutcome> {
  const selection = createSelection(what.selection ?? everything)
  selections.push(selection)
  const limit = deadlineMs === undefined ? undefined : limitTo(deadlineMs, host.name, world)
  const within = limit ? limit.world : world
  const progress = createProgress(host.name, what.name, within.events, redactor)
  enroll(progress, across, redactors)
  const outcome = await runHost(host, { what, mode, world: within, across }, progress, selection)
  limit?.dispose()
  return limit ? limit.outcome(outcome) : outcome
}

/** The world of one host until its deadline: then its work is interrupted, and it has failed. */
function limitTo(deadlineMs: number, host: string, world: World) {
  const over = new AbortController()
  const late = new AbortController()
  let timer = setTimeout(() => {
    over.abort()
    timer = setTimeout(() => late.abort(), graceMs)
  }, deadlineMs)
  const { stop, kill, abandon } = world.interrupts
  const interrupts: Interrupts = {
    stop: AbortSignal.any([stop, over.signal]),
    kill: AbortSignal.any([kill, over.signal]),
    abandon: AbortSignal.any([abandon, late.signal]),
  }
  for (const signal of Object.values(interrupts)) setMaxListeners(0, signal)
  const outcome = <O extends HostOutcome>(ended: O): O => {
    if (!over.signal.aborted || stop.aborted || ended.status !== 'interrupted') return ended
    const error: ErrorReport = {
      code: 'deadline_passed',
      host,
      message: `it was not done within ${deadlineMs / 1000} s`,
      step: ended.error?.step,
      hint: 'What took so long is in its output; raise --deadline, or see what it waits for.',
    }
    return { ...ended, status: 'failed', error }
  }
  const events: EventStream = {
    emit: event => world.events.emit(event.type === 'host.end' ? outcome(event) : event),
    subscribe: world.events.subscribe,
  }
  return {
    world: withParts(world, events, interrupts),
    outcome,
    dispose: () => clearTimeout(timer),
  }
}

/** The same world, with other events and interrupts. */
export const withParts = (around: World, events: EventStream, interrupts: Interrupts): World => ({
  ...around,
  events,
  interrupts,
})

/** Goes back on one host by the recipe's own way. Its steps are events; its end is that of the rollback. */
export async function goBack<A extends ArgumentTypes>(
  host: Host,
  { what, mode, world, across }: Job<A>,
  { redactor, redactors }: Shared,
  before: HostOutcome,
): Promise<Undone> {
  const { rollback, lock, aroundHost } = what.recipe
  const { run } = world.identity
  const back = recipe({
    description: what.recipe.description,
    lock: () => lock(what.args),
    // What it does around its work, such as to drain the host, it does around this too.
    aroundHost: aroundHost as Recipe['aroundHost'],
    run: context => rollback!(context as RunContext<ArgumentValues<A>>, { run, data: before.data }),
  }) as unknown as Recipe<A>
  const events: EventStream = {
    emit: event => {
      if (event.type !== 'host.start' && event.type !== 'host.end') world.events.emit(event)
    },
    subscribe: world.events.subscribe,
  }
  // Its commands are others than those that it undoes, and run once too.
  const name = `${what.name} rollback`
  const progress = createProgress(host.name, name, events, redactor, 'back-')
  enroll(progress, across, redactors)
  const ended = await runHost(
    host,
    {
      what: {
        recipe: back,
        name,
        args: what.args,
        secrets: what.secrets,
        secretsOf: what.secretsOf,
        confirmed: true,
        drains: what.drains,
      },
      mode,
      world: withParts(world, events, world.interrupts),
      across,
    },
    progress,
    createSelection(everything),
  )
  return undoneBy(ended, before)
}

function undoneBy(ended: HostOutcome, before: HostOutcome): Undone {
  const { host, status } = ended
  const durationMs = before.durationMs + ended.durationMs
  const roundTrips = before.roundTrips + ended.roundTrips
  if (status === 'interrupted')
    return { how: 'cut off', outcome: { ...before, durationMs, roundTrips } }
  const good = isGood(status)
  const error: ErrorReport = good
    ? { code: 'rolled_back', host, message: 'it went back with the rollout' }
    : {
        code: 'rollback_failed',
        host,
        message: `the rollout went back, but this host could not: ${ended.error?.message ?? status}`,
        step: ended.error?.step,
        output: ended.error?.output,
      }
  return {
    how: good ? 'done' : 'failed',
    outcome: { ...before, status: 'failed', error, durationMs, roundTrips },
  }
}

/** Asks the heartbeats of products on a host, as patiently as each of them says. Nothing of it is shown. */
export async function askPulse<A extends ArgumentTypes>(
  host: Host,
  products: readonly string[],
  { mode, world, across }: Job<A>,
  redactor: Redactor,
): Promise<Said> {
  const pulse = recipe({
    description: 'Ask heartbeats',
    lock: false,
    async run({ product, probe, heartbeat }) {
      for (const name of products) {
        const found = product(name)
        if ((await probe(found))?.up === false) await heartbeat(found)
      }
    },
  })
  const events: EventStream = { emit: () => {}, subscribe: () => {} }
  const ask = () =>
    runHost(
      host,
      {
        what: { recipe: pulse, name: 'heartbeat', args: {}, leavesHandlers: true },
        mode: { kind: 'apply', diff: mode.kind !== 'list' && mode.diff },
        world: withParts(world, events, world.interrupts),
        across,
      },
      createProgress(host.name, 'heartbeat', events, redactor),
      createSelection(everything),
    )
  const first = await ask()
  // A connection that is lost is no verdict, nor is the first one that can't be made.
  const { status, error } = first.status === 'unreachable' ? await ask() : first
  if (isGood(status)) return { verdict: 'good', why: '' }
  const why = `${host.name}: ${error?.message ?? status}`
  return error?.code === 'heartbeat_failed'
    ? { verdict: 'bad', why, error }
    : { verdict: 'unknown', why: `the heartbeat can’t be asked: ${why}` }
}
