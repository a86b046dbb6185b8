/** Running a recipe from the command line. */
import { type ExitCode, exitCodes } from '../errors.ts'
import { createEventStream, type EventStream } from '../events.ts'
import type { Interrupts } from '../host/interrupts.ts'
import type { Identity, World } from '../host/job.ts'
import { type Mode, onlyLooks } from '../host/mode.ts'
import { takeRolloutLock } from '../host/rollout-lock.ts'
import { runsDirectory } from '../private-file.ts'
import { exitCodeOfErrors } from '../report/exit-code.ts'
import { thrownError } from '../report/report.ts'
import type { Deeds } from '../rollout/deeds.ts'
import { removeOldRuns } from '../rollout/journal/files.ts'
import { describePlan } from '../rollout/plan-batches.ts'
import { type RunResult, runRecipe } from '../rollout/run.ts'
import { createTracer, type Tracer } from '../session/trace-files.ts'
import { createRenderer } from '../ui/choose-renderer.ts'
import type { Renderer } from '../ui/renderer.ts'
import { createRunLog, type RunLog } from '../ui/run-log.ts'
import { sayLine } from '../ui/say-line.ts'
import { formatTable } from '../ui/table.ts'
import { themeFor } from '../ui/theme.ts'
import { rolloutLockHost, takeFleetLock } from './fleet-lock.ts'
import { pausing } from './hold.ts'
import { type ListeningInterrupts, listenForInterrupts, untilCtrlC } from './interrupts.ts'
import { nextCommands } from './next-commands.ts'
import { type Asking, createDecide, whoDecides } from './pauses.ts'
import { type ReadyRun, readyRun } from './ready-run.ts'
import { createReporting, type Reporting } from './reports.ts'
import { runId, whoStarts } from './run-id.ts'
import { createRunJournal } from './run-journal.ts'
import type { RunRequest } from './run-request.ts'
import { showError } from './show-error.ts'
import { createConfirm } from './step-by-step.ts'
import { listenForStrays, type Strays } from './strays.ts'
import { createWaiting } from './waiting.ts'

/** @returns the exit code */
export async function runCommand(request: RunRequest): Promise<ExitCode> {
  const { exitCode, abandoned } = await run(request)
  // What was abandoned may keep the process.
  if (abandoned) process.exit(exitCode)
  return exitCode
}

async function run(request: RunRequest): Promise<{ exitCode: ExitCode; abandoned: boolean }> {
  const { options, place } = request
  const ready = await readyRun(request)
  const events = createEventStream()
  const warn = (message: string) => events.emit({ type: 'warning', message })
  const identity = identify(request, ready)
  const wanted = options.log as string | undefined
  const log = createRunLog({
    run: identity.run,
    wanted,
    resumed: request.resumed !== undefined,
    cwd: request.from ?? place.cwd,
    env: place.env,
    warn,
  })
  const renderer = await rendererOf(request, ready, log)
  const screen = pausing(renderer)
  const reporting = reportingOf(request, ready)
  const waiting = createWaiting(warn)
  const interrupts = listenForInterrupts((line, name) => {
    events.emit({ type: 'decision', message: `${name}: ${line}`, by: identity.owner })
    warn(line)
    waiting.begin()
  })
  const mode = modeOf(request, interrupts, (host, title) =>
    events.emit({ type: 'approval.needed', host, title }),
  )
  const journal = createRunJournal({ request, ready, mode, log: log.file, warn })
  // The callback first: of what the journal has as ended, nothing is posted by another attempt. Then the journal: it has
  // what happened before anybody sees it.
  for (const each of [ready.callback, journal, reporting, screen, log, waiting])
    if (each) events.subscribe(each.subscriber)
  const strays = listenForStrays()
  const signal = interrupts.stop
  const tracer = ready.traces ? createTracer(ready.traces, { run: identity.run, warn }) : undefined
  const typed = tracer && ((answer: string) => tracer.hide([answer]))
  const { connector, stopAsking, prepare } = ready.reach.connect({ screen, signal, warn, typed })
  let giveBack = async () => {}
  try {
    const around = { identity, events, interrupts, strays, connector, prepare, tracer }
    const world = worldOf(request, ready, around)
    const { what } = ready
    if (mode.kind !== 'list') sayBatches(request, ready)
    giveBack = await holdFleet(request, ready, mode, world, warn)
    const result = await runRecipe({
      what,
      mode,
      rollout: { ...ready.rollout, decide: decideAt(request, ready, { interrupts, screen, warn }) },
      journal,
      decisions: { messages: decisionsOf(request), by: whoDecides(identity, place.env) },
      world,
    })
    await stopAsking()
    await journal?.end()
    await giveBack()
    // From here on Ctrl-C ends the delivery of the callback.
    interrupts.dispose()
    waiting.end()
    const resumable = journal && !onlyLooks(mode) ? identity.run : undefined
    const unwritten = await reporting.write(warn)
    const live = { warn, strays, log, renderer, resumable }
    const exitCode = await conclude(request, ready, result, live).catch(error => {
      unwritten.push(thrownError(error))
      return result.exitCode
    })
    reporting.end()
    const errors = unwritten.map(error => showError(error, place, options.verbose === true))
    return {
      exitCode: exitCodeOfErrors(errors, true, exitCode),
      abandoned: interrupts.abandon.aborted,
    }
  } finally {
    await giveBack()
    log.end()
    await journal?.end()
    removeOldRuns(runsDirectory(place.env), identity.run)
    connector.close()
    tracer?.close()
    strays.dispose()
    interrupts.dispose()
    waiting.end()
  }
}

