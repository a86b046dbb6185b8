/** The callback documents: each a versioned JSON document about a run, built from its events. */
import type {
  CallbackEvent,
  ErrorReport,
  HostOutcome,
  HostStatus,
  RunEvent,
  StepCounts,
} from '../events.ts'
import { createFailureLog, type FailureLog } from './failures.ts'

/** The outcome of one host. */
export interface HostReport {
  host: string
  status: HostStatus
  counts: StepCounts
  /** Milliseconds. */
  durationMs: number
  error?: ErrorReport
}

/** What all documents say. Version 1: fields may be added; removing one or changing its meaning requires version 2. */
interface AboutRun {
  version: 1
  type: CallbackEvent
  /** Id of the run. */
  run: string
  /** Left out for the first; 2 for the next, if the run was resumed. */
  attempt?: number
  recipe: string
  environment: string
  /** The recipe's arguments, without secrets. */
  args: Record<string, unknown>
  /** Whether the run had --check: then `changed` means "would change". */
  check: boolean
}

/** A run has ended. Times are ISO 8601, UTC. */
export interface CallbackDocument extends AboutRun {
  type: 'run.completed'
  startedAt: string
  endedAt: string
  /** Milliseconds. */
  durationMs: number
  ok: boolean
  exitCode: number
  hosts: HostReport[]
  errors: ErrorReport[]
  /** What was decided, and by whom: people, signals, and hostwright itself. */
  decisions: { at: string; message: string; by: string }[]
}

/** A run has started. */
export interface StartDocument extends AboutRun {
  type: 'run.started'
  startedAt: string
  hosts: { host: string }[]
}

/** All hosts of a batch have ended. */
export interface BatchDocument extends AboutRun {
  type: 'batch.completed'
  /** From 1. */
  batch: { number: number; of: number }
  endedAt: string
  hosts: HostReport[]
  errors: ErrorReport[]
}

/** One host has failed. */
export interface HostDocument extends AboutRun {
  type: 'host.failed'
  endedAt: string
  hosts: [HostReport]
  errors: ErrorReport[]
}

/** The run waits for a person's answer. */
export interface ApprovalDocument extends AboutRun {
  type: 'approval.needed'
  askedAt: string
  /** None: the rollout itself is paused. */
  hosts: { host: string }[]
  /** The title of the step that is asked about, or what the rollout waits for. */
  step: string
}

export type AnyDocument =
  | CallbackDocument
  | StartDocument
  | BatchDocument
  | HostDocument
  | ApprovalDocument

/** What is sent: the same bytes under the same id, however often. */
export interface Message {
  /** The `webhook-id`. */
  id: string
  type: CallbackEvent
  /** Id of the run. */
  run: string
  /** The document in JSON. */
  body: string
}

/** Which of a run's messages of one type it is. */
export interface Numbers {
  /** Of what one attempt may post several of, from 1. */
  number?: number
  /** The same once more, as the run was resumed: from 1. */
  time?: number
}

/** How often a run has come to an end in its earlier attempts, and each of its batches, by their numbers. */
export interface Ends {
  run: number
  batches: ReadonlyMap<number, number>
}

