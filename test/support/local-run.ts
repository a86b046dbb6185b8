/** Runs of a recipe over hosts that are this machine, each with a state directory of its own. */
import { setMaxListeners } from 'node:events'
import { join } from 'node:path'
import type { Catalogue } from '../../lib/bootstrap/definitions.ts'
import type { RunEvent } from '../../lib/events.ts'
import type { Interrupts } from '../../lib/host/interrupts.ts'
import type { Reporting } from '../../lib/host/job.ts'
import type { Confirm, Mode } from '../../lib/host/mode.ts'
import { hostVars } from '../../lib/inventory/host-vars.ts'
import type { Host, Inventory } from '../../lib/inventory/inventory.ts'
import { createInventoryView } from '../../lib/inventory/view.ts'
import type { SelectionOptions } from '../../lib/program/selection.ts'
import type { ArgumentTypes } from '../../lib/recipe/arguments.ts'
import {
  type Recipe,
  type RecipeOptions,
  type RunContext,
  recipe,
} from '../../lib/recipe/recipe.ts'
import type { RolloutOptions } from '../../lib/recipe/rollout-options.ts'
import type { SecretValues } from '../../lib/recipe/secret-sources.ts'
import type { HostLimits } from '../../lib/rollout/batches.ts'
import { planRollout } from '../../lib/rollout/plan-batches.ts'
import { readPolicy } from '../../lib/rollout/policy.ts'
import type { Rollout } from '../../lib/rollout/rollout.ts'
import { type RunResult, runRecipe } from '../../lib/rollout/run.ts'
import type { Keepalive } from '../../lib/session/keepalive.ts'
import { type Connector, createConnector } from '../../lib/transport/connector.ts'
import { expectComplete, recordEvents } from './run-events.ts'
import { temporaryDirectory } from './shells.ts'

export const localHost = (
  name: string,
  within: string,
  vars: Record<string, string> = {},
): Host => ({
  name,
  vars: hostVars(name, vars),
  groups: [],
  connection: 'local',
  address: '127.0.0.1',
  port: 22,
  bootstrapDir: join(within, `${name}-state`),
  root: '',
})

/** An inventory of these hosts, and of groups with their names. */
export const inventoryOf = (
  hosts: readonly Host[],
  groups: Readonly<Record<string, readonly string[]>> = {},
): Inventory => ({
  environment: 'test',
  file: '/hosts.ini',
  directory: '/',
  hosts,
  groups: new Map([['all', hosts.map(({ name }) => name)], ...Object.entries(groups)]),
  unsupported: new Map(),
})

/** The same as recipes see it, without variables that are secrets. */
export const viewOf = (...of: Parameters<typeof inventoryOf>) =>
  createInventoryView(inventoryOf(...of), { names: new Set(), hide: () => {} })

/** A host that nothing answers for. */
export const deadHost = (name: string, within: string): Host => ({
  ...localHost(name, within),
  connection: 'ssh',
  port: 1,
  user: 'nobody',
})

/** What a test says of a run. */
export interface LocalOptions extends Reporting {
  /** A whole recipe, where `run` alone is not enough. */
  recipe?: Recipe
  /** What it is called by. */
  name?: string
  args?: Record<string, unknown>
  /** Default: to apply, or with `check` to look. */
  mode?: Mode
  check?: boolean
  diff?: boolean
  confirm?: Confirm
  secrets?: SecretValues
  selection?: SelectionOptions
  hosts?: readonly Host[]
  /** Default: the hosts of the run. */
  inventory?: Inventory
  secretVariables?: ReadonlySet<string>
  catalogue?: () => Catalogue
  connector?: Connector
  timeoutMs?: number
  waitLockMs?: number
  commandTimeoutMs?: number
  keepalive?: Keepalive
  /** An earlier run, gone on with. Default: a new one. */
  runId?: string
  attempt?: number
  /** Default: 0. */
  reconnectMs?: number
  forks?: number
  serial?: readonly string[]
  /** A policy, beside batches and limits. */
  rollout?: RolloutOptions
  heartbeats?: readonly string[]
  decide?: Rollout['decide']
  resumed?: Rollout['resumed']
  limits?: HostLimits
  /** Default: those of the place. */
  interrupts?: Interrupts
  /** Gets each event. */
  watch?: (event: RunEvent) => void
}

