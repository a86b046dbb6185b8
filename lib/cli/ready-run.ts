/** Everything that a run needs from options, inventory and project, checked before a host is touched. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { Catalogue } from '../bootstrap/definitions.ts'
import { loadCatalogue } from '../bootstrap/load.ts'
import { findProduct } from '../bootstrap/lookup.ts'
import { productOnHost } from '../bootstrap/product.ts'
import { UsageError } from '../errors.ts'
import type { Timeouts, What } from '../host/job.ts'
import type { Host, Inventory } from '../inventory/inventory.ts'
import { refuseSameHost } from '../inventory/same-host.ts'
import { parseArguments, readValues } from '../recipe/arguments.ts'
import type { Recipe } from '../recipe/recipe.ts'
import { defaultExport, loadModule } from '../recipe/recipe-files.ts'
import { resolveSecrets } from '../recipe/secrets.ts'
import type { Rollout } from '../rollout/run.ts'
import { chooseMode, type OutputMode } from '../ui/choose-renderer.ts'
import { askSecret } from './ask-secret.ts'
import { type Callback, prepareCallback } from './callback.ts'
import type { OptionValues } from './options.ts'
import { prepareReach, type Reach, readReach } from './reach.ts'
import { readRollout } from './read-rollout.ts'
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
  timeouts: Timeouts
  targets: Targets
  catalogue: () => Catalogue
  modules: ReadonlyMap<string, unknown>
  callback?: Callback
  reach: Reach
  /** Where traces of sessions go. */
  traces?: string
}

/** @throws {UsageError} anything in the command line or the project is wrong */
export async function readyRun(request: RunRequest): Promise<ReadyRun> {
  const { name, recipe, options, place, mode } = request
  const output = chooseMode(options.output as string | undefined, place)
  if (options.step === true) checkStepOption(output, options)
  const rollout = readRollout(options)
  const wantedReach = readReach(options, place)
  const timeouts = readTimeouts(options, wantedReach.commandTimeoutMs)
  const selection = mode?.kind === 'replay' ? mode.selection : parseSelection(options)
  const targets = await (request.targets ?? (() => findTargets(options, place)))()
  const { inventory, hosts } = targets
  const loaded = await findCatalogue(inventory)
  const catalogue = () => loaded ?? noCatalogue(inventory)
  const words = await readValues(recipe.args, request.words, createValueSources())
  const args = parseArguments(recipe.args, words, { catalogue })
  if (recipe.lock(args)) refuseSameHost(hosts)
  const modules = await loadModules(loaded)
  await prepare(recipe, args, hosts, catalogue)
  request.parsed?.(args, recipe.show ? recipe.show(args, catalogue) : args)
  // Lists and plans have no outcome to post.
  const posts = mode === undefined || mode.kind === 'replay'
  const url = options.callbackUrl as string | undefined
  const callback = posts ? prepareCallback(url, place.env, loaded) : undefined
  const traces = traceDirectory(place)
  // Lists and plans need them too, to hide them in what recipes read from hosts. A recipe that was made
  // without `recipe()` has none.
  const secrets = await resolveSecrets(recipe.secrets ?? {}, { env: place.env, ask: askSecret })
  const reach = await prepareReach(wantedReach, targets, place)
  const confirmed = options.yes === true
  const what = { recipe, name, args, secrets, confirmed, selection }
  return { output, what, rollout, timeouts, targets, catalogue, modules, callback, reach, traces }
}

function readTimeouts(options: OptionValues, stepMs: number | undefined): Timeouts {
  return {
    connectMs: parseTimeout('--timeout', options.timeout as string),
    lockMs: parseTime('--wait-lock', (options.waitLock as string | undefined) ?? '0s'),
    stepMs,
  }
}

/** bootstrap.ini is checked in full; only recipes that need it fail without it. */
async function findCatalogue({ directory }: Inventory): Promise<Catalogue | undefined> {
  return existsSync(join(directory, 'bootstrap.ini')) ? loadCatalogue(directory) : undefined
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
  catalogue: () => Catalogue,
) {
  await recipe.prepare?.({
    args,
    hosts,
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
