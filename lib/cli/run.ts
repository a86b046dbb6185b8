/** Running a recipe from the command line. */
import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import type { Catalogue } from '../bootstrap/definitions.ts'
import { loadCatalogue } from '../bootstrap/load.ts'
import { findProduct } from '../bootstrap/lookup.ts'
import { productOnHost } from '../bootstrap/product.ts'
import { exitCodes, UsageError } from '../errors.ts'
import { createEventStream } from '../events.ts'
import { accountName } from '../host/account-name.ts'
import type { HostLimits, RunOptions } from '../host/run-options.ts'
import type { Host, Inventory } from '../inventory/inventory.ts'
import { parseArguments, readValues } from '../recipe/arguments.ts'
import type { Recipe } from '../recipe/recipe.ts'
import { defaultExport, loadModule } from '../recipe/recipe-files.ts'
import { resolveSecrets } from '../recipe/secrets.ts'
import { parseHostLimit, parseSerial } from '../rollout/batches.ts'
import { runRecipe } from '../rollout/run.ts'
import { createTracer } from '../session/trace-files.ts'
import { escapeControls } from '../ui/escape.ts'
import type { Kept } from '../ui/output-lines.ts'
import { chooseMode, createRenderer, type Renderer } from '../ui/render.ts'
import { createRunLog } from '../ui/run-log.ts'
import { formatTable } from '../ui/table.ts'
import { themeFor } from '../ui/theme.ts'
import { askSecret } from './ask-secret.ts'
import { prepareCallback } from './callback.ts'
import type { Place } from './command.ts'
import { pausing } from './hold.ts'
import { listenForInterrupts } from './interrupts.ts'
import type { OptionValues } from './options.ts'
import { prepareReach, readReach } from './reach.ts'
import { runId } from './run-id.ts'
import { confirmSteps } from './step-by-step.ts'
import { listenForStrays } from './strays.ts'
import { findTargets, parseCount, parseSelection, parseTime, type Targets } from './targets.ts'
import { traceDirectory } from './traces.ts'
import { createValueSources } from './value-sources.ts'

export interface RunRequest {
  name: string
  recipe: Recipe
  words: readonly string[]
  options: OptionValues
  place: Place
  /** Draws the run, instead of the renderer of the output mode; not for json. */
  draw?: (hosts: readonly Host[], place: Place, log: Kept) => Renderer
  /** Which hosts; default: what the options say. */
  targets?: () => Promise<Targets>
  /** What `list tasks`, `plan` and `apply` want of the run. Nothing is posted for the first two. */
  mode?: Pick<RunOptions, 'list' | 'record' | 'expect' | 'selection'> & { check?: true }
  /** Told the arguments, before any host is touched. */
  parsed?: (args: Record<string, unknown>, shown: Record<string, unknown>) => void
}