/** Its batches and limits, or a policy as a recipe declares it. */
function rolloutOf(
  hosts: readonly Host[],
  order: readonly string[] | undefined,
  { rollout: declared, serial, limits, forks = 50, heartbeats, decide, resumed }: LocalOptions,
): Rollout {
  const policy = readPolicy(declared, {}, undefined, () => 'seed')
  const { gate, deadlineMs } = policy
  const own = { ...policy, waves: serial ?? policy.waves, limits: limits ?? policy.limits }
  const plan = planRollout(hosts, own, pattern => [pattern], forks, order)
  const asked = typeof gate === 'function' ? gate : undefined
  return { plan, gate: asked, deadlineMs, heartbeats, decide, resumed }
}

const modeOf = ({ mode, check, diff = false, confirm }: LocalOptions): Mode =>
  mode ?? (check ? { kind: 'check', diff } : { kind: 'apply', diff, confirm })

export type Local = ReturnType<typeof localIn>

/** A place for runs: its directory, and its hosts. */
export const local = async (...names: string[]) => localIn(await temporaryDirectory(), ...names)

/** r1 … r9, ra10 …: in the order of their names, as real ones are. A host keeps the records of the last runs. */
const runName = (number: number) => `r${' abcd'[String(number).length - 1]!.trim()}${number}`

/** The same in a directory of the caller's. */
export function localIn(directory: string, ...names: string[]) {
  const stop = new AbortController()
  const kill = new AbortController()
  const abandon = new AbortController()
  for (const { signal } of [stop, kill, abandon]) setMaxListeners(0, signal)
  let runs = 0
  const hosts = (names.length > 0 ? names : ['h1']).map(name => localHost(name, directory))
  const run = async (
    what: RecipeOptions<ArgumentTypes> | RecipeOptions<ArgumentTypes>['run'],
    more: LocalOptions = {},
  ): Promise<RunResult & { seen: RunEvent[] }> => {
    const { events, seen } = recordEvents()
    if (more.watch) events.subscribe(more.watch)
    const options = typeof what === 'function' ? { description: '', run: what } : what
    const { hidden, warnings, verbose, strays, debug, tracer } = more
    const result = await runRecipe({
      what: {
        recipe: more.recipe ?? recipe(options),
        name: more.name ?? 'site',
        args: more.args ?? {},
        secrets: more.secrets,
        selection: more.selection,
      },
      mode: modeOf(more),
      rollout: rolloutOf(more.hosts ?? hosts, options.order, more),
      world: {
        hosts: more.hosts ?? hosts,
        inventory: more.inventory ?? inventoryOf(more.hosts ?? hosts),
        secretVariables: more.secretVariables,
        catalogue: more.catalogue ?? noCatalogue,
        modules: new Map(),
        connector: more.connector ?? createConnector({ acceptNew: false }),
        timeouts: {
          connectMs: more.timeoutMs ?? 2000,
          lockMs: more.waitLockMs ?? 0,
          stepMs: more.commandTimeoutMs,
          keepalive: more.keepalive,
          reconnectMs: more.reconnectMs ?? 0,
        },
        events,
        interrupts: more.interrupts ?? {
          stop: stop.signal,
          kill: kill.signal,
          abandon: abandon.signal,
        },
        identity: {
          run: more.runId ?? runName(++runs),
          attempt: more.attempt ?? 1,
          environment: 'test',
          owner: 'tester',
          controller: 'here',
        },
        reporting: { hidden, warnings, verbose, strays, debug, tracer },
      },
    })
    expectComplete(seen)
    return { ...result, seen }
  }
  return { directory, at: (name: string) => join(directory, name), hosts, run, stop, kill, abandon }
}

const noCatalogue = (): never => {
  throw new Error('there is no catalogue')
}

/** A catalogue of products that need nothing but what a test says of them. */
export const catalogueOf = (
  products: Record<string, object>,
  roles: Record<string, string[]> = {},
): (() => Catalogue) => {
  const catalogue = {
    file: 'bootstrap.ini',
    directory: '/',
    modes: ['provisioning', 'active', 'upgrading', 'maintenance'],
    roles: new Map(
      Object.entries(roles).map(([name, members]) => [name, { name, products: members }]),
    ),
    products: new Map(
      Object.entries(products).map(([name, more]) => [
        name,
        { name, description: '', packages: [], scripts: {}, settings: new Map(), ...more },
      ]),
    ),
  }
  return () => catalogue as unknown as Catalogue
}

export type Run = (context: RunContext) => Promise<void>
