/** Everything that a run needs from options, inventory and project, checked before a host is touched. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Catalogue } from '../bootstrap/definitions.ts'
import { loadCatalogue } from '../bootstrap/load.ts'
import { findProduct } from '../bootstrap/lookup.ts'
import { productOnHost } from '../bootstrap/product.ts'
import { secretVariables } from '../bootstrap/settings.ts'
import { UsageError } from '../errors.ts'
import { createFaults, type Faults } from '../faults.ts'
import type { Timeouts, What } from '../host/job.ts'
import type { Host, Inventory } from '../inventory/inventory.ts'
import { refuseUnsupported, selectHosts } from '../inventory/pattern.ts'
import { refuseSameHost } from '../inventory/same-host.ts'
import { createInventoryView, type InventoryView } from '../inventory/view.ts'
import { parseArguments, readValues } from '../recipe/arguments.ts'
import type { Recipe } from '../recipe/recipe.ts'
import { defaultExport, loadModule } from '../recipe/recipe-files.ts'
import type { SecretSources } from '../recipe/secret-sources.ts'
import { resolveForHosts, type SecretWorld } from '../recipe/secrets.ts'
import type { Policy } from '../rollout/policy.ts'
import type { Rollout } from '../rollout/rollout.ts'
import type { RolloutPlan } from '../rollout/state.ts'
import { unknownName } from '../shell/nearest.ts'
import { chooseMode, type OutputMode } from '../ui/choose-renderer.ts'
import { askSecret, checkAsk } from './ask-secret.ts'
import { type Callback, prepareCallback } from './callback.ts'
import { fitOpenFiles } from './open-files.ts'
import type { OptionValues } from './options/option.ts'
import { prepareReach, type Reach, type ReachOptions, readReach } from './reach.ts'
import { heartbeatsOf, planFor, productsOf, readRollout } from './read-rollout.ts'
import { readReports, type WantedReport } from './reports.ts'
import type { RunRequest } from './run-request.ts'
import { checkStepOption } from './step-by-step.ts'
import { findTargets, parseSelection, parseTime, parseTimeout, type Targets } from './targets.ts'
import { traceDirectory } from './traces.ts'
import { createValueSources } from './value-sources.ts'

/** A run that is ready to start. */
export interface ReadyRun {
  output: OutputMode
  what: What
  rollout: Rollout
  /** Products that the run is about. */
  products: readonly string[]
  timeouts: Timeouts
  targets: Targets
  catalogue: () => Catalogue
  /** Names of host variables whose values are secrets. */
  secretVariables: ReadonlySet<string>
  modules: ReadonlyMap<string, unknown>
  callback?: Callback
  /** Values to hide, besides the recipe's secrets. */
  hidden: readonly string[]
  reports: readonly WantedReport[]
  reach: Reach
  /** Where traces of sessions go. */
  traces?: string
}

