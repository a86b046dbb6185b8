/** The state machine's steps as events: stages, and what was decided without a person. Pure. */
import type { NewEvent, RolloutStage } from '../events.ts'
import type { RolloutEvent, RolloutPlan, RolloutState } from './state.ts'

/** The events of a step from one state to the next. */
export function announcementsOf(
  plan: Pick<RolloutPlan, 'batches'>,
  before: RolloutState,
  after: RolloutState,
  cause: RolloutEvent['type'],
): NewEvent[] {
  const message = cause === 'abort' ? undefined : decisionOf(before.stage, after)
  return [
    ...(message === undefined ? [] : [{ type: 'decision', message, by: 'hostwright' } as const]),
    ...(isNews(before.stage, after.stage, cause) ? [stageEvent(plan, after)] : []),
  ]
}

/** A limit, a heartbeat or a gate decides. A person who does says so elsewhere. */
function decisionOf(before: RolloutStage, { stage, hosts }: RolloutState): string | undefined {
  if (stage.kind === before.kind && stage.kind !== 'working') return undefined
  const failing = before.kind === 'working' && before.failing !== undefined
  const left = hosts.some(({ is }) => is === 'waiting')
  switch (stage.kind) {
    case 'paused':
      return `the rollout pauses: ${stage.why}`
    case 'undoing':
      return `the rollout goes back: ${stage.why}`
    case 'working':
      return stage.failing && !failing && left
        ? `no more hosts begin: ${stage.failing.why}`
        : undefined
    case 'ended':
      return stage.why !== undefined && !failing && before.kind !== 'undoing' && left
        ? `no more hosts begin: ${stage.why}`
        : undefined
    default:
      return undefined
  }
}

/** Batches that follow one another at once have events of their own, and so has the end. */
function isNews(before: RolloutStage, now: RolloutStage, cause: RolloutEvent['type']): boolean {
  if (now.kind === 'ended') return now.final === true || before.kind !== 'working'
  // Another attempt goes on there, which nobody would see otherwise.
  if (cause === 'begin' && now.kind !== 'working') return true
  return now.kind !== before.kind || (now.kind === 'baking' && cause === 'interrupt')
}

function stageEvent(
  { batches }: Pick<RolloutPlan, 'batches'>,
  { stage, passed, hosts }: RolloutState,
): NewEvent {
  const accepted = batches.flat().filter((_, at) => {
    const host = hosts[at]!
    return 'accepted' in host && host.accepted === true
  })
  return { type: 'rollout.stage', stage, of: batches.length, passed, accepted }
}
