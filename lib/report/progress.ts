/** The account of one host's tasks and steps, as events. */
import { isUtf8 } from 'node:buffer'
import type { BootstrapError } from '../errors.ts'
import type { EventStream, StepCounts, StepStatus } from '../events.ts'
import { createRedactor, type Redactor } from '../shell/redact.ts'
import { stars } from '../shell/secret.ts'
import { errorReport } from './report.ts'

/** Begins with its first step. */
export interface TaskProgress {
  step(title: string): StepProgress
  /** No more steps come: it ends when those it has do. */
  end(): void
}

/** A task as its steps see it. */
interface Owner {
  id: string
  title: string
  begin(): void
  done(status?: StepStatus): void
}

export interface StepProgress {
  /** The step begins now. Called by itself at the first output or at the end if it was not. */
  start(): void
  output(stream: 'stdout' | 'stderr', chunk: Buffer): void
  /** How far a transfer is, in bytes. */
  transfer(done: number, total: number): void
  /** Only the first end counts. */
  end(status: StepStatus, more?: { note?: string; diff?: string; error?: BootstrapError }): void
  /** Nothing more comes of it: a step that began has failed, one that did not was never there. */
  drop(error?: BootstrapError): void
}

export interface Progress {
  readonly counts: StepCounts
  /** Values that no event may show. */
  hide(secrets: Iterable<string>): void
  redact(text: string): string
  /** All that is hidden now: another list when there is more. */
  readonly forms: readonly string[]
  task(title: string): TaskProgress
  /** The task of steps that the recipe runs outside of any; another one after each titled task. */
  own(): TaskProgress
  warn(message: string): void
  /** Ends what is open. */
  end(): void
}

/**
 * @param title of the recipe's own task
 * @param shared hides the whole run's secrets
 */
export function createProgress(
  host: string,
  title: string,
  events: EventStream,
  shared?: Redactor,
): Progress {
  const counts: StepCounts = { ok: 0, changed: 0, failed: 0, skipped: 0 }
  const redactor = createRedactor(shared)
  const clean = redactor.redact
  let tasks = 0
  let steps = 0
  let own: TaskProgress | undefined

  const createStep = (stepTitle: string, owner: Owner): StepProgress => {
    const task = owner.id
    const step = `s${++steps}`
    const partial = { stdout: createLines(), stderr: createLines() }
    let startedAt: number | undefined
    let over = false
    const emitText = (stream: 'stdout' | 'stderr', bytes: Buffer) => {
      if (bytes.length === 0) return
      const whole = bytes.toString('utf8')
      const text = clean(whole)
      // A secret would be in the bytes as well.
      const exact = isUtf8(bytes) || text !== whole ? {} : { base64: bytes.toString('base64') }
      events.emit({ type: 'step.output', host, task, step, stream, text, ...exact })
    }
    const start = () => {
      if (startedAt !== undefined) return
      owner.begin()
      startedAt = Date.now()
      events.emit({ type: 'step.start', host, task, step, title: clean(stepTitle) })
    }
    const end: StepProgress['end'] = (status, { note, diff, error } = {}) => {
      if (over) return
      over = true
      start()
      for (const stream of ['stdout', 'stderr'] as const) emitText(stream, partial[stream].rest())
      counts[status]++
      error?.within({ task: owner.title, step: stepTitle })
      events.emit({
        type: 'step.end',
        host,
        task,
        step,
        title: clean(stepTitle),
        status,
        durationMs: Date.now() - startedAt!,
        note: note ? clean(note) : undefined,
        diff: diff === undefined ? undefined : clean(diff),
        error: error && cleanReport(errorReport(error), clean),
      })
      owner.done(status)
    }
    return {
      start,
      output: (stream, chunk) => {
        start()
        emitText(stream, partial[stream].push(chunk, redactor.forms))
      },
      transfer: (done, total) => {
        start()
        events.emit({ type: 'step.progress', host, task, step, done, total })
      },
      end,
      drop: error => {
        if (over) return
        if (startedAt !== undefined) return end('failed', { error })
        over = true
        owner.done()
      },
    }
  }

  const createTask = (taskTitle: string): TaskProgress => {
    const task = `t${++tasks}`
    let startedAt: number | undefined
    let status: StepStatus = 'ok'
    let open = 0
    let closing = false
    const endIfDone = () => {
      // A task none of whose steps began was never there.
      if (!closing || open > 0 || startedAt === undefined) return
      const durationMs = Date.now() - startedAt
      startedAt = undefined
      events.emit({ type: 'task.end', host, task, title: clean(taskTitle), status, durationMs })
    }
    const owner: Owner = {
      id: task,
      title: taskTitle,
      begin: () => {
        if (startedAt !== undefined) return
        startedAt = Date.now()
        events.emit({ type: 'task.start', host, task, title: clean(taskTitle) })
      },
      done: result => {
        open--
        if (result === 'failed' || (result === 'changed' && status === 'ok')) status = result
        endIfDone()
      },
    }
    return {
      step: stepTitle => {
        open++
        return createStep(stepTitle, owner)
      },
      end: () => {
        closing = true
        endIfDone()
      },
    }
  }

  return {
    counts,
    hide: redactor.hide,
    redact: clean,
    get forms() {
      return redactor.forms
    },
    task: taskTitle => {
      // What the recipe does next of its own comes after this task, and is shown there.
      own?.end()
      own = undefined
      return createTask(taskTitle)
    },
    own: () => {
      own ??= createTask(title)
      return own
    },
    warn: message => events.emit({ type: 'warning', host, message: clean(message) }),
    end: () => own?.end(),
  }
}

