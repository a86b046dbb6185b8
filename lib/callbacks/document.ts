/** The callback document: one versioned JSON document about a run, built from its events. */
import type { ErrorReport, HostStatus, RunEvent, StepCounts, Subscriber } from '../events.ts'
import { createFailureLog } from './failures.ts'

/** The outcome of one host. */
export interface HostReport {
  host: string
  status: HostStatus
  counts: StepCounts
  /** Milliseconds. */
  durationMs: number
  error?: ErrorReport
}

/** Version 1. Fields may be added; removing one or changing its meaning requires version 2. */
export interface CallbackDocument {
  version: 1
  type: 'run.completed'
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
  /** ISO 8601, UTC. */
  startedAt: string
  endedAt: string
  /** Milliseconds. */
  durationMs: number
  ok: boolean
  exitCode: number
  hosts: HostReport[]
  errors: ErrorReport[]
}

/** What is posted when a run starts, if that is wanted. */
export interface StartDocument
  extends Pick<
    CallbackDocument,
    'version' | 'run' | 'attempt' | 'recipe' | 'environment' | 'args' | 'check'
  > {
  type: 'run.started'
  /** ISO 8601, UTC. */
  startedAt: string
  hosts: { host: string }[]
}

/** What can be posted. */
export const callbackEvents = ['run.started', 'run.completed'] as const

export type CallbackEvent = (typeof callbackEvents)[number]

/** The document of a run that starts. */
export const startDocument = ({
  run,
  attempt,
  recipe,
  environment,
  args,
  check,
  at,
  hosts,
}: Start): StartDocument => ({
  version: 1,
  type: 'run.started',
  run,
  ...furtherAttempt(attempt),
  recipe,
  environment,
  args,
  check,
  startedAt: new Date(at).toISOString(),
  hosts: hosts.map(host => ({ host })),
})

export interface DocumentCollector {
  subscriber: Subscriber
  /** The document, or undefined before the run has started and ended. */
  document(): CallbackDocument | undefined
}

type Start = Extract<RunEvent, { type: 'run.start' }>
type End = Extract<RunEvent, { type: 'run.end' }>

/** A subscriber that keeps only what the document needs from a run’s events. */
export function createDocumentCollector(): DocumentCollector {
  const log = createFailureLog()
  let start: Start | undefined
  let end: End | undefined
  return {
    subscriber: event => {
      if (event.type === 'run.start') start = event
      if (event.type === 'run.end') end = event
      log.subscriber(event)
    },
    document: () => start && end && createDocument(start, end, log.failures()),
  }
}

function createDocument(start: Start, end: End, errors: ErrorReport[]): CallbackDocument {
  const { run, attempt, recipe, environment, args, check } = start
  return {
    version: 1,
    type: 'run.completed',
    run,
    ...furtherAttempt(attempt),
    recipe,
    environment,
    args,
    check,
    startedAt: new Date(start.at).toISOString(),
    endedAt: new Date(end.at).toISOString(),
    durationMs: end.durationMs,
    ok: end.ok,
    exitCode: end.exitCode,
    hosts: end.hosts.map(({ host, status, counts, durationMs, error }) => ({
      host,
      status,
      counts,
      durationMs,
      ...(error && { error }),
    })),
    errors,
  }
}

const furtherAttempt = (attempt: number) => (attempt > 1 ? { attempt } : {})
