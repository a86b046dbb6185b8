/** Reports one step as events. */
import type { BootstrapError } from '../errors.ts'
import type { EventStream, StepStatus } from '../events.ts'
import type { Redactor } from '../shell/redact.ts'
import { cleanReport } from './clean.ts'
import { createOutput, type Output, type Shown } from './output.ts'
import { errorReport, stepStatusOf } from './report.ts'

/** A task as its steps see it. */
export interface StepOwner {
  /** Id of the task. */
  id: string
  title: string
  begin(): void
  done(status?: StepStatus): void
}

/** Where a host's steps are reported. */
export interface StepEvents {
  host: string
  /** The host on which the steps are done, if it is another one: they are done for `host`. */
  on?: string
  events: EventStream
  redactor: Redactor
  /** Called at each step's end. */
  count(status: StepStatus): void
}

export interface StepProgress {
  /** It has begun, and may have ended. */
  readonly begun: boolean
  /** The step begins now. The first output, or the end, begins it if nothing else did. */
  start(): void
  output(stream: 'stdout' | 'stderr', chunk: Buffer): void
  /** Progress of a transfer, in bytes. */
  transfer(done: number, total: number): void
  /** Only the first end counts. */
  end(status: StepStatus, more?: { note?: string; diff?: string; error?: BootstrapError }): void
  /**
   * The step will not end by itself: if it began, the error is its end, or Ctrl-C came before it did anything;
   * otherwise it is never reported.
   */
  drop(error?: BootstrapError): void
}

/**
 * @param step the step's id
 * @param effect it runs once a run
 */
export function createStepProgress(
  step: string,
  stepTitle: string,
  owner: StepOwner,
  account: StepEvents,
  effect?: boolean,
): StepProgress {
  const { host, on, events, redactor } = account
  const clean = redactor.redact
  const ids = { host, task: owner.id, step }
  const where = on === undefined ? undefined : { on }
  const once = effect ? { effect } : undefined
  const title = () => clean(stepTitle)
  const outputs: Record<'stdout' | 'stderr', Output> = {
    stdout: createOutput(redactor),
    stderr: createOutput(redactor),
  }
  let startedAt: number | undefined
  let over = false
  const say = (stream: 'stdout' | 'stderr', shown: Shown | undefined) => {
    if (shown) events.emit({ type: 'step.output', ...ids, stream, ...shown })
  }
  const start = () => {
    if (startedAt !== undefined) return
    owner.begin()
    startedAt = Date.now()
    events.emit({ type: 'step.start', ...ids, ...where, title: title(), ...once })
  }
  const end: StepProgress['end'] = (status, { note, diff, error } = {}) => {
    if (over) return
    over = true
    start()
    for (const stream of ['stdout', 'stderr'] as const) say(stream, outputs[stream].rest())
    account.count(status)
    error?.within({ task: owner.title, step: stepTitle })
    events.emit({
      type: 'step.end',
      ...ids,
      ...where,
      title: title(),
      status,
      durationMs: Date.now() - startedAt!,
      note: note ? clean(note) : undefined,
      diff: diff === undefined ? undefined : clean(diff),
      error: error && cleanReport(errorReport(error), clean),
      ...once,
    })
    owner.done(status)
  }
  return {
    get begun() {
      return startedAt !== undefined
    },
    start,
    output: (stream, chunk) => {
      start()
      say(stream, outputs[stream].push(chunk))
    },
    transfer: (done, total) => {
      start()
      events.emit({ type: 'step.progress', ...ids, done, total })
    },
    end,
    drop: error => {
      if (over) return
      if (startedAt !== undefined)
        return error ? end(stepStatusOf(error), { error }) : end('skipped', { note: 'interrupted' })
      over = true
      owner.done()
    },
  }
}