/** An error's texts without secrets. */
export function cleanReport<T extends object>(report: T, clean: (text: string) => string): T {
  return Object.fromEntries(
    Object.entries(report).map(([key, value]) => [
      key,
      typeof value === 'string' ? clean(value) : value,
    ]),
  ) as T
}

/** What a recipe put out, as JSON data, its texts without secrets. */
export function cleanData(data: unknown, clean: (text: string) => string): unknown {
  if (data === undefined) return undefined
  return JSON.parse(JSON.stringify(data), (_key, value) => {
    if (typeof value === 'string') return clean(value)
    // A number may be a secret as well: a PIN.
    if (typeof value === 'number') return clean(String(value)) === String(value) ? value : stars
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [clean(key), each]))
  })
}

/** A line longer than this is passed on in parts. */
const longestLine = 65_536

/** So much of a line is held back at most, for a secret that may have begun in it. */
const longestSecret = 1_048_576

/**
 * Whole lines of a stream, so that a secret or a character cut in two by a packet is seen whole; where
 * a line is passed on in parts, neither is cut.
 */
function createLines() {
  let held: Buffer = Buffer.alloc(0)
  const take = (length: number) => {
    const bytes = held.subarray(0, length)
    held = held.subarray(length)
    return bytes
  }
  return {
    push: (chunk: Buffer, secrets: readonly string[]) => {
      held = held.length === 0 ? chunk : Buffer.concat([held, chunk])
      const end = held.lastIndexOf(10) + 1
      return take(held.length - end > longestLine ? safeCut(held, secrets) : end)
    },
    rest: () => take(held.length),
  }
}

/** Where to cut a long line: before what may be a part of a character or of a secret. */
function safeCut(bytes: Buffer, secrets: readonly string[]): number {
  const longest = Buffer.byteLength(secrets[0] ?? '')
  // A character has up to four bytes.
  let cut = bytes.length - Math.min(Math.max(longest, 4), longestSecret)
  if (cut <= 0) return 0
  for (const secret of secrets) {
    const length = Buffer.byteLength(secret)
    const from = Math.max(0, cut - length + 1)
    const at = length === 0 ? -1 : bytes.indexOf(secret, from)
    if (at >= 0 && at < cut) cut = at
  }
  // Within a character its bytes are 10xxxxxx.
  while (cut > 0 && ((bytes[cut] ?? 0) & 0xc0) === 0x80) cut--
  return cut
}
