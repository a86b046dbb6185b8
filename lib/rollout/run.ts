/**
 * The run: which hosts work when. It reports events and knows no renderer and no callback; they
 * subscribe.
 */
import type { ExitCode } from '../errors.ts'
import type { HostOutcome } from '../events.ts'
import { createAcross } from '../host/create-across.ts'
import type { Job } from '../host/job.ts'
import { onlyLooks } from '../host/mode.ts'
import { everything, unmetBy } from '../program/selection.ts'
import type { ArgumentTypes } from '../recipe/arguments.ts'
import { cleanData } from '../report/clean.ts'
import { exitCodeOf } from '../report/exit-code.ts'
import { createRedactor, type Redactor } from '../shell/redact.ts'
import { type HostLimit, hostsOf } from './batches.ts'
import type { Deeds } from './deeds.ts'
import { type Beginning, type Driven, decisionEvent, driveRollout } from './drive.ts'
import { askGate } from './gate.ts'
import { hooksOf } from './hook-deeds.ts'
import { askPulse, goBack, type Shared, visit } from './host-deeds.ts'
import type { Run, Start } from './rollout.ts'
import { initialState, isGood, type RolloutPlan, type RolloutState } from './state.ts'

/** The result of a run. */
export interface RunResult {
  exitCode: ExitCode
  outcomes: HostOutcome[]
  /** A text without the secrets of any host. */
  redact(text: string): string
  /** What it waits for, if it is left to a person. */
  paused?: string
  /** What is left to do after hosts: `after the run`. */
  due: readonly string[]
  /** A person has ended it, or it went back: nothing goes on with it. */
  over: boolean
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
  const shared: Shared = { redactor, redactors: [redactor.redact], selections: [] }
  const redact = (text: string) => shared.redactors.reduce((rest, each) => each(rest), text)
  const warn = (message: string) => events.emit({ type: 'warning', message })
  const plan = planFor(run)
  const start = startOf(run, plan, redactor)
  await run.journal?.begin(start)
  events.emit(start)
  const { messages, by } = run.decisions ?? { messages: [], by: identity.owner }
  for (const message of messages) events.emit({ type: 'decision', message, by })
  for (const message of reporting?.warnings ?? []) warn(message)
  const { outcomes, state, paused, broken, due } = await drive(run, plan, shared)
  const stopped = stoppedBy(plan, state, outcomes)
  if (stopped !== undefined) warn(stopped)
  const strays = reporting?.strays?.() ?? []
  for (const stray of strays) warn(redact(stray))
  const wanted = run.what.selection ?? everything
  const unmet = outcomes.every(({ status }) => isGood(status))
    ? unmetBy(shared.selections, wanted)
    : []
  for (const message of unmet) warn(redact(message))
  const exitCode = exitCodeOf(outcomes, {
    check: onlyLooks(run.mode),
    interrupted: run.world.interrupts.stop.aborted,
    fault: strays.length > 0,
    unmet: unmet.length > 0,
    paused: paused !== undefined,
    stopped: broken || (state.stage.kind === 'ended' && state.stage.why !== undefined),
  })
  events.emit({
    type: 'run.end',
    run: identity.run,
    ok: exitCode === 0,
    exitCode,
    durationMs: Date.now() - startedAt,
    hosts: outcomes,
  })
  const over = state.stage.kind === 'ended' && state.stage.final === true
  return { exitCode, outcomes, redact, paused, over, due }
}

/** What only looks neither bakes nor waits for anybody. */
function planFor<A extends ArgumentTypes>({ mode, rollout: { plan } }: Run<A>): RolloutPlan {
  const { batches, canary, atOnce, budgets, limits } = plan
  if (!onlyLooks(mode)) return plan
  const nothing = { bakeMs: 0, gate: false, pauses: [], onFailure: 'stop' as const }
  return { batches, canary, atOnce, budgets, limits, ...nothing }
}

/** Rolls the run out, or goes on where an earlier attempt was. */
function drive<A extends ArgumentTypes>(
  { what, mode, world, rollout, journal, decisions }: Run<A>,
  plan: RolloutPlan,
  shared: Shared,
): Promise<Driven> {
  const { hosts, events, interrupts, identity } = world
  const { gate, heartbeats = [], deadlineMs, resumed } = rollout
  const across = createAcross(world, {
    batches: plan.batches,
    committed: async () => journal?.committed(),
    onces: resumed?.onces,
    rounds: resumed?.rounds,
  })
  const job: Job<A> = { what, mode, world, across }
  const deeds: Deeds = {
    work: host => visit(host, job, shared, deadlineMs),
    undo: (host, before) => goBack(host, job, shared, before),
    heartbeat:
      heartbeats.length > 0 ? host => askPulse(host, heartbeats, job, shared.redactor) : undefined,
    judge: (number, of, outcomes) =>
      askGate(gate!, { number, of, hosts: outcomes, args: what.args, stop: interrupts.stop }),
    hooks: hooksOf(job, plan, shared),
    decide: rollout.decide ?? (async () => undefined),
  }
  const beginning: Beginning = {
    plan,
    state: resumed?.state ?? initialState(plan),
    decided: resumed?.decided && decisionEvent[resumed.decided],
  }
  const driven = driveRollout(beginning, deeds, {
    by: decisions?.by ?? identity.owner,
    interrupts,
    keeping: {
      hosts,
      events,
      earlier: resumed?.outcomes ?? new Map(),
      open: resumed?.open ?? new Set(),
      hooks: resumed?.hooks,
      committed: journal && (() => journal.committed()),
    },
  })
  return driven.finally(() => across.guests.close())
}

/** Why not all hosts were begun, if a policy says so. That any failure stops the next batch is no news. */
function stoppedBy(
  { limits, budgets, gate, bakeMs }: RolloutPlan,
  { stage }: RolloutState,
  outcomes: readonly HostOutcome[],
): string | undefined {
  if (stage.kind !== 'ended' || stage.why === undefined) return undefined
  const declared = limits.fail !== undefined || limits.unreachable !== undefined
  if (!declared && budgets.length === 0 && !gate && bakeMs === 0) return undefined
  const left = outcomes.filter(({ status }) => status === 'skipped').length
  if (left === 0) return undefined
  return `${stage.why}: ${left === 1 ? '1 host was' : `${left} hosts were`} not started`
}

function startOf<A extends ArgumentTypes>(
  { what, mode, world }: Run<A>,
  { batches, limits: { fail, unreachable } }: RolloutPlan,
  { redact }: Redactor,
): Omit<Start, 'at'> {
  const { identity, hosts, catalogue } = world
  const { run, attempt, environment, owner, controller } = identity
  const most = (limit: HostLimit | undefined) =>
    limit === undefined ? undefined : hostsOf(limit, hosts.length)
  const declared = fail !== undefined || unreachable !== undefined
  const limits = declared ? { fail: most(fail), unreachable: most(unreachable) } : undefined
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
    batches: batches.map(names => [...names]),
    ...(limits && { limits }),
  }
}