/** Names the hosts of each batch, where there are several. */
function sayBatches({ place }: RunRequest, { output, rollout }: ReadyRun): void {
  if (output === 'json') return
  for (const line of describePlan(rollout.plan)) sayLine(place.stderr, line)
}

/** What is left for others to read. Lists and plans have nothing to report. */
function reportingOf({ mode, quiet, place }: RunRequest, ready: ReadyRun): Reporting {
  const summary = quiet !== true && (mode === undefined || mode.kind === 'replay')
  return createReporting({ wanted: ready.reports, summary, output: ready.output, place })
}

/** What the person decided with options that allow something. */
const decisionsOf = ({ options, resumed }: RunRequest): string[] => [
  ...(options.yes === true ? ['confirmed with --yes'] : []),
  ...(resumed?.decisions ?? []),
]

/** Takes the lock of a rollout: of what changes a product on several hosts. @returns gives it back */
async function holdFleet(
  { place, quiet }: RunRequest,
  { products, targets, timeouts, what }: ReadyRun,
  mode: Mode,
  world: World,
  warn: Asking['warn'],
): Promise<() => Promise<void>> {
  const several = targets.hosts.length > 1 && products.length > 0
  const changes = !onlyLooks(mode) && quiet !== true && what.recipe.lock(what.args)
  if (!several || !changes) return async () => {}
  const directory = runsDirectory(place.env)
  const hosts = targets.inventory.hosts.map(({ name }) => name)
  const { identity, interrupts } = world
  const lock = { directory, products, hosts, identity }
  const at = rolloutLockHost(targets)
  const own = await takeFleetLock(lock, timeouts.lockMs, { stop: interrupts.stop, warn })
  const held: (() => Promise<void>)[] = [async () => own()]
  const giveBack = async () => void (await Promise.all(held.splice(0).map(give => give())))
  try {
    // In one order, so that two that want several do not wait for each other.
    for (const product of at ? [...products].sort() : [])
      held.push(await takeRolloutLock(at!, product, what.name, world))
    return giveBack
  } catch (error) {
    await giveBack()
    throw error
  }
}

/** Who is asked at a pause, if there is a terminal. */
function decideAt(
  { recipe }: RunRequest,
  { output }: ReadyRun,
  {
    interrupts,
    screen,
    warn,
  }: { interrupts: Interrupts; screen: Asking['screen']; warn: (message: string) => void },
): Deeds['decide'] | undefined {
  if (output === 'json' || !process.stdin.isTTY || !process.stderr.isTTY) return undefined
  return createDecide({
    stop: interrupts.stop,
    screen,
    canGoBack: recipe.rollback !== undefined,
    warn,
  })
}

