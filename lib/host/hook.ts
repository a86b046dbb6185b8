/** What a recipe does before or after its run, or a batch: it has no host of its own, and works at others by `on`. */
import type { HostOutcome } from '../events.ts'
import type { Host } from '../inventory/inventory.ts'
import { createInventoryView } from '../inventory/view.ts'
import type { Selection } from '../program/selection.ts'
import type { ArgumentTypes, ArgumentValues } from '../recipe/arguments.ts'
import type { AfterContext, OfBatch } from '../recipe/recipe.ts'
import { cleanReport } from '../report/clean.ts'
import type { Progress } from '../report/progress.ts'
import { errorReport, statusOf, thrownError } from '../report/report.ts'
import { createFactsOf } from './context.ts'
import type { Job } from './job.ts'
import { type Mode, onlyLooks } from './mode.ts'
import { createNeighbours, createOn } from './on.ts'

/** What a hook is about. */
export interface HookPart {
  /** What its steps are shown under. */
  name: string
  hosts: readonly Host[]
  batch?: { number: number; of: number }
  outcomes: readonly HostOutcome[]
  round: number
}

/** Never throws. */
export async function runHook<A extends ArgumentTypes>(
  part: HookPart,
  work: ((context: OfBatch<AfterContext<ArgumentValues<A>>>) => Promise<unknown>) | undefined,
  { what, mode, world, across }: Job<A>,
  progress: Progress,
  selection: Selection,
): Promise<Pick<HostOutcome, 'status' | 'counts' | 'durationMs' | 'error'>> {
  const { interrupts, catalogue, secretVariables: names = new Set<string>() } = world
  const startedAt = Date.now()
  const inventory = createInventoryView(world.inventory, { names, hide: progress.hide })
  const execution = { progress }
  const job = { what, mode: modeOf(mode), world, across }
  const { name: forHost, round, hosts, batch, outcomes } = part
  let failure: ReturnType<typeof thrownError> | undefined
  try {
    await work?.({
      hosts,
      // That of a run does not ask for it: its type has none.
      batch: batch!,
      outcomes,
      inventory,
      factsOf: createFactsOf(inventory, across),
      args: what.args,
      secrets: what.secrets ?? {},
      check: onlyLooks(mode),
      confirmed: mode.kind === 'replay' || what.confirmed === true,
      on: createOn(createNeighbours({ job, forHost, selection, execution, interrupts, round })),
      get catalogue() {
        return catalogue()
      },
      warn: message => progress.warn(message),
    })
  } catch (error) {
    failure = thrownError(error)
  }
  progress.end()
  return {
    status: failure ? statusOf(failure) : progress.counts.changed > 0 ? 'changed' : 'ok',
    counts: progress.counts,
    durationMs: Date.now() - startedAt,
    error: failure && cleanReport({ ...errorReport(failure), host: forHost }, progress.redact),
  }
}

/** A plan is of hosts: it shows what hooks would do, and does not keep it; so an applied one does what they say then. */
function modeOf(mode: Mode): Mode {
  if (mode.kind === 'plan') return { kind: 'check', diff: mode.diff }
  return mode.kind === 'replay' ? { kind: 'apply', diff: mode.diff } : mode
}
