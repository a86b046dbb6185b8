/**
 * The run: which hosts work when. It reports events and knows no renderer and no callback; they
 * subscribe.
 */
import type { ExitCode } from '../errors.ts'
import type { HostOutcome } from '../events.ts'
import type { Across } from '../host/across.ts'
import { createAcross } from '../host/create-across.ts'
import { runHost } from '../host/host.ts'
import { onlyLooks } from '../host/mode.ts'
import type { Host } from '../inventory/inventory.ts'
import { createSelection, everything, type Selection, unmetBy } from '../program/selection.ts'
import type { ArgumentTypes } from '../recipe/arguments.ts'
import { cleanData } from '../report/clean.ts'
import { exitCodeOf } from '../report/exit-code.ts'
import { createProgress } from '../report/progress.ts'
import { createRedactor, type Redactor } from '../shell/redact.ts'
import type { Run, Start } from './rollout.ts'
import { groupHosts, runBatches } from './run-batches.ts'

/** The result of a run. */
export interface RunResult {
  exitCode: ExitCode
  outcomes: HostOutcome[]
  /** A text without the secrets of any host. */
  redact(text: string): string
}

/** What all hosts of a run contribute to. */
interface Shared {
  redactor: Redactor
  redactors: Redactor['redact'][]
  selections: Selection[]
  across: Across
}

/**
 * Runs a recipe on hosts. Never throws because of what happens on a host.
 * @throws {UsageError} there can be no journal; no host was touched
 */
export async function runRecipe<A extends ArgumentTypes>(run: Run<A>): Promise<RunResult> {
  const { events, identity, reporting } = run.world
  const startedAt = Date.now()
  const redactor = createRedactor()
  redactor.hide(Object.values(run.what.secrets ?? {}).map(secret => secret.reveal()))
  redactor.hide(reporting?.hidden ?? [])
  const groups = groupHosts(run.world.hosts, run.rollout, run.what.recipe.order)
  const shared: Shared = {
    redactor,
    redactors: [redactor.redact],
    selections: [],
    across: createAcross(run.world, {
      batches: groups.map(group => group.map(({ name }) => name)),
      committed: async () => run.journal?.committed(),
      onces: run.rollout.resumed?.onces,
    }),
  }
  const redact = (text: string) => shared.redactors.reduce((rest, each) => each(rest), text)
  const warn = (message: string) => events.emit({ type: 'warning', message })
  const start = startOf(run, groups, redactor)
  await run.journal?.begin(start)
  events.emit(start)
  for (const message of run.decisions ?? [])
    events.emit({ type: 'decision', message, by: identity.owner })
  for (const message of reporting?.warnings ?? []) warn(message)
  const { outcomes, stopped } = await runBatches(groups, run, host => visit(host, run, shared))
  await shared.across.guests.close()
  if (stopped !== undefined) warn(stopped)
  const strays = reporting?.strays?.() ?? []
  for (const stray of strays) warn(redact(stray))
  const wanted = run.what.selection ?? everything
  const unmet = outcomes.every(succeeded) ? unmetBy(shared.selections, wanted) : []
  for (const message of unmet) warn(redact(message))
  const exitCode = exitCodeOf(outcomes, {
    check: onlyLooks(run.mode),
    interrupted: run.world.interrupts.stop.aborted,
    fault: strays.length > 0,
    unmet: unmet.length > 0,
  })
  events.emit({
    type: 'run.end',
    run: identity.run,
    ok: exitCode === 0,
    exitCode,
    durationMs: Date.now() - startedAt,
    hosts: outcomes,
  })
  return { exitCode, outcomes, redact }
}

function startOf<A extends ArgumentTypes>(
  { what, mode, world }: Run<A>,
  groups: readonly (readonly Host[])[],
  { redact }: Redactor,
): Omit<Start, 'at'> {
  const { identity, hosts, catalogue } = world
  const { run, attempt, environment, owner, controller } = identity
  const args = what.recipe.show ? what.recipe.show(what.args, catalogue) : { ...what.args }
  return {
    type: 'run.start',
    run,
    recipe: what.name,
    environment,
    args: cleanData(args, redact) as Record<string, unknown>,
    check: onlyLooks(mode),
    hosts: hosts.map(({ name }) => name),
    owner,
    controller,
    attempt,
    batches: groups.map(group => group.map(({ name }) => name)),
  }
}

/** One host's work; adds its redactor and selection to the shared ones. */
function visit<A extends ArgumentTypes>(
  host: Host,
  { what, mode, world }: Run<A>,
  { redactor, redactors, selections, across }: Shared,
): Promise<HostOutcome> {
  const progress = createProgress(host.name, what.name, world.events, redactor)
  redactors.push(progress.redact)
  across.visitors.push(progress)
  progress.hide(across.guests.hidden)
  const selection = createSelection(what.selection ?? everything)
  selections.push(selection)
  return runHost(host, { what, mode, world, across }, progress, selection)
}

const succeeded = ({ status }: HostOutcome) => status === 'ok' || status === 'changed'
