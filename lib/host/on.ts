/** `on()`: work at another host, for the host whose run it is. */
import { UsageError } from '../errors.ts'
import { createFacts } from '../facts/fact.ts'
import type { Host, Inventory } from '../inventory/inventory.ts'
import { parseDuration } from '../inventory/parse-duration.ts'
import { refuseUnsupported, selectHosts } from '../inventory/pattern.ts'
import { lockKey } from '../inventory/same-host.ts'
import type { OtherHost, OtherHosts, RunContext } from '../recipe/recipe.ts'
import { callSite } from '../resources/call-site.ts'
import { command } from '../resources/commands/command.ts'
import type { Items } from '../resources/resource.ts'
import { createDollar, type Dollar } from '../session/dollar.ts'
import type { CommandRunner } from '../session/remote-process.ts'
import { createCommands } from './commands.ts'
import { converge } from './execute.ts'
import { onlyLooks } from './mode.ts'
import { type Ask, createAsk } from './state-files.ts'
import { createStay, type Staying } from './stay.ts'

/** Another host, as the engine works at it too. */
export interface Neighbour extends OtherHost {
  /** A call that changes nothing there. */
  ask: Ask
}

/** Finds the hosts of a pattern, or a host: each is the same one again. */
export type Neighbours = (where: string | Host, waitMs?: number) => Neighbour[]

/** @param own the host's own part: what that host itself is; undefined: it is for no host */
export function createNeighbours(staying: Staying, own?: Neighbour): Neighbours {
  const { inventory } = staying.job.world
  const known = new Map<string, Neighbour>()
  const find = (host: Host, waitMs: number | undefined) => {
    if (own && lockKey(host) === lockKey(own.host)) return own
    const id = JSON.stringify([host.name, waitMs])
    const found = known.get(id) ?? createOther(staying, host, waitMs)
    known.set(id, found)
    return found
  }
  return (where, waitMs) => hostsOf(inventory, where).map(host => find(host, waitMs))
}

/** `on` of one host's run. */
export const createOn =
  (neighbours: Neighbours): RunContext['on'] =>
  (where, { wait } = {}) => {
    const waitMs = wait === undefined ? undefined : parseDuration(wait)
    return together(typeof where === 'string' ? where : where.name, neighbours(where, waitMs))
  }

/** The inventory's own hosts: what a recipe passes may hide its variables. */
function hostsOf(inventory: Inventory, where: string | Host): Host[] {
  const found = selectHosts(inventory, typeof where === 'string' ? where : where.name)
  refuseUnsupported(inventory, found)
  return found
}

/** The hosts of a pattern as one. */
function together(where: string, others: readonly OtherHost[]): OtherHosts {
  const single = () => {
    if (others.length === 1) return others[0]!
    throw new UsageError('recipe_invalid', `on('${where}') is ${others.length} hosts`, {
      at: callSite()(),
      hint: `Ask each of them: for (const host of on('${where}')) …`,
    })
  }
  const each = async (work: (other: OtherHost) => ReturnType<OtherHost['converge']>) => {
    const done: Awaited<ReturnType<typeof work>>[] = []
    for (const other of others) done.push(await work(other))
    return {
      changed: done.some(({ changed }) => changed),
      has: (resource: unknown) => done.some(({ has }) => has(resource)),
    }
  }
  return {
    hosts: others.map(({ host }) => host),
    [Symbol.iterator]: () => others[Symbol.iterator](),
    converge: (...items) => each(other => other.converge(...items)),
    effect: (title, line, options) => each(other => other.effect(title, line, options)),
    facts: fact => single().facts(fact),
    get $() {
      return single().$
    },
    get read() {
      return single().read
    },
  }
}

function createOther(staying: Staying, there: Host, waitMs: number | undefined): Neighbour {
  const stay = createStay(staying, there, waitMs)
  const looks = onlyLooks(staying.job.mode)
  const run = (work: (...of: Parameters<CommandRunner>) => ReturnType<CommandRunner>): Dollar =>
    createDollar(work, callSite)
  const bring = (items: readonly Items[]) =>
    stay.working((execution, scheduling) => converge(items, scheduling, execution))
  return {
    host: stay.host,
    ask: call => stay.looking(execution => createAsk(execution)(call)),
    facts: fact => stay.looking(async execution => createFacts(createAsk(execution))(fact)),
    read: run((...command) =>
      stay.looking(execution => createCommands(execution, false, false)(...command)),
    ),
    $: run((...command) =>
      looks
        ? stay.looking(execution => createCommands(execution, true, true)(...command))
        : stay.working(execution => createCommands(execution, false, true)(...command)),
    ),
    converge: (...items) => bring(items),
    effect: (title, line, options) => bring([effectOf(title, line, options)]),
  }
}

/** @throws {UsageError} recipe_invalid */
export const effectOf = (
  title: string,
  line: string,
  how: Parameters<OtherHost['effect']>[2] = {},
) => command(line, { ...how, title })