/** @throws {UsageError} what is wrong in the command line and the project, as one error */
export async function readyRun(request: RunRequest): Promise<ReadyRun> {
  const { name, recipe, options, place, mode } = request
  const faults = createFaults()
  const read = readOptions(request, faults)
  const find = request.targets ?? (() => findTargets(options, place))
  const targets = await find().catch(faults.keep)
  const found = targets && (await findCatalogue(targets.inventory).catch(faults.keep))
  /** Secrets that `prepare` has read from variables. */
  const hidden: string[] = []
  const args = found && (await readArguments(request, targets, found, { faults, hidden }))
  const modules = await loadModules(found?.loaded).catch(faults.keep)
  // Lists and plans have no outcome to post.
  const posts = request.quiet !== true && (mode === undefined || mode.kind === 'replay')
  const wanted = {
    url: options.callbackUrl as string | undefined,
    events: options.callbackEvents as string | undefined,
  }
  const callback = posts
    ? faults.take(() => prepareCallback(wanted, place.env, found?.loaded, request.resumed?.ended))
    : undefined
  const traces = faults.take(() => traceDirectory(place))
  const plan =
    read.rollout &&
    targets &&
    faults.take(() => planFor(read.rollout!, targets, request.resumed?.batches, recipe.order))
  const products = args && productsOf(recipe.args, args, found.catalogue)
  if (recipe.drains && options.noDrain !== true && targets && products)
    faults.take(() => checkBalancers(targets.inventory, found?.loaded, products))
  const heartbeats =
    read.rollout &&
    products &&
    faults.take(() => heartbeatsOf(read.rollout!.policy, products, found!.catalogue))
  if (request.readInput) {
    faults.throwAny()
    await request.readInput(targets!.hosts.length)
  }
  // Lists and plans need them too, to hide them in what recipes read from hosts. A recipe that was made
  // without `recipe()` has none.
  const world = { env: place.env, ask: askSecret, checkAsk }
  const secrets =
    targets &&
    (await readSecrets(recipe.secrets ?? {}, targets, world, !faults.any).catch(faults.keep))
  const reach = await readyReach(request, read.reach, targets, faults)
  faults.throwAny()
  const fitted = fitPlan(plan!)
  const confirmed = options.yes === true
  const what = {
    recipe,
    name,
    args: args!,
    secrets: secrets!.all,
    secretsOf: secrets!.of,
    confirmed,
    drains: options.noDrain !== true,
    leavesHandlers: request.leavesHandlers,
    selection: read.selection!,
  }
  return {
    output: read.output!,
    what,
    rollout: {
      ...rolloutOf(read.rollout!.policy, fitted.plan),
      heartbeats: heartbeats!,
      resumed: request.resumed?.rollout,
    },
    products: products!,
    timeouts: read.timeouts!,
    targets: targets!,
    catalogue: found!.catalogue,
    secretVariables: found!.secretVariables,
    modules: modules!,
    callback,
    hidden,
    reports: read.reports!,
    reach: { ...reach!, warnings: [...reach!.warnings, ...fitted.warnings] },
    traces,
  }
}

/**
 * The balancers of these products, or of all where a recipe is about none by name.
 * @throws {UsageError} invalid_value, unknown_name: a pattern that matches no host
 */
function checkBalancers(
  inventory: Targets['inventory'],
  catalogue: Catalogue | undefined,
  names: readonly string[],
): void {
  for (const { name, balancer } of catalogue?.products.values() ?? [])
    if (balancer && (names.length === 0 || names.includes(name)))
      refuseUnsupported(inventory, selectHosts(inventory, balancer.hosts))
}

/** Options alone, without what they are about; undefined: those that are wrong. */
function readOptions({ options, place, from, mode, recipe }: RunRequest, faults: Faults) {
  const output = faults.take(() => chooseMode(options.output as string | undefined, place))
  if (options.step === true && output) faults.take(() => checkStepOption(output, options))
  const rollout = faults.take(() => readRollout(options, recipe))
  const reach = faults.take(() => readReach(options, place))
  const timeouts = faults.take(() => readTimeouts(options, reach?.commandTimeoutMs))
  const selection =
    mode?.kind === 'replay' ? mode.selection : faults.take(() => parseSelection(options))
  const reports = faults.take(() => readReports(options, from ?? place.cwd))
  return { output, rollout, reach, timeouts, selection, reports }
}

/** As many hosts at a time as this process has files for. */
function fitPlan(plan: RolloutPlan) {
  const sizes = plan.batches.map(({ length }) => length)
  const { forks, warning } = fitOpenFiles(Math.min(plan.atOnce, Math.max(...sizes)))
  return { plan: { ...plan, atOnce: forks }, warnings: warning === undefined ? [] : [warning] }
}

const rolloutOf = ({ gate, deadlineMs }: Policy, plan: RolloutPlan) => ({
  plan,
  gate: typeof gate === 'function' ? gate : undefined,
  deadlineMs,
})

