/** Reports one step as events. */
import { isUtf8 } from 'node:buffer'
import type { BootstrapError } from '../errors.ts'
import type { EventStream, StepStatus } from '../events.ts'
import type { Redactor } from '../shell/redact.ts'
import { cleanReport } from './clean.ts'
import { createLines, type Lines } from './lines.ts'
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
  events: EventStream
  redactor: Redactor
  /** Called at each step's end. */
  count(status: StepStatus): void
}

export interface StepProgress {
  /** The step begins now. The first output, or the end, begins it if nothing else did. */
  start(): void
  output(stream: 'stdout' | 'stderr', chunk: Buffer): void
  /** Progress of a transfer, in bytes. */
  transfer(done: number, total: number): void
  /** Only the first end counts. */
  end(status: StepStatus, more?: { note?: string; diff?: string; error?: BootstrapError }): void
  /** The step will not end by itself: if it began, the error is its end; otherwise it is never reported. */
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
  const { host, events, redactor } = account
  const clean = redactor.redact
  const ids = { host, task: owner.id, step }
  const once = effect ? { effect } : undefined
  const title = () => clean(stepTitle)
  const partial = { stdout: createLines(), stderr: createLines() }
  let startedAt: number | undefined
  let over = false
  const say = (stream: keyof Streams, bytes: Buffer) => {
    if (bytes.length > 0)
      events.emit({ type: 'step.output', ...ids, stream, ...textOf(bytes, clean) })
  }
  const start = () => {
    if (startedAt !== undefined) return
    owner.begin()
    startedAt = Date.now()
    events.emit({ type: 'step.start', ...ids, title: title(), ...once })
  }
  const end: StepProgress['end'] = (status, { note, diff, error } = {}) => {
    if (over) return
    over = true
    start()
    for (const stream of ['stdout', 'stderr'] as const) say(stream, partial[stream].rest())
    account.count(status)
    error?.within({ task: owner.title, step: stepTitle })
    events.emit({
      type: 'step.end',
      ...ids,
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
    start,
    output: (stream, chunk) => {
      start()
      say(stream, partial[stream].push(chunk, redactor.forms))
    },
    transfer: (done, total) => {
      start()
      events.emit({ type: 'step.progress', ...ids, done, total })
    },
    end,
    drop: error => {
      if (over) return
      if (startedAt !== undefined) return end(error ? stepStatusOf(error) : 'failed', { error })
      over = true
      owner.done()
    },
  }
}

type Streams = Record<'stdout' | 'stderr', Lines>

/** Output without secrets, and its exact bytes if they are not UTF-8. */
function textOf(bytes: Buffer, clean: (text: string) => string) {
  const whole = bytes.toString('utf8')
  const text = clean(whole)
  // The bytes would contain the secret too.
  return isUtf8(bytes) || text !== whole ? { text } : { text, base64: bytes.toString('base64') }
}
