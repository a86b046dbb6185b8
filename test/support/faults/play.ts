/** A run under its faults: the command, then `resume` until it is done, as a person would do it. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { listJournals } from '../../../lib/rollout/journal/files.ts'
import { type ReadJournal, readJournal } from '../../../lib/rollout/journal/read.ts'
import { type Attempt, attempt, type Lane } from './attempt.ts'
import type { Drawn } from './draw.ts'
import type { EffectRecord, Process } from './host.ts'
import { logs } from './recipe.ts'

export interface Played {
  drawn: Drawn
  run?: string
  attempts: Attempted[]
  /** Another run, where the host can't know that the last attempt is over. */
  next?: Attempt
  /** What nothing should be left of. */
  left: Process[]
}

export interface Attempted extends Attempt {
  /** What the journal says of the run after the attempt; undefined: there is none. */
  journal?: ReadJournal
  /** Of the run, when it had ended and nothing was at work for it any more. */
  records: EffectRecord[]
  /** A process holds the lock. */
  held: boolean
  /** What a person found out about a command whose end was not known, and what `settle` said to that. */
  settled?: { title: string; as: string; attempt: Attempt }
}

/** Faults are at most in the first three. */
const mostAttempts = 10

export const recipeName = 'forty'
export const nextName = 'next'

export async function play(lane: Lane, drawn: Drawn): Promise<Played> {
  const { host, state } = lane
  await host.reset()
  await rm(state, { recursive: true, force: true })
  const attempts: Attempted[] = []
  let run: string | undefined
  const inventory = drawn.faults.some(({ kind }) => kind === 'silence') ? 'watchful' : 'x'
  for (const faults = [...drawn.faults]; attempts.length < mostAttempts; ) {
    const how = ['--reconnect', drawn.reconnects ? '20s' : '0s']
    const words =
      run === undefined ? [recipeName, '-i', inventory, '--on', host.name] : ['resume', run]
    const next = faults.shift()
    // There is one gate at a time.
    if (next && next.place.at !== 'wire') await attempts.at(-1)?.opened
    const made = await attempt(lane, [...words, ...how], next)
    const journals = listJournals(join(state, 'hostwright/runs'))
    const journal = run === undefined ? journals[0] : journals.find(each => each.run === run)
    run ??= journal?.run
    const done: Attempted = {
      ...made,
      journal: journal && readJournal(journal),
      held: host.shell() !== undefined,
      records: [],
    }
    attempts.push(done)
    // What the next attempt waits for is no reason to wait here.
    if (run !== undefined && made.status !== 0 && !isHeld(made)) await ended(lane, made)
    if (run !== undefined) done.records = host.records(run)
    const { status } = made
    if (status === 0 || made.stuck !== undefined || isOver(status) || isDone(done)) break
    // It was not reached, so there is nothing to go on with: a person starts it again.
    if (isUnreached(made) && done.records.length === 0) run = undefined
    if (status === 7) done.settled = await settle(lane, run!, done)
    if (status === 5) await unlocked(lane)
  }
  const next = await nextRun(lane, attempts.at(-1)!, ['-i', inventory])
  // What the host's kernel would find out in two hours.
  if (drawn.faults.some(({ kind }) => kind === 'silence')) lane.wire.proxy.cut('reset')
  return { drawn, run, attempts, next, left: await host.quiet(quietMs) }
}

/** What a silent connection had on the host stays, but for the command. */
async function ended({ host }: Lane, { fault, struck }: Attempt): Promise<void> {
  if (!struck || fault?.kind !== 'silence') return void (await host.quiet(quietMs))
  const deadline = Date.now() + quietMs
  while (host.runner() && Date.now() < deadline) await delay(20)
  await host.growSilent()
}

/** An attempt that was done as its network fell silent could not give the lock back. */
async function nextRun(
  lane: Lane,
  { struck, fault, status }: Attempt,
  words: readonly string[],
): Promise<Attempt | undefined> {
  if (!struck || fault?.kind !== 'silence' || status !== 0) return undefined
  await lane.host.growSilent()
  return attempt(lane, [nextName, ...words, '--on', lane.host.name])
}

/** Processes of a host end a moment after their connection. */
const quietMs = 5000

/** Something waits at a gate until the next attempt is at work. */
const isHeld = ({ fault, struck }: Attempt) => struck !== undefined && fault?.holds === true

/** Nothing more comes of it: the next attempt would do the same. */
const isOver = (status: number | null) => status === 1 || status === 2 || status === 4

/**
 * Ctrl-C came in the last step: the run says that it was interrupted, and all is done. Or the controller was killed when
 * only the end of the run was to be written: its journal has the end of the host, and `resume` finds nothing left to do.
 */
export const isDone = ({ status, events, journal }: Attempted) => {
  if (status === 130)
    return events.findLast(({ type }) => type === 'host.end')?.status === 'changed'
  const ended = [...(journal?.account?.hosts.values() ?? [])]
  return (
    status === null &&
    ended.length > 0 &&
    ended.every(({ outcome }) => outcome?.status === 'changed')
  )
}

/** Neither was there a shell that was lost. */
const isUnreached = ({ status, events }: Attempt) => {
  const error = events.findLast(({ type }) => type === 'host.end')?.error
  return status === 3 && error?.code !== 'connection_lost' && error?.code !== 'shell_failed'
}

/** As a person does it: looks on the host what the command has done, when it has ended, and says so. */
async function settle(lane: Lane, run: string, { events }: Attempt): Promise<Attempted['settled']> {
  const title = events.find(
    ({ type, status }) => type === 'step.end' && status === 'unknown',
  )?.title
  if (title === undefined) return undefined
  await lane.host.quiet(quietMs)
  const as = lane.host.lines(logs.effects).includes(title) ? 'done' : 'not-done'
  const words = ['settle', run, '-i', 'x', '--on', lane.host.name, '--step', title, '--as', as]
  return { title, as, attempt: await attempt(lane, words) }
}

async function unlocked({ host }: Lane): Promise<void> {
  const deadline = Date.now() + lockMs
  while (host.shell() && Date.now() < deadline) await delay(20)
}

/** A shell that hears nothing from its controller ends within a minute. */
const lockMs = 75_000