/** @returns the exit code */
export async function runCommand(request: RunRequest): Promise<number> {
  const { name, recipe, options, place } = request
  // Everything that can be wrong is found before a host is touched.
  const text = (key: string) => options[key] as string
  const mode = chooseMode(options.output as string | undefined, place)
  const confirm = options.step === true ? confirmSteps(mode, options) : undefined
  const forks = confirm ? 1 : parseCount('--forks', text('forks'))
  const serial = options.serial === undefined ? undefined : parseSerial(text('serial'))
  const limits = readLimits(options)
  const timeoutMs = parseTime('--timeout', text('timeout'))
  const wantedReach = readReach(options, place)
  const waitLockMs = parseTime('--wait-lock', text('waitLock') ?? '0s')
  const selection = request.mode?.selection ?? parseSelection(options)
  const targets = await (request.targets ?? (() => findTargets(options, place)))()
  const { inventory, hosts } = targets
  const loaded = await findCatalogue(inventory)
  const catalogue = () => loaded ?? noCatalogue(inventory)
  const words = await readValues(recipe.args, request.words, createValueSources())
  const args = parseArguments(recipe.args, words, { catalogue })
  const modules = await loadModules(loaded)
  await prepare(recipe, args, hosts, catalogue)
  request.parsed?.(args, recipe.show ? recipe.show(args, catalogue) : args)
  const callback = request.mode?.record
    ? undefined
    : prepareCallback(options.callbackUrl as string | undefined, place.env, loaded?.callbackUrl)

  const traces = traceDirectory(place)

  // Lists and plans need them too: recipes read of hosts what must not be shown. A recipe that was made
  // without `recipe()` has none.
  const secrets = await resolveSecrets(recipe.secrets ?? {}, { env: place.env, ask: askSecret })

  const reach = await prepareReach(wantedReach, targets, place)

  const events = createEventStream()
  const tell = (message: string) => events.emit({ type: 'warning', message })
  const run = runId()
  const wanted = options.log as string | undefined
  const log = createRunLog({ run, wanted, cwd: place.cwd, env: place.env, warn: tell })
  const drawn = {
    output: place,
    verbose: options.verbose === true,
    diff: options.diff === true,
    log,
  }
  const renderer =
    mode !== 'json' && request.draw
      ? request.draw(hosts, place, log)
      : // A tree that is drawn again and again leaves no place to ask at.
        await createRenderer(confirm ? 'plain' : mode, drawn)
  const screen = pausing(renderer)
  events.subscribe(screen.subscriber)
  events.subscribe(log.subscriber)
  if (callback) events.subscribe(callback.subscriber)
  const interrupts = listenForInterrupts(tell)
  const strays = listenForStrays()
  const signal = interrupts.stop
  const tracer = traces === undefined ? undefined : createTracer(traces, { run, warn: tell })
  const typed = tracer && ((answer: string) => tracer.hide([answer]))
  const { connector, stopAsking } = reach.connect({ screen, signal, warn: tell, typed })
  try {
    const result = await runRecipe({
      recipe,
      name,
      args,
      secrets,
      hidden: [...(callback?.secrets ?? []), ...reach.secrets],
      warnings: reach.warnings,
      hosts,
      environment: inventory.environment,
      catalogue,
      modules,
      events,
      run,
      check: options.check === true,
      diff: drawn.diff,
      selection,
      ...request.mode,
      confirm: confirm && ((host, title) => confirm(host, title, interrupts.stop)),
      verbose: drawn.verbose,
      debug: options.debug === true,
      tracer,
      forks,
      serial,
      limits,
      timeoutMs,
      commandTimeoutMs: wantedReach.commandTimeoutMs,
      connector,
      waitLockMs,
      owner: place.env.SUDO_USER || accountName(),
      controller: hostname(),
      interrupts,
      strays: strays.take,
    })
    await stopAsking()
    const undelivered = await callback?.deliver()
    if (undelivered) tell(result.redact(`the callback was not delivered: ${undelivered}`))
    const late = strays.take()
    for (const message of late) tell(result.redact(message))
    log.end()
    await renderer.end()
    const failed = result.exitCode !== exitCodes.ok && result.exitCode !== exitCodes.drift
    const logged = mode === 'json' ? undefined : log.place(failed || late.length > 0)
    if (logged) place.stderr.write(`Log of the run: ${escapeControls(logged)}\n`)
    const report = mode === 'json' ? undefined : recipe.report?.(result.outcomes, args)
    if (report && report.rows.length > 0) {
      const { color, unicode } = themeFor(place.stdout, place.env)
      place.stdout.write(
        `${formatTable(report.header, report.rows, { color, unicode, columns: place.stdout.columns })}\n`,
      )
    }
    return late.length > 0 && result.exitCode === exitCodes.ok ? exitCodes.fault : result.exitCode
  } finally {
    log.end()
    connector.close()
    tracer?.close()
    strays.dispose()
    interrupts.dispose()
  }
}

/** Undefined where no option sets one: batches then bear no failure, and say nothing of it. */
function readLimits({ maxFail, maxUnreachable }: OptionValues): HostLimits | undefined {
  if (maxFail === undefined && maxUnreachable === undefined) return undefined
  const limit = (option: string, text: OptionValues[string]) =>
    text === undefined ? undefined : parseHostLimit(option, text as string)
  return {
    fail: limit('--max-fail', maxFail),
    unreachable: limit('--max-unreachable', maxUnreachable),
  }
}

/** bootstrap.ini is checked whole at start-up; that there is none is a fault of recipes that need it. */
async function findCatalogue({ directory }: Inventory): Promise<Catalogue | undefined> {
  return existsSync(join(directory, 'bootstrap.ini')) ? loadCatalogue(directory) : undefined
}

function noCatalogue({ file }: Inventory): never {
  throw new UsageError('bootstrap_ini_invalid', `there is no bootstrap.ini beside ${file}`, {
    hint: 'It says what roles and products there are: see docs/bootstrap-ini.md.',
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
