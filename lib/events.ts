/**
 * The event stream: the only account of a run. Terminal, JSON, callbacks and any report subscribe to
 * it; the engine knows none of them.
 */
import type { ErrorCode } from './errors.ts'

/**
 * How a step ended. `ok`: nothing to do. `changed`: done (with `--check`: would be done). `unknown`: it began, or
 * was sent, and its host or its process was lost before its end was seen.
 */
export type StepStatus = 'ok' | 'changed' | 'failed' | 'unknown' | 'skipped'

/**
 * How a host ended. `uncertain`: a command began there, and nobody knows what it did. `skipped`: never started, because an earlier batch failed or
 * after Ctrl-C.
 */
export type HostStatus =
  | 'ok'
  | 'changed'
  | 'failed'
  | 'uncertain'
  | 'unreachable'
  | 'locked'
  | 'interrupted'
  | 'skipped'

/** An error as plain data, the same in JSON, callbacks and reports. No secrets. */
export interface ErrorReport {
  code: ErrorCode
  message: string
  host?: string
  task?: string
  step?: string
  command?: string
  exitStatus?: number
  output?: string
  at?: string
  hint?: string
}

/** How many steps of a host ended with each status. */
export type StepCounts = Record<StepStatus, number>

/** Of a host that has done nothing yet. */
export const noCounts = (): StepCounts => ({ ok: 0, changed: 0, failed: 0, unknown: 0, skipped: 0 })

/** The result of one host. */
export interface HostOutcome {
  host: string
  status: HostStatus
  counts: StepCounts
  durationMs: number
  /** What the recipe returned for the host, as JSON data. */
  data?: unknown
  error?: ErrorReport
  /** How often the controller waited for an answer after the handshake. */
  roundTrips: number
}

/** One of the recipe’s hooks. */
export interface HookEvent {
  /** What its steps are shown under, in place of a host: `after batch 2`. */
  host: string
  hook: 'before' | 'after'
  /** From 1; undefined: of the run. */
  batch?: number
  /** From 1: a further round begins where one of them that failed, or `before` after `after`, is done anew. */
  round: number
}

/** What a rollout does after a pause, once a person goes on. */
export type AfterPause = { kind: 'work' } | { kind: 'bake'; leftMs: number } | { kind: 'next' }

/** Where a rollout is. Batches are numbered from 0. */
export type RolloutStage =
  /** `failing`: no more hosts begin, and `then` is done when those at work have ended. */
  | {
      kind: 'working'
      batch: number
      failing?: {
        why: string
        then: 'stop' | 'pause' | 'rollback'
        next: AfterPause
        /** A person has ended it. */
        final?: boolean
      }
    }
  | { kind: 'baking'; batch: number; leftMs: number }
  /** The gate is asked. */
  | { kind: 'judging'; batch: number }
  | { kind: 'paused'; batch: number; why: string; next: AfterPause }
  /** Hosts go back, the newest batch first. */
  | { kind: 'undoing'; batch: number; why: string }
  /** `why`: not all of it was done. `final`: a person has ended it, or it went back, so nothing goes on with it. */
  | { kind: 'ended'; why?: string; final?: boolean }

