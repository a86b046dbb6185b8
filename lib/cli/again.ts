/** `hostwright resume` goes on with a run, `hostwright retry` begins its failed hosts again. */
import { existsSync } from 'node:fs'
import { isDeepStrictEqual } from 'node:util'
import { openOutbox } from '../callbacks/outbox.ts'
import { UsageError } from '../errors.ts'
import type { HostOutcome } from '../events.ts'
import { callbacksDirectory } from '../private-file.ts'
import { differingFiles } from '../recipe/code-files.ts'
import { limitPassed, parseHostLimit } from '../rollout/batches.ts'
import { decisionText } from '../rollout/drive.ts'
import type { RunAccount } from '../rollout/journal/account.ts'
import type { ReadJournal } from '../rollout/journal/read.ts'
import type { AttemptRecord } from '../rollout/journal/record.ts'
import { endsOf, openBatches, restoreState, resumedBatches } from '../rollout/restore.ts'
import type { Resumed } from '../rollout/rollout.ts'
import type { RolloutState } from '../rollout/state.ts'
import type { Place, RunCommand } from './command.ts'
import { findRun, oneRun } from './find-runs.ts'
import { isLeft, isRetried } from './next-commands.ts'
import type { OptionValues } from './options/option.ts'
import { packageVersion } from './package-version.ts'
import { findProject } from './project.ts'
import { namedRecipe } from './recipe-names.ts'
import type { ResumedRun, RunRequest } from './run-request.ts'
import { findTargets, type Targets } from './targets.ts'

export const retry: RunCommand = async (words, options, place) => {
  const { account } = openRun(oneRun('retry', words), options, place)
  const hosts = [...account.hosts.values()].flatMap(({ host, outcome }) =>
    isRetried(outcome?.status) ? [host] : [],
  )
  if (hosts.length === 0) {
    throw new UsageError('no_hosts', `no host of ${account.last.first.run} failed`, {
      hint: 'To go on with hosts that were interrupted or never begun: `hostwright resume`.',
    })
  }
  const request = await requestOf(account, options, place)
  return run({ ...request, from: place.cwd, targets: () => targetsOf(request, hosts) })
}

export const resume: RunCommand = async (words, options, place) => {
  const opened = openRun(oneRun('resume', words), options, place)
  const { account } = opened
  const { run } = account.last.first
  const outcomes = new Map<string, HostOutcome>()
  for (const { host, outcome, attempt } of account.hosts.values())
    if (outcome && !isLeft({ ...outcome, attempt })) outcomes.set(host, outcome)
  const state = restoreState(account, outcomes)
  refuseDecided(account, state)
  const ended = account.last.end !== undefined
  const due = account.due.length > 0
  if (ended && !due && outcomes.size === account.hosts.size && state.stage.kind === 'working') {
    throw new UsageError('no_hosts', `${run} has nothing left to do: every host has ended`, {
      hint: nothingLeftHint(run, place),
    })
  }
  const request = await requestOf(account, options, place)
  // One that was lost is brought to its end, whatever the limits make of it.
  if (ended) checkLimits(account, outcomes, state, request.options)
  return goOnWith(opened, request, place.cwd, { outcomes, state })
}

/** Its callback may wait still. */
function nothingLeftHint(run: string, { env }: Place): string {
  const waiting = openOutbox(callbacksDirectory(env))
    .list()
    .some(({ id }) => id.startsWith(`msg_${run}`))
  return waiting
    ? 'Its callback is not delivered yet: `hostwright callbacks send`.'
    : 'To begin hosts that failed again: `hostwright retry`.'
}

/** @throws {UsageError} usage: a person has to decide, or has decided that the run is over */
function refuseDecided({ last, stage: before }: RunAccount, { stage }: RolloutState): void {
  const { run } = last.first
  if (stage.kind === 'paused')
    throw new UsageError('usage', `${run} is paused: ${stage.why}`, {
      hint: `Go on with \`hostwright continue ${run}\`, or end it with \`hostwright abort ${run}\`.`,
    })
  if (last.end && before?.stage.kind === 'ended' && before.stage.final)
    throw new UsageError('usage', `${run} was aborted, or went back: it is over`, {
      hint: 'Run the recipe itself again.',
    })
}

