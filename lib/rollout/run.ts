/**
 * The engine: connects to hosts, takes locks, runs the recipe on each, and accounts for it in events.
 * It knows no renderer and no callback; they subscribe.
 */
import pLimit from 'p-limit'
import type { EventStream, HostOutcome, HostStatus } from '../events.ts'
import { runHost } from '../host/host-run.ts'
import type { RunOptions } from '../host/run-options.ts'
import type { Host } from '../inventory/inventory.ts'
import { createSelection, everything, type Selection } from '../program/selection.ts'
import type { ArgumentTypes } from '../recipe/arguments.ts'
import { cleanData, createProgress, type Progress } from '../report/progress.ts'
import { exitCodeOf } from '../report/report.ts'
import { createRedactor } from '../shell/redact.ts'
import { batches, limitPassed } from './batches.ts'

/** What came of a run. */
export interface RunResult {
  exitCode: number
  outcomes: HostOutcome[]
  /** A text without the secrets of any host. */
  redact(text: string): string
}

/** Runs a recipe on hosts. Never throws for what happens on a host. */
export async function runRecipe<A extends ArgumentTypes>(
  options: RunOptions<A>,
): Promise<RunResult> {
  const { recipe, hosts, events, run, check, interrupts } = options
  const startedAt = Date.now()
  const shared = createRedactor()
  shared.hide(Object.values(options.secrets ?? {}).map(secret => secret.reveal()))
  shared.hide(options.hidden ?? [])
  const args = recipe.show ? recipe.show(options.args, options.catalogue) : { ...options.args }
  events.emit({
    type: 'run.start',
    run,
    recipe: options.name,
    environment: options.environment,
    args: cleanData(args, shared.redact) as Record<string, unknown>,
    check,
    hosts: hosts.map(host => host.name),
  })
  for (const message of options.warnings ?? []) events.emit({ type: 'warning', message })
  const outcomes: HostOutcome[] = []
  const redactors: Progress['redact'][] = []
  const selections: Selection[] = []
  const redactAll = (text: string) =>
    [shared.redact, ...redactors].reduce((rest, redact) => redact(rest), text)
  const work = (host: Host) => {
    const progress = createProgress(host.name, options.name, events, shared)
    redactors.push(progress.redact)
    const selection = createSelection(options.selection ?? everything)
    selections.push(selection)
    return runHost(host, options, progress, selection)
  }
  const groups = batches(hosts, options.serial ?? ['100%'])
  const limit = pLimit(options.forks)
  const statuses: HostStatus[] = []
  /** Why no more hosts begin. */
  let stopped: string | undefined
  const mayBegin = (within: boolean) => {
    if (interrupts.stop.aborted || stopped !== undefined) return false
    stopped = limitPassed(statuses, options.limits ?? {}, hosts.length, within)
    return stopped === undefined
  }
  for (const [index, group] of groups.entries()) {
    const go = mayBegin(false)
    if (go)
      events.emit({
        type: 'batch.start',
        number: index + 1,
        of: groups.length,
        hosts: group.map(host => host.name),
      })
    const results = await Promise.all(
      group.map(host =>
        limit(async () => {
          if (!mayBegin(true)) return skipHost(host, events)
          const outcome = await work(host)
          statuses.push(outcome.status)
          return outcome
        }),
      ),
    )
    outcomes.push(...results)
  }
  const left = outcomes.filter(({ status }) => status === 'skipped').length
  if (stopped !== undefined && options.limits)
    events.emit({ type: 'warning', message: `${stopped}: ${left} did not begin` })
  const strays = options.strays?.() ?? []
  for (const stray of strays) events.emit({ type: 'warning', message: redactAll(stray) })
  const went = outcomes.every(succeeded)
  const unmet = went ? unmetByAll(selections) : []
  for (const message of unmet) events.emit({ type: 'warning', message })
  const exitCode = exitCodeOf(outcomes, {
    check,
    interrupted: interrupts.stop.aborted,
    fault: strays.length > 0,
    unmet: unmet.length > 0,
  })
  events.emit({
    type: 'run.end',
    run,
    ok: exitCode === 0,
    exitCode,
    durationMs: Date.now() - startedAt,
    hosts: outcomes,
  })
  return { exitCode, outcomes, redact: redactAll }
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

/** What of --tags and --start-at came on no host: most likely a word that was mistyped. */
const unmetByAll = (selections: readonly Selection[]): string[] =>
  selections[0]?.unmet.filter(each => selections.every(({ unmet }) => unmet.includes(each))) ?? []
