/** `hostwright continue` and `hostwright abort`: what a person decides about a rollout that waits. */
import { type ExitCode, exitCodes, UsageError } from '../errors.ts'
import type { HostOutcome } from '../events.ts'
import type { RunAccount } from '../rollout/journal/account.ts'
import { restoreState } from '../rollout/restore.ts'
import type { RolloutState } from '../rollout/state.ts'
import { sayLine } from '../ui/say-line.ts'
import { goOnWith, openRun, requestOf } from './again.ts'
import type { RunCommand } from './command.ts'
import { findRun, oneRun } from './find-runs.ts'

export const goOn: RunCommand = async (words, options, place) => {
  const opened = openRun(oneRun('continue', words), options, place)
  const { account } = opened
  const { outcomes, state } = stateOf(account)
  const { run } = account.last.first
  if (state.stage.kind !== 'paused') {
    throw new UsageError('usage', `${run} is not paused`, {
      hint: `To go on with a run that was interrupted: \`hostwright resume ${run}\`. See \`hostwright runs show ${run}\`.`,
    })
  }
  const request = await requestOf(account, options, place)
  return goOnWith(opened, request, place.cwd, { outcomes, state, decided: 'continue' })
}

export const abort: RunCommand = async (words, { rollback, ...options }, place) => {
  const wanted = oneRun('abort', words)
  const opened = openRun(wanted, options, place)
  const { account } = opened
  const { outcomes, state } = stateOf(account)
  const { run } = account.last.first
  if (account.due.length === 0 && isOver(account, state)) {
    sayLine(place.stderr, `${run} is over:`, 'there is nothing to abort.')
    return exitCodes.ok
  }
  const request = await requestOf(account, options, place)
  if (rollback === true && !request.recipe.rollback) {
    throw new UsageError('usage', `--rollback: ${request.name} has no way back`, {
      hint: 'Leave it out: the hosts that are done stay as they are.',
    })
  }
  const decided = rollback === true ? 'roll back' : 'abort'
  const exitCode = (await goOnWith(opened, request, place.cwd, {
    outcomes,
    state,
    decided,
  })) as ExitCode
  // The run has failed, but what was asked for is done.
  const { journal } = findRun(run, place)
  const done = exitCode === exitCodes.failed && journal.account && wentWell(journal.account)
  return done ? exitCodes.ok : exitCode
}

/** What is over stays so, also if hosts were skipped. */
function isOver({ stage, last }: RunAccount, { stage: now, hosts }: RolloutState): boolean {
  // One that was lost is brought to its end.
  if (last.end === undefined) return false
  if (stage?.stage.kind === 'ended' && stage.stage.final) return true
  if (now.kind !== 'working') return false
  const stopped = last.end.exitCode !== exitCodes.interrupted
  return stopped || !hosts.some(({ is }) => is === 'waiting')
}

const wentWell = ({ stage, hosts }: RunAccount): boolean =>
  stage?.stage.kind === 'ended' && [...hosts.values()].every(({ back }) => back !== 'failed')

/** Where the run is. Hosts that have ended stay as they are, whatever came of them. */
function stateOf(account: RunAccount) {
  const outcomes = new Map<string, HostOutcome>()
  for (const { host, outcome } of account.hosts.values())
    if (outcome && outcome.status !== 'skipped') outcomes.set(host, outcome)
  return { outcomes, state: restoreState(account, outcomes) }
}