/** The recipe's arguments, checked by the recipe too. */
async function readArguments(
  { recipe, words, parsed }: RunRequest,
  { hosts, inventory }: Targets,
  { catalogue, secretVariables: names }: FoundCatalogue,
  { faults, hidden }: { faults: Faults; hidden: string[] },
) {
  if (process.stdin.isTTY && words.some(word => /^[^=]+=-$/.test(word))) faults.throwAny()
  const read = await readValues(recipe.args, words, createValueSources(), faults)
  const args = faults.take(() => parseArguments(recipe.args, read, { catalogue }))
  if (args === undefined) return undefined
  faults.take(() => {
    if (recipe.lock(args)) refuseSameHost(hosts)
  })
  for (const group of recipe.order ?? [])
    if (!inventory.groups.has(group))
      faults.keep(unknownName('group', group, inventory.groups.keys()))
  const view = createInventoryView(inventory, {
    names,
    hide: values => void hidden.push(...values),
  })
  await prepare(recipe, args, hosts, view, catalogue)
    .then(() => parsed?.(args, recipe.show ? recipe.show(args, catalogue) : args))
    .catch(faults.keep)
  return args
}

/** A function of a source may throw what it likes. */
async function readSecrets(
  sources: SecretSources,
  { inventory, hosts }: Targets,
  world: SecretWorld,
  asking: boolean,
) {
  const { environment } = inventory
  return resolveForHosts(sources, { environment, hosts }, world, asking)
}

/** Nobody is asked for a password in vain. */
async function readyReach(
  { place }: RunRequest,
  wanted: ReachOptions | undefined,
  targets: Targets | undefined,
  faults: Faults,
): Promise<Reach | undefined> {
  if (!wanted || !targets) return undefined
  return prepareReach(wanted, targets, place, async (question, how) => {
    faults.throwAny()
    return askSecret(question, how)
  }).catch(faults.keep)
}

function readTimeouts(options: OptionValues, stepMs: number | undefined): Timeouts {
  const reconnect = options.reconnect as string | undefined
  return {
    connectMs: parseTimeout('--timeout', options.timeout as string),
    lockMs: parseTime('--wait-lock', (options.waitLock as string | undefined) ?? '0s'),
    stepMs,
    reconnectMs: reconnect === undefined ? undefined : parseTime('--reconnect', reconnect),
  }
}

interface FoundCatalogue {
  /** Undefined if there is no bootstrap.ini. */
  loaded?: Catalogue
  /** @throws {UsageError} bootstrap_ini_invalid: there is none */
  catalogue(): Catalogue
  secretVariables: ReadonlySet<string>
}

/** bootstrap.ini is checked in full; only recipes that need it fail without it. */
async function findCatalogue(inventory: Inventory): Promise<FoundCatalogue> {
  const { directory } = inventory
  const loaded = existsSync(join(directory, 'bootstrap.ini'))
    ? await loadCatalogue(directory)
    : undefined
  return {
    loaded,
    catalogue: () => loaded ?? noCatalogue(inventory),
    secretVariables: loaded ? secretVariables(loaded) : new Set(),
  }
}

function noCatalogue({ file }: Inventory): never {
  throw new UsageError('bootstrap_ini_invalid', `there is no bootstrap.ini beside ${file}`, {
    hint: 'It defines roles and products: see docs/bootstrap-ini.md.',
  })
}

async function loadModules(catalogue: Catalogue | undefined): Promise<Map<string, unknown>> {
  const modules = new Map<string, unknown>()
  for (const { name, module } of catalogue?.products.values() ?? []) {
    if (module) modules.set(name, defaultExport(await loadModule(module)))
  }
  return modules
}

async function prepare(
  recipe: Recipe,
  args: Record<string, unknown>,
  hosts: readonly Host[],
  inventory: InventoryView,
  catalogue: () => Catalogue,
) {
  await recipe.prepare?.({
    args,
    hosts,
    inventory,
    get catalogue() {
      return catalogue()
    },
    product: (host, name, wishes) =>
      productOnHost(findProduct(catalogue(), name), {
        host,
        directory: catalogue().directory,
        ...wishes,
      }),
  })
}
