/**
 * The run: which hosts work when. It reports events and knows no renderer and no callback; they
 * subscribe.
 */
import pLimit from 'p-limit'
import type { ExitCode } from '../errors.ts'
import type { EventStream, HostOutcome, HostStatus } from '../events.ts'
import { runHost } from '../host/host.ts'
import type { Job } from '../host/job.ts'
import { onlyLooks } from '../host/mode.ts'
import type { Host } from '../inventory/inventory.ts'
import { createSelection, everything, type Selection } from '../program/selection.ts'
import type { ArgumentTypes } from '../recipe/arguments.ts'
import { cleanData } from '../report/clean.ts'
import { exitCodeOf } from '../report/exit-code.ts'
import { createProgress } from '../report/progress.ts'
import { createRedactor, type Redactor } from '../shell/redact.ts'
import { batches, type HostLimits, limitPassed } from './batches.ts'

/** Which hosts run at the same time. */
export interface Rollout {
  /** Sizes of batches (`parseSerial`). Default: all hosts at once. */
  batches?: readonly string[]
  /** Hosts at a time within a batch. */
  forks: number
  /** How many hosts may fail before no more are started. Default: none in earlier batches. */
  limits?: HostLimits
}

/** All that a run is given. */
export interface Run<A extends ArgumentTypes = ArgumentTypes> extends Job<A> {
  rollout: Rollout
}

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
}

/** Runs a recipe on hosts. Never throws because of what happens on a host. */
export async function runRecipe<A extends ArgumentTypes>(run: Run<A>): Promise<RunResult> {
  const { events, identity, reporting } = run.world
  const startedAt = Date.now()
  const redactor = createRedactor()
  redactor.hide(Object.values(run.what.secrets ?? {}).map(secret => secret.reveal()))
  redactor.hide(reporting?.hidden ?? [])
  const shared: Shared = { redactor, redactors: [redactor.redact], selections: [] }
  const redact = (text: string) => shared.redactors.reduce((rest, each) => each(rest), text)
  const warn = (message: string) => events.emit({ type: 'warning', message })
  announce(run, redactor)
  for (const message of reporting?.warnings ?? []) warn(message)
  const { outcomes, stopped } = await runBatches(run, host => visit(host, run, shared))
  if (stopped !== undefined) warn(stopped)
  const strays = reporting?.strays?.() ?? []
  for (const stray of strays) warn(redact(stray))
  const unmet = outcomes.every(succeeded) ? unmetByAll(shared.selections) : []
  for (const message of unmet) warn(message)
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

function announce<A extends ArgumentTypes>(
  { what, mode, world }: Run<A>,
  { redact }: Redactor,
): void {
  const { identity, events, hosts, catalogue } = world
  const args = what.recipe.show ? what.recipe.show(what.args, catalogue) : { ...what.args }
  events.emit({
    type: 'run.start',
    run: identity.run,
    recipe: what.name,
    environment: identity.environment,
    args: cleanData(args, redact) as Record<string, unknown>,
    check: onlyLooks(mode),
    hosts: hosts.map(host => host.name),
  })
}

/** One host's work; adds its redactor and selection to the shared ones. */
function visit<A extends ArgumentTypes>(
  host: Host,
  { what, mode, world }: Run<A>,
  { redactor, redactors, selections }: Shared,
): Promise<HostOutcome> {
  const progress = createProgress(host.name, what.name, world.events, redactor)
  redactors.push(progress.redact)
  const selection = createSelection(what.selection ?? everything)
  selections.push(selection)
  return runHost(host, { what, mode, world }, progress, selection)
}

/**
 * Runs batch after batch, in each up to `forks` hosts at a time.
 * @returns the outcomes in the order of the hosts, and why not all were started, if a limit was exceeded
 */
async function runBatches(
  { rollout, world }: Pick<Run, 'rollout' | 'world'>,
  work: (host: Host) => Promise<HostOutcome>,
): Promise<{ outcomes: HostOutcome[]; stopped?: string }> {
  const { hosts, events, interrupts } = world
  const groups = batches(hosts, rollout.batches ?? ['100%'])
  const limit = pLimit(rollout.forks)
  const outcomes: HostOutcome[] = []
  const statuses: HostStatus[] = []
  /** Why no more hosts are started. */
  let stopped: string | undefined
  const mayBegin = (within: boolean) => {
    if (interrupts.stop.aborted || stopped !== undefined) return false
    stopped = limitPassed(statuses, rollout.limits ?? {}, hosts.length, within)
    return stopped === undefined
  }
  const begin = async (host: Host) => {
    if (!mayBegin(true)) return skipHost(host, events)
    const outcome = await work(host)
    statuses.push(outcome.status)
    return outcome
  }
  for (const [index, group] of groups.entries()) {
    if (mayBegin(false)) {
      const names = group.map(host => host.name)
      events.emit({ type: 'batch.start', number: index + 1, of: groups.length, hosts: names })
    }
    outcomes.push(...(await Promise.all(group.map(host => limit(() => begin(host))))))
  }
  if (stopped === undefined || !rollout.limits) return { outcomes }
  const left = outcomes.filter(({ status }) => status === 'skipped').length
  const what = left === 1 ? '1 host was' : `${left} hosts were`
  return { outcomes, stopped: `${stopped}: ${what} not started` }
}

function skipHost(host: Host, events: EventStream): HostOutcome {
  const outcome: HostOutcome = {
    host: host.name,
    status: 'skipped',
    counts: { ok: 0, changed: 0, failed: 0, skipped: 0 },
    durationMs: 0,
    roundTrips: 0,
  }
  events.emit({ type: 'host.end', ...outcome })
  return outcome
}

const succeeded = ({ status }: HostOutcome) => status === 'ok' || status === 'changed'

/** What of --tags and --start-at matched on no host, most likely because of a typo. */
const unmetByAll = (selections: readonly Selection[]): string[] =>
  selections[0]?.unmet.filter(each => selections.every(({ unmet }) => unmet.includes(each))) ?? []