/** The one place that decides whether a run only looks. */
function modeOf(
  { mode, options, resumed }: RunRequest,
  interrupts: ListeningInterrupts,
  asking: (host: string, title: string) => void,
): Mode {
  const diff = options.diff === true
  switch (mode?.kind) {
    case 'list':
      return { kind: 'list', onStep: mode.onStep }
    case 'plan':
      return { kind: 'plan', diff, onStep: mode.onStep }
    case 'replay':
      return { kind: 'replay', diff, planned: mode.planned, begun: resumed?.begun ?? new Set() }
    default:
      if (options.check === true) return { kind: 'check', diff }
      return {
        kind: 'apply',
        diff,
        confirm: options.step ? createConfirm(interrupts, asking) : undefined,
      }
  }
}

function worldOf(
  { options, origin }: RunRequest,
  { targets, catalogue, secretVariables, modules, timeouts, hidden, reach, callback }: ReadyRun,
  live: {
    identity: Identity
    events: EventStream
    interrupts: ListeningInterrupts
    strays: Strays
    connector: World['connector']
    prepare: World['prepare']
    tracer?: Tracer
  },
): World {
  const { identity, events, interrupts, strays, connector, prepare, tracer } = live
  const notes = origin === 'project' && targets.twoProjects ? [targets.twoProjects] : []
  return {
    hosts: targets.hosts,
    inventory: targets.inventory,
    secretVariables,
    catalogue,
    modules,
    connector,
    prepare,
    timeouts,
    events,
    interrupts,
    identity,
    reporting: {
      hidden: [...hidden, ...(callback?.secrets ?? []), ...reach.secrets],
      warnings: [...reach.warnings, ...notes],
      verbose: options.verbose === true,
      debug: options.debug === true,
      tracer,
      strays: strays.take,
    },
  }
}

function rendererOf(
  { options, place, draw }: RunRequest,
  { output, targets }: ReadyRun,
  log: RunLog,
): Renderer | Promise<Renderer> {
  if (output !== 'json' && draw) return draw(targets.hosts, place, log)
  // A tree that is drawn again and again leaves no place to ask at.
  return createRenderer(options.step === true ? 'plain' : output, {
    output: place,
    verbose: options.verbose === true,
    diff: options.diff === true,
    log,
  })
}

/** What is left to do when all hosts are done. */
async function conclude(
  { recipe, place, resumed }: RunRequest,
  { output, what, callback }: ReadyRun,
  result: RunResult,
  live: {
    warn: (message: string) => void
    strays: Strays
    log: RunLog
    renderer: Renderer
    /** The run, if it can be resumed. */
    resumable?: string
  },
): Promise<ExitCode> {
  const { warn, strays, log, renderer } = live
  const say = (line: string) => warn(result.redact(line))
  if (callback)
    for (const line of await untilCtrlC(signal => callback.deliver(say, signal))) say(line)
  const late = strays.take()
  for (const message of late) warn(result.redact(message))
  log.end()
  await renderer.end()
  const failed = result.exitCode !== exitCodes.ok && result.exitCode !== exitCodes.drift
  const logged = output === 'json' ? undefined : log.place(failed || late.length > 0)
  if (logged) sayLine(place.stderr, 'Log of the run:', logged)
  // Those of an earlier attempt are left alone by this one.
  const outcomes = result.outcomes.map(({ host, status, error, roundTrips }) => ({
    ...{ status, error, roundTrips },
    attempt: resumed?.rollout.outcomes.has(host) ? 1 : resumed?.attempt,
  }))
  if (output !== 'json' && live.resumable) {
    const { paused, due, over } = result
    for (const { why, command } of nextCommands(live.resumable, outcomes, { paused, due, over }))
      sayLine(place.stderr, `${why}:`, command)
  }
  const report = output === 'json' ? undefined : recipe.report?.(result.outcomes, what.args)
  if (report && report.rows.length > 0) {
    const { color, unicode } = themeFor(place.stdout, place.env)
    const { columns } = place.stdout
    place.stdout.write(`${formatTable(report.header, report.rows, { color, unicode, columns })}\n`)
  }
  const good = result.exitCode === exitCodes.ok
  return late.length > 0 && good ? exitCodes.fault : result.exitCode
}

function identify({ resumed, place }: RunRequest, { targets }: ReadyRun): Identity {
  return {
    run: resumed?.run ?? runId(),
    attempt: resumed?.attempt ?? 1,
    environment: targets.inventory.environment,
    ...whoStarts(place),
  }
}