/**
 * Another attempt of a run.
 * @param from the working directory of the one who goes on with it
 */
export async function goOnWith(
  { account, journal }: OpenedRun,
  request: RunRequest,
  from: string,
  { outcomes, state, decided }: Omit<Resumed, 'onces' | 'open' | 'hooks' | 'rounds'>,
): Promise<number> {
  const { first } = account.last
  const { options } = request
  const names = first.batches.flat()
  const resumed: ResumedRun = {
    run: first.run,
    attempt: first.attempt + 1,
    after: { bytes: journal.bytes, next: journal.next, size: journal.size },
    batches: resumedBatches(account),
    rollout: {
      ...{ outcomes, state, decided, open: openBatches(account) },
      ...{ onces: account.onces, hooks: account.hooks, rounds: account.rounds },
    },
    ended: endsOf(account),
    begun: new Set(
      [...account.hosts.values()].flatMap(each => (each.attempt === undefined ? [] : each.host)),
    ),
    check: options.anyway === true ? undefined : now => checkSame(first, now),
    decisions: [
      ...(options.anyway === true ? ['go on although something differs (--anyway)'] : []),
      ...(decided ? [decisionText[decided]] : []),
    ],
  }
  return run({ ...request, from, resumed, targets: () => targetsOf(request, names) })
}

async function run(request: RunRequest): Promise<number> {
  const { runCommand } = await import('./run.ts')
  return runCommand(request)
}

/** A run that can be gone on with. */
export interface OpenedRun {
  account: RunAccount
  journal: ReadJournal
}

/** @throws {UsageError} there is no such run, or it can't be begun again */
export function openRun(wanted: string, options: OptionValues, place: Place): OpenedRun {
  const { name, journal } = findRun(wanted, place)
  const { account, damaged, state } = journal
  const refuse = (why: string, hint: string) =>
    new UsageError('usage', `${name.run} ${why}`, { hint })
  if (!account || (damaged.length > 0 && options.anyway !== true)) {
    const lines = damaged.map(({ line, why }) => `${name.file}:${line}: ${why}`)
    throw new UsageError(
      'invalid_value',
      [`the journal of ${name.run} is damaged`, ...lines].join('\n'),
      { hint: 'Look at `hostwright runs show`, then run the recipe itself.' },
    )
  }
  if (state === 'running')
    throw refuse('is still at work', `See \`hostwright runs show ${name.run}\`.`)
  if (state === 'unknown' && options.anyway !== true)
    throw refuse(
      `may still be at work on ${account.last.first.controller.machine}`,
      'Look there; if its process is gone, add --anyway.',
    )
  if (name.kind === 'look')
    throw refuse('only looked: there is nothing to go on with', 'Run the command itself again.')
  return { account, journal }
}

/** The same command line again, from the same directory. */
export async function requestOf(
  { last }: RunAccount,
  options: OptionValues,
  place: Place,
): Promise<RunRequest> {
  const { asked, run } = last.first
  if (asked.words.includes(null)) {
    throw new UsageError('usage', `an argument of ${run} was a secret, and is not in its journal`, {
      hint: 'Run the recipe itself again. A value given as key=… is asked for.',
    })
  }
  if (!existsSync(asked.cwd)) {
    throw new UsageError('usage', `${run} was begun in ${asked.cwd}, which is gone`)
  }
  process.chdir(asked.cwd)
  const there: Place = { ...place, cwd: asked.cwd, project: findProject(asked.cwd) }
  const words = asked.words as string[]
  const given = Object.entries(options).filter(
    ([, value]) => value !== undefined && value !== false,
  )
  const now = place.env.HOSTWRIGHT_CALLBACK_URL
  const both: OptionValues = {
    var: [],
    ...asked.options,
    // It may have a user and a password, which are not kept.
    ...(now && { callbackUrl: now }),
    ...Object.fromEntries(given),
  }
  if (asked.command === 'exec') {
    const { execRequest } = await import('./exec.ts')
    return execRequest(words, both, there)
  }
  if (asked.command === 'apply') {
    const { applyRequest } = await import('./apply.ts')
    return applyRequest(words, both, there)
  }
  const { name, origin, file, recipe } = await namedRecipe(asked.command, there)
  return { name, origin, file, recipe, words, options: both, place: there }
}