/** The message of a document. It has the same id when the same is posted again after a kill. */
export function messageOf(document: AnyDocument, { number = 1, time = 1 }: Numbers = {}): Message {
  const { run, type } = document
  const parts = [
    `msg_${run.replace(/[^A-Za-z0-9_-]/g, '-')}`,
    ...(time === 1 ? [] : [time]),
    ...parted[type](number),
  ]
  const body = JSON.stringify(document, (_key, value) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  return { id: parts.join('-'), type, run, body }
}

const parted: Readonly<Record<CallbackEvent, (number: number) => (string | number)[]>> = {
  'run.started': () => ['started'],
  'batch.completed': number => ['batch', number],
  'host.failed': number => ['failed', number],
  'approval.needed': number => ['approval', number],
  'run.completed': () => [],
}

type Of<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>

/** Hosts that failed, rather than being left alone or stopped by a person. */
const failures: ReadonlySet<HostStatus> = new Set(['failed', 'uncertain', 'unreachable', 'locked'])

/**
 * Makes messages of a run's events.
 * @param wanted which
 * @param before what earlier attempts of the run have posted
 * @returns called with each event; what is to be posted about it
 */
export function createMessages(
  wanted: readonly CallbackEvent[],
  before: Ends = { run: 0, batches: new Map() },
): (event: RunEvent) => Message[] {
  const log = createFailureLog()
  const ended = new Map<string, HostOutcome>()
  const counts = { failed: 0, approval: 0 }
  const decisions: Of<'decision'>[] = []
  let start: Of<'run.start'> | undefined
  let batch: readonly string[] = []
  const made = (document: AnyDocument, number?: number, time = start?.attempt) =>
    wanted.includes(document.type) ? [messageOf(document, { number, time })] : []
  return event => {
    log.subscriber(event)
    if (event.type === 'run.start') {
      start = event
      return made(startDocument(event))
    }
    if (!start) return []
    switch (event.type) {
      case 'batch.start':
        batch = event.hosts
        return []
      case 'host.end': {
        ended.set(event.host, event)
        if (event.earlier || !failures.has(event.status)) return []
        return made(hostDocument(start, event, log), ++counts.failed)
      }
      case 'batch.end': {
        const hosts = batch.flatMap(name => ended.get(name) ?? [])
        ended.clear()
        const time = (before.batches.get(event.number) ?? 0) + 1
        return made(batchDocument(start, event, hosts, log), event.number, time)
      }
      case 'approval.needed':
        return made(approvalDocument(start, event, [event.host], event.title), ++counts.approval)
      case 'rollout.stage':
        if (event.stage.kind !== 'paused') return []
        return made(approvalDocument(start, event, [], event.stage.why), ++counts.approval)
      case 'decision':
        decisions.push(event)
        return []
      case 'run.end':
        return made(endDocument(start, event, log.failures(), decisions), 1, before.run + 1)
      default:
        return []
    }
  }
}

const aboutRun = <T extends CallbackEvent>(
  type: T,
  { run, attempt, recipe, environment, args, check }: Of<'run.start'>,
) => ({
  version: 1 as const,
  type,
  run,
  ...(attempt > 1 ? { attempt } : {}),
  recipe,
  environment,
  args,
  check,
})

const timeOf = (at: number) => new Date(at).toISOString()

const startDocument = (start: Of<'run.start'>): StartDocument => ({
  ...aboutRun('run.started', start),
  startedAt: timeOf(start.at),
  hosts: start.hosts.map(host => ({ host })),
})

const hostDocument = (
  start: Of<'run.start'>,
  event: Of<'host.end'>,
  log: FailureLog,
): HostDocument => ({
  ...aboutRun('host.failed', start),
  endedAt: timeOf(event.at),
  hosts: [hostReport(event)],
  errors: log.failures().filter(({ host }) => host === event.host),
})

function batchDocument(
  start: Of<'run.start'>,
  { at, number, of }: Of<'batch.end'>,
  hosts: readonly HostOutcome[],
  log: FailureLog,
): BatchDocument {
  const names = new Set(hosts.map(({ host }) => host))
  return {
    ...aboutRun('batch.completed', start),
    batch: { number, of },
    endedAt: timeOf(at),
    hosts: hosts.map(hostReport),
    errors: log.failures().filter(({ host }) => host !== undefined && names.has(host)),
  }
}

const approvalDocument = (
  start: Of<'run.start'>,
  { at }: { at: number },
  hosts: readonly string[],
  step: string,
): ApprovalDocument => ({
  ...aboutRun('approval.needed', start),
  askedAt: timeOf(at),
  hosts: hosts.map(host => ({ host })),
  step,
})

const endDocument = (
  start: Of<'run.start'>,
  end: Of<'run.end'>,
  errors: ErrorReport[],
  decisions: readonly Of<'decision'>[],
): CallbackDocument => ({
  ...aboutRun('run.completed', start),
  startedAt: timeOf(start.at),
  endedAt: timeOf(end.at),
  durationMs: end.durationMs,
  ok: end.ok,
  exitCode: end.exitCode,
  hosts: end.hosts.map(hostReport),
  errors,
  decisions: decisions.map(({ at, message, by }) => ({ at: timeOf(at), message, by })),
})

const hostReport = ({ host, status, counts, durationMs, error }: HostOutcome): HostReport => ({
  host,
  status,
  counts,
  durationMs,
  ...(error && { error }),
})
