/** What a recipe gets on one host (the interface is in recipe.ts). */
import { type HostState, parseState } from '../bootstrap/state.ts'
import { createFacts } from '../facts/fact.ts'
import type { Host } from '../inventory/inventory.ts'
import type { InventoryView } from '../inventory/view.ts'
import type { ScheduleOptions } from '../program/schedule.ts'
import type { ArgumentTypes, ArgumentValues } from '../recipe/arguments.ts'
import type { RunContext } from '../recipe/recipe.ts'
import { callSite } from '../resources/call-site.ts'
import type { Items } from '../resources/resource.ts'
import { createDollar } from '../session/dollar.ts'
import type { Across } from './across.ts'
import { createCommands } from './commands.ts'
import { createDrains } from './drains.ts'
import { accountForWayBack, converge } from './execute.ts'
import type { Execution } from './execution.ts'
import { createFindStack, createHeartbeat, createProbe } from './heartbeats.ts'
import { checkNotStopped, type Interrupts } from './interrupts.ts'
import type { Job } from './job.ts'
import { onlyLooks } from './mode.ts'
import { createNeighbours, createOn, effectOf } from './on.ts'
import { createOwnStep } from './own-step.ts'
import { createFindProduct, createRecordProduct } from './products.ts'
import { createSetMode } from './server-mode.ts'
import { createAsk, createWriteState, type StateFiles } from './state-files.ts'
import {
  createEndIntent,
  createKeepReleases,
  createReadIntent,
  createUndertake,
} from './undertakings.ts'

/** What belongs to one host's run. */
export interface Own {
  execution: Execution
  scheduling: ScheduleOptions
  inventory: InventoryView
  files: StateFiles
}

/** @param output keeps what the recipe passes to `output` */
export function createContext<A extends ArgumentTypes>(
  job: Job<A>,
  { execution, scheduling, inventory, files }: Own,
  output: (data: unknown) => void,
): {
  context: RunContext<ArgumentValues<A>>
  /** `on` where Ctrl-C counts otherwise, and effects are those of a round. */
  onFor(interrupts: Interrupts, round?: number): RunContext['on']
} {
  const { what, world, across } = job
  const { host, sessions, progress } = execution
  const { catalogue, identity } = world
  const check = onlyLooks(execution.mode)
  const state = onceAsked(() => parseState(files(), host.bootstrapDir))
  const ask = createAsk(execution)
  const write = createWriteState(ask, execution)
  const step = createOwnStep(execution)
  const product = createFindProduct(world, execution, state)
  const facts = createFacts(ask)
  const $ = createDollar(createCommands(execution, check, true), callSite)
  const read = createDollar(createCommands(execution, false, false), callSite)
  const bring = async (items: readonly Items[]) => {
    checkNotStopped(execution.interrupts)
    return converge(items, scheduling, execution)
  }
  const effect: RunContext['effect'] = (title, line, options) =>
    bring([effectOf(title, line, options)])
  const own = { host, ask, facts, $, read, converge: (...items: Items[]) => bring(items), effect }
  const { selection } = scheduling
  const neighboursFor = (interrupts: Interrupts, round?: number) =>
    createNeighbours({ job, forHost: host.name, selection, execution, interrupts, round }, own)
  const neighbours = neighboursFor(execution.interrupts)
  const onFor = (interrupts: Interrupts, round?: number) =>
    createOn(neighboursFor(interrupts, round))
  const drains = createDrains(job, execution, { neighbours, state, ask, write, step })
  const stackOf = createFindStack(catalogue, execution, state, product)
  const context: RunContext<ArgumentValues<A>> = {
    host: { ...host, facts: sessions.main.facts },
    inventory,
    factsOf: createFactsOf(inventory, across),
    args: what.args,
    secrets: what.secretsOf?.get(host.name) ?? what.secrets ?? {},
    facts,
    check,
    confirmed: execution.mode.kind === 'replay' || what.confirmed === true,
    $,
    read,
    converge: own.converge,
    effect,
    on: createOn(neighbours),
    once: createOnce(across, execution),
    get catalogue() {
      return catalogue()
    },
    get state() {
      return state()
    },
    product,
    recordProduct: createRecordProduct(identity.run, execution, state, write),
    setMode: createSetMode(identity.run, execution, state, write),
    undertake: createUndertake({ run: identity.run, recipe: what.name }, state, drains.drain),
    ...drains,
    readIntent: createReadIntent(execution, state, ask),
    endIntent: createEndIntent(execution, state, ask),
    keepReleases: createKeepReleases(execution, catalogue, ask),
    ifItFails: items => accountForWayBack(items, scheduling, execution),
    heartbeat: createHeartbeat(execution, stackOf, ask, step),
    probe: createProbe(stackOf, ask),
    step,
    output,
    warn: message => progress.warn(message),
  }
  return { context, onFor }
}

function createOnce({ onces, batchOf }: Across, execution: Execution): RunContext['once'] {
  const { host, mode, interrupts, progress } = execution
  return (name, work, { per = 'run' } = {}) => {
    const comer = {
      host: host.name,
      batch: per === 'batch' ? batchOf(host.name) : undefined,
      looks: onlyLooks(mode),
      signal: interrupts.stop,
      redact: progress.redact,
    }
    return onces.come(name, comer, async () => {
      execution.once = name
      try {
        return await work()
      } finally {
        execution.once = undefined
      }
    })
  }
}

/** What is known of another host, or what it says when it is asked. */
export function createFactsOf(
  inventory: InventoryView,
  { facts, guests }: Across,
): RunContext['factsOf'] {
  const factsOf = (of: Host | string, { ask }: { ask?: boolean } = {}) => {
    const host = inventory.host(typeof of === 'string' ? of : of.name)
    const known = facts.get(host.name)
    if (ask !== true) return known
    return Promise.resolve(known ?? guests.sessions(host).then(({ main }) => main.facts))
  }
  return factsOf as RunContext['factsOf']
}

/** Parses once, and only if asked: a recipe that does not need the state must not fail because of it. */
function onceAsked(parse: () => HostState): () => HostState {
  let state: HostState | undefined
  return () => {
    state ??= parse()
    return state
  }
}