/** `at` is milliseconds since the epoch. Ids are unique within the run. */
export type RunEvent = { at: number } & (
  | {
      type: 'run.start'
      run: string
      recipe: string
      environment: string
      args: Record<string, unknown>
      check: boolean
      hosts: string[]
      /** Who started it: a person or an account, and on which machine. */
      owner: string
      controller: string
      /** 1; more if an earlier attempt of the same run was interrupted. */
      attempt: number
      /** The hosts of each batch. */
      batches: string[][]
      /** How many hosts may fail, or not be reached, where a limit was set. */
      limits?: { fail?: number; unreachable?: number }
    }
  | { type: 'batch.start'; number: number; of: number; hosts: string[] }
  /** All hosts of a batch that was begun have ended. */
  | { type: 'batch.end'; number: number; of: number; statuses: Partial<Record<HostStatus, number>> }
  /** A rollout bakes, asks its gate, pauses, goes back, or goes on after that. */
  | {
      type: 'rollout.stage'
      stage: RolloutStage
      of: number
      /** So many batches have baked and were judged. */
      passed: number
      /** Hosts that failed, or could not be asked, and that a person has accepted. */
      accepted: string[]
    }
  /**
   * What a gate says of a batch (from 1), or the heartbeat of a host that is done. A host that turns bad counts as
   * failed, with `error`.
   */
  | {
      type: 'verdict'
      number: number
      of: number
      verdict: 'good' | 'bad' | 'unknown'
      why: string
      host?: string
      error?: ErrorReport
    }
  /** A host that was done goes back. */
  | { type: 'rollback.start'; host: string }
  /** Its outcome now. `cut off`: by Ctrl-C; another attempt goes on with it. */
  | ({ type: 'rollback.end'; how: 'done' | 'failed' | 'cut off' } & HostOutcome)
  /** Something was decided that the run’s outcome depends on, by a person or by a limit. */
  | { type: 'decision'; message: string; by: string }
  /** A person is asked before the step with this title, and the host waits for the answer. */
  | { type: 'approval.needed'; host: string; title: string }
  /** A host is taken out of service at balancers, or is back there. */
  | {
      type: 'drain'
      host: string
      product: string
      out: boolean
      balancers: string[]
      /** The server there: `app/web1`. */
      server: string
      /** Person and machine, and since when (ISO 8601). */
      by: string
      since: string
    }
  | { type: 'host.start'; host: string }
  /** What a recipe does before or after the run, or a batch. */
  | ({ type: 'hook.start' } & HookEvent)
  /** `failed`, `unreachable` and `interrupted` ones are due again in a further attempt of the run. */
  | ({ type: 'hook.end' } & HookEvent &
      Pick<HostOutcome, 'status' | 'counts' | 'durationMs' | 'error'>)
  /** A host does what is done once a run (or a batch), for all of them. */
  | { type: 'once.start'; host: string; name: string; batch?: number }
  /** `failed`: it may be begun again by a further attempt of the run. */
  | { type: 'once.end'; host: string; name: string; batch?: number; value?: unknown; failed?: true }
  /** `on`, here and in steps: the host on which it is done, if that is another one than the host it is done for. */
  | { type: 'task.start'; host: string; on?: string; task: string; title: string }
  | {
      type: 'step.start'
      host: string
      on?: string
      task: string
      step: string
      title: string
      /** It can’t be asked whether it is done: it runs once a run. */
      effect?: boolean
    }
  /** Output of a running step, decoded as UTF-8; control characters are as the host sent them. */
  | {
      type: 'step.output'
      host: string
      task: string
      step: string
      stream: 'stdout' | 'stderr'
      text: string
      /** The same bytes, if they are not UTF-8 and contain no secret: `text` then loses some of them. */
      base64?: string
    }
  /** Progress of a content transfer, in bytes; a few times a second. */
  | { type: 'step.progress'; host: string; task: string; step: string; done: number; total: number }
  | {
      type: 'step.end'
      host: string
      on?: string
      task: string
      step: string
      title: string
      status: StepStatus
      durationMs: number
      /** What changed, in a few words: `content, mode`; or why the step was skipped. */
      note?: string
      /** Unified diff, with --diff. */
      diff?: string
      error?: ErrorReport
      effect?: boolean
    }
  | {
      type: 'task.end'
      host: string
      task: string
      title: string
      status: StepStatus
      durationMs: number
    }
  | { type: 'warning'; host?: string; message: string }
  /** A decision, with --debug. */
  | { type: 'debug'; host?: string; area: DebugArea; message: string }
  /** `earlier`: in an earlier attempt of the run; this one leaves the host alone. */
  | ({ type: 'host.end'; earlier?: boolean } & HostOutcome)
  | {
      type: 'run.end'
      run: string
      ok: boolean
      exitCode: number
      durationMs: number
      hosts: HostOutcome[]
    }
)

/** What callbacks can be posted about, in the order in which it happens. */
export const callbackEvents = [
  'run.started',
  'batch.completed',
  'host.failed',
  'approval.needed',
  'run.completed',
] as const

export type CallbackEvent = (typeof callbackEvents)[number]

/** What a debug event is about. */
export type DebugArea =
  | 'connect'
  | 'host key'
  | 'login'
  | 'pacing'
  | 'shells'
  | 'become'
  | 'session'
  | 'lock'

/** Reports a decision. Passed as `Debug | undefined`, so that without --debug no message is even built. */
export type Debug = (area: DebugArea, message: string) => void

type Unstamped<E> = E extends unknown ? Omit<E, 'at'> : never

/** An event as passed to `emit`: the stream adds the time. */
export type NewEvent = Unstamped<RunEvent>

export type Subscriber = (event: RunEvent) => void

/** One stream a run. Subscribers are called in order, synchronously, and must not throw. */
export interface EventStream {
  emit(event: NewEvent): void
  subscribe(subscriber: Subscriber): void
}

/** @param now clock in milliseconds since the epoch; replaced in tests */
export function createEventStream(now: () => number = Date.now): EventStream {
  const subscribers: Subscriber[] = []
  return {
    emit: event => {
      const stamped = { at: now(), ...event } as RunEvent
      for (const subscriber of subscribers) subscriber(stamped)
    },
    subscribe: subscriber => {
      subscribers.push(subscriber)
    },
  }
}
