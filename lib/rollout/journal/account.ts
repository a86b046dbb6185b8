/** What a journal says of its run. Pure. */
import type { HostOutcome } from '../../events.ts'
import type { OnceRecord } from '../../host/once.ts'
import { dueOf, type HookPlace, hasFailed, isOpen } from '../hooks.ts'
import { hasChanged } from '../state.ts'
import type { AttemptRecord, EndRecord, JournalRecord } from './record.ts'

/** One attempt: its first record, all that came after, and its end if it has one. */
export interface Attempt {
  first: AttemptRecord
  records: readonly JournalRecord[]
  end?: EndRecord
}

/** What is known of one host. */
export interface HostAccount {
  host: string
  /** The last attempt that began it; undefined: none has. */
  attempt?: number
  /** Its records in that attempt. */
  records: readonly JournalRecord[]
  /** How it ended in that attempt, or that a later one left it out. Undefined: it was at work to the last. */
  outcome?: HostOutcome
  /** An attempt that did not end on it has changed something. */
  touched?: boolean
  /** It is done, and the run has changed it, in any of its attempts. */
  changed?: boolean
  /** Whether it went back. */
  back?: 'done' | 'failed'
}

export interface RunAccount {
  attempts: readonly Attempt[]
  /** The last attempt. */
  last: Attempt
  /** In the order of the batches. */
  hosts: ReadonlyMap<string, HostAccount>
  /** What was done once a run or a batch, and what was begun. */
  onces: readonly OnceRecord[]
  /** What was done before and after batches and the run, as far as it has come to any. */
  hooks: readonly HookPlace[]
  /** What of that is left to do: `after batch 2`. */
  due: readonly string[]
  /** How often each host’s part of the run has ended: what is around it is done anew the next time. */
  rounds: ReadonlyMap<string, number>
  /** What belongs to no host of the run: the steps of hooks. */
  others: readonly JournalRecord[]
  /** Where its rollout was last, if that is more than a batch at work. */
  stage?: StageRecord
  /** Where it has left hosts out of service, by the last word on each. */
  drained: readonly DrainRecord[]
}

type DrainRecord = Extract<JournalRecord, { type: 'drain' }>

type StageRecord = Extract<JournalRecord, { type: 'rollout.stage' }>

/** @returns undefined: the journal does not begin with an attempt */
export function accountOf(records: readonly JournalRecord[]): RunAccount | undefined {
  const attempts: (Attempt & { records: JournalRecord[] })[] = []
  for (const record of records) {
    if (record.type === 'attempt') attempts.push({ first: record, records: [] })
    else if (attempts.length === 0) return undefined
    else {
      const attempt = attempts.at(-1)!
      attempt.records.push(record)
      if (record.type === 'run.end') attempt.end = record
    }
  }
  const last = attempts.at(-1)
  if (!last) return undefined
  const hosts = new Map<string, Gathered>()
  for (const host of last.first.batches.flat()) hosts.set(host, { host, records: [] })
  const others: JournalRecord[] = []
  for (const { first, records: own } of attempts)
    for (const record of own) addTo(hosts, others, first.attempt, record)
  const stage = attempts
    .flatMap(({ records: own }) => own)
    .findLast(record => record.type === 'rollout.stage')
  const hooks = hooksOf(records)
  return {
    ...{ attempts, last, hosts, stage, others, hooks },
    onces: oncesOf(records),
    drained: drainedOf(records),
    due: dueOf(hooks, last.first.hooks ?? []),
    rounds: roundsOf(records),
  }
}

function drainedOf(records: readonly JournalRecord[]): DrainRecord[] {
  const found = new Map<string, DrainRecord>()
  for (const record of records) {
    if (record.type !== 'drain') continue
    const id = JSON.stringify([record.host, record.product])
    if (record.out) found.set(id, record)
    else found.delete(id)
  }
  return [...found.values()]
}

/** The last word on each: what has failed is forgotten, and begun by whoever comes first. */
function oncesOf(records: readonly JournalRecord[]): OnceRecord[] {
  const found = new Map<string, OnceRecord>()
  for (const record of records) {
    if (record.type !== 'once.start' && record.type !== 'once.end') continue
    const { name, batch, host } = record
    const id = JSON.stringify([name, batch])
    if (record.type === 'once.start') found.set(id, { name, batch, host })
    else if (record.failed) found.delete(id)
    else found.set(id, { name, batch, host, done: { value: record.value ?? null } })
  }
  return [...found.values()]
}

function hooksOf(records: readonly JournalRecord[]): HookPlace[] {
  const places = new Map<number | undefined, HookPlace>()
  for (const record of records) {
    if (record.type === 'batch.start')
      for (const batch of [undefined, record.number]) {
        const known = places.get(batch)
        if (known && isOpen(known)) continue
        places.set(batch, { batch, done: false, round: (known?.round ?? 0) + 1 })
      }
    if (record.type !== 'hook.start' && record.type !== 'hook.end') continue
    const { hook, batch, round } = record
    const done = record.type === 'hook.end' && record.error === undefined
    const failed = record.type === 'hook.end' && hasFailed(record)
    places.set(batch, { batch, last: hook, done, failed, round })
  }
  return [...places.values()]
}

function roundsOf(records: readonly JournalRecord[]): Map<string, number> {
  const rounds = new Map<string, number>()
  for (const record of records) {
    const ended =
      (record.type === 'host.end' && record.status !== 'skipped') || record.type === 'rollback.end'
    if (ended) rounds.set(record.host, (rounds.get(record.host) ?? 0) + 1)
  }
  return rounds
}

type Gathered = HostAccount & { records: JournalRecord[] }

function addTo(
  hosts: Map<string, Gathered>,
  others: JournalRecord[],
  attempt: number,
  record: JournalRecord,
): void {
  if (!('host' in record) || record.host === undefined) return
  const { host } = record
  if (record.type === 'hook.start' || record.type === 'hook.end' || !hosts.has(host)) {
    others.push(record)
    return
  }
  if (record.type === 'host.start') {
    const before = hosts.get(host)
    const touched = before?.touched || before?.records.some(isChange)
    hosts.set(host, { host, attempt, records: [record], touched })
    return
  }
  const known = hosts.get(host)!
  if (record.type === 'rollback.end') {
    const { at: _, type: __, how, ...outcome } = record
    if (how === 'cut off') return
    known.outcome = outcome
    known.back = how
    return
  }
  if (record.type === 'verdict' && record.verdict === 'bad' && known.outcome)
    known.outcome = { ...known.outcome, status: 'failed', error: record.error }
  if (record.type !== 'host.end') {
    known.records.push(record)
    return
  }
  const { at: _, type: __, earlier: ___, ...outcome } = record
  // Left out by a later attempt, it keeps what an earlier one has done on it.
  if (outcome.status === 'skipped' && known.attempt !== undefined) return
  known.records.push(record)
  known.outcome = outcome
  const { status } = outcome
  known.changed = hasChanged(status, known.touched)
}

/** A step that has changed something. */
export const isChange = (record: JournalRecord) =>
  record.type === 'step.end' && record.status === 'changed'