/** The hosts of the run, as the inventory has them now. @throws {UsageError} no_hosts: one is gone */
async function targetsOf(
  { options, place, targets: find = () => findTargets(options, place) }: RunRequest,
  names: readonly string[],
): Promise<Targets> {
  const targets = await find()
  const found = new Map(targets.hosts.map(host => [host.name, host]))
  const gone = names.filter(name => !found.has(name))
  if (gone.length > 0) {
    throw new UsageError(
      'no_hosts',
      `--on ${options.on} no longer matches hosts of the run: ${gone.join(', ')}`,
      { hint: 'Put them back into the inventory, or run the recipe itself again.' },
    )
  }
  return { ...targets, hosts: names.map(name => found.get(name)!) }
}

/** @throws {UsageError} usage: the limits of the run allow no more hosts */
function checkLimits(
  { last, hosts }: RunAccount,
  outcomes: ReadonlyMap<string, HostOutcome>,
  { stage }: RolloutState,
  { maxFail, maxUnreachable }: OptionValues,
): void {
  // It begins no more hosts, or a person has accepted those that failed.
  if (stage.kind !== 'working' || last.first.batches.length === 0) return
  const limit = (option: string, text: OptionValues[string]) =>
    text === undefined ? undefined : parseHostLimit(option, text as string)
  const limits = {
    fail: limit('--max-fail', maxFail),
    unreachable: limit('--max-unreachable', maxUnreachable),
  }
  const statuses = [...outcomes.values()].map(({ status }) => status)
  // In the batch that the run was in, nothing stops unless a limit was given.
  const passed = limitPassed(statuses, limits, hosts.size, isWithinFirst(last.first, outcomes))
  if (passed === undefined) return
  const { run } = last.first
  throw new UsageError('usage', `${run} may begin no more hosts: ${passed}`, {
    hint: `Begin those that failed again (\`hostwright retry ${run}\`), then go on with \`hostwright resume ${run} --max-fail N\`.`,
  })
}

/** Whether the first host that is left is in a batch that has begun. */
function isWithinFirst(
  { batches }: AttemptRecord,
  outcomes: ReadonlyMap<string, HostOutcome>,
): boolean {
  const batch = batches.find(names => names.some(name => !outcomes.has(name)))
  return batch === batches[0] || (batch?.some(name => outcomes.has(name)) ?? false)
}

/** @throws {UsageError} usage: the code or the arguments are not those of the run */
function checkSame(
  first: AttemptRecord,
  { args, code }: Pick<AttemptRecord, 'args' | 'code'>,
): void {
  const { run, version } = first
  const files = differingFiles(first.code, code)
  if (version !== packageVersion()) files.push(`hostwright ${version}, now ${packageVersion()}`)
  const hint = 'Put it back as it was, or add --anyway to go on with what is there now.'
  if (files.length > 0)
    throw new UsageError('usage', `the code of ${run} has changed: ${files.join(', ')}`, { hint })
  const before = JSON.parse(JSON.stringify(first.args))
  const now = JSON.parse(JSON.stringify(args))
  const changed = Object.keys({ ...before, ...now }).filter(
    name => !isDeepStrictEqual(before[name], now[name]),
  )
  if (changed.length > 0)
    throw new UsageError('usage', `arguments of ${run} have changed: ${changed.join(', ')}`, {
      hint,
    })
}
