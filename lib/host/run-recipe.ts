/** The recipe's work on a host that is connected, and locked if necessary. */
import type { Host } from '../inventory/inventory.ts'
import { createInventoryView, withWatchedVars } from '../inventory/view.ts'
import type { StepAccount } from '../program/account.ts'
import { createEffectKeys } from '../program/effects.ts'
import { type Remembered, stepsOf } from '../program/remembered.ts'
import { segmentsOf } from '../program/segments.ts'
import { createSelection, everything, type Selection } from '../program/selection.ts'
import type { ArgumentTypes } from '../recipe/arguments.ts'
import type { Progress } from '../report/progress.ts'
import { createPutting, goAround } from './around.ts'
import { createLogInAnew } from './confirm.ts'
import { createContext } from './context.ts'
import { execute } from './execute.ts'
import type { Execution } from './execution.ts'
import type { Job } from './job.ts'
import { createLedger, type Ledger } from './ledger.ts'
import { type Mode, onlyLooks } from './mode.ts'
import { comparePlan, createPlanCheck, lookAgain, silentProgress } from './planned.ts'
import { schedulingFor } from './scheduling.ts'
import type { HostSessions } from './sessions.ts'
import type { StateFiles } from './state-files.ts'

/** A host while a run is connected to it. */
export interface Visit {
  host: Host
  sessions: HostSessions
  files: StateFiles
  /** Handlers that an earlier run left due. */
  remembered: readonly Remembered[]
  /** Keeps what the recipe passes to `output`. */
  output: (data: unknown) => void
}

/**
 * Runs the recipe, then handlers that an earlier run left due and this recipe does not declare.
 * @param begin called with the ledger before the recipe begins
 */
export async function perform<A extends ArgumentTypes>(
  { host, sessions, files, remembered, output }: Visit,
  job: Job<A>,
  progress: Progress,
  selection: Selection,
  begin: (ledger: Ledger) => void = () => {},
): Promise<void> {
  const { what, mode, world } = job
  const secrets = { names: world.secretVariables ?? new Set<string>(), hide: progress.hide }
  const shown = withWatchedVars(host, secrets)
  const before = remembered.map(({ key }) => key)
  const ledger = createLedger(sessions, onlyLooks(mode), before)
  begin(ledger)
  const execution: Execution = {
    host: shown,
    mode,
    sessions,
    progress,
    ledger,
    interrupts: world.interrupts,
    effects: remembersEffects(job)
      ? createEffectKeys(what.name, host.name, progress.redact)
      : undefined,
    logInAnew: createLogInAnew(host, world),
    stepTimeoutMs: world.timeouts.stepMs ?? host.timeouts?.commandMs,
    checkPlanned:
      mode.kind === 'replay'
        ? createPlanCheck(
            mode.planned.get(host.name) ?? [],
            progress.redact,
            mode.begun.has(host.name),
          )
        : undefined,
  }
  const here = { ...shown, facts: sessions.main.facts }
  const scheduling = schedulingFor(job, here, remembered, selection, progress)
  const inventory = createInventoryView(world.inventory, secrets)
  const { recipe } = what
  const { context, onFor } = createContext(job, { execution, scheduling, inventory, files }, output)
  const work = async () => {
    await recipe.run(context)
    if (!recipe.lock(what.args)) return
    const left = stepsOf(remembered.filter(({ key }) => ledger.due.has(key)))
    const segments = segmentsOf(left, scheduling.oneByOne)
    await execute({ segments, excluded: new Set() }, execution)
  }
  if (!recipe.aroundHost) return work()
  const putting = createPutting(world.interrupts)
  // What an earlier attempt has put back is to be taken out again.
  const on = onFor(putting.interrupts, job.across.roundOf(host.name))
  await goAround(recipe.aroundHost, context, on, putting, work)
}

/** Whether the host keeps a memory of effects: beside its lock. */
const remembersEffects = <A extends ArgumentTypes>({ what, mode }: Job<A>) =>
  what.recipe.lock(what.args) && !onlyLooks(mode)

/**
 * Plans again, under the lock and before anything is changed, and compares the result with the plan.
 * @throws {StepError} plan_stale: they differ
 */
export async function lookAtPlanned<A extends ArgumentTypes>(
  visit: Visit,
  { what, world, across }: Job<A>,
  mode: Extract<Mode, { kind: 'replay' }>,
  progress: Progress,
): Promise<void> {
  const found: StepAccount[] = []
  const looking: Job<A> = { what, mode: lookAgain(mode.diff, found), world, across }
  const selection = createSelection(what.selection ?? everything)
  const { name } = visit.host
  await perform(visit, looking, silentProgress(name, progress), selection)
  // Looking marked due handlers as done in the session: read them again.
  await visit.sessions.steadily(undefined, session =>
    session.call({ name: 'hw_reload_due', args: [] }),
  )
  comparePlan(mode.planned.get(name) ?? [], found, mode.begun.has(name))
}
