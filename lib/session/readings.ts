/** Reads the answers of steps: in order, each on both streams of the shell. */
import { isHostCode } from '../errors.ts'
import type { Frame } from '../shell/frames.ts'
import type { CallStatus, StepResult } from './call.ts'
import { createTail, type Tail } from './tail.ts'

/**
 * What a caller wants to know about a step while it runs. The calls of several steps never mix: a step's start and
 * output come only after the end of the step before it, whichever of its two streams is ahead.
 */
export interface StepListener {
  start?(): void
  output?(stream: 'stdout' | 'stderr', chunk: Buffer): void
  /** A marker within the step, or before it: `want 3 4`, `pid 12 345`. Unlike output, it is never held back. */
  mark?(words: string[]): void
  /** The step has ended. Called before the next one's `start`, and before the promise settles. */
  end?(result: StepResult): void
  /** Whether it may have been skipped, or ask for something. Default: neither. */
  maySkip?(result: StepResult): boolean
  mayAsk?: boolean
  /** What a trace and --debug call the step. Default: the name of its function. */
  title?: string
  /** How many bytes of each output the result holds, the last ones. Default: all. */
  keep?: number
}

type Stream = 'stdout' | 'stderr'

/** The answer of a step while it is read. */
interface Reading extends StepListener {
  id: number
  result: StepResult
  /** Which of the two streams have ended; the step ends with both. */
  open: Set<Stream>
  part?: Buffer[]
  /** Bytes of all parts, and the number of markers: a malicious host sends without end. */
  held: number
  /** Bytes of output. */
  answered: number
  marked: number
  kept: Record<Stream, Tail>
  /** Output that came before the previous step's end, because the other stream is late. */
  early: { stream: Stream; chunk: Buffer }[]
  earlyBytes: number
  parts: Map<string, Buffer[]>
  resolve(result: StepResult): void
  reject(error: Error): void
}

export interface Readings {
  /** Expects the end of step `id`, after those that are already expected. */
  add(id: number, listener: StepListener): Promise<StepResult>
  /** Takes what came on a stream. False: no step is expected there. */
  take(stream: Stream, frame: Frame): boolean
  /** Rejects every step that is expected: no answer will come. */
  fail(error: Error): void
  /** Whether no step is expected. */
  readonly idle: boolean
  /** Whether one stream is ahead of the other: half an answer is still missing. */
  readonly uneven: boolean
  /** What the step that standard error is at has printed. */
  readonly printed: readonly Buffer[]
}

/** @param breach called with what a host says that is not in our protocol */
export function createReadings(breach: (message: string) => void): Readings {
  // By stream: standard output may be at a later step than standard error.
  const waiting: Record<Stream, Reading[]> = { stdout: [], stderr: [] }
  /** Steps that have not ended on both streams: the first of them is running. */
  let unsettled: Reading[] = []

  const settle = (stream: Stream, reading: Reading) => {
    waiting[stream].shift()
    reading.open.delete(stream)
    if (reading.open.size > 0) return
    const fault = faultOf(reading)
    if (fault !== undefined) return breach(fault)
    unsettled.shift()
    const { status } = finish(reading)
    const [next] = unsettled
    if (!next) return
    // The next step runs from now on, but not after one that needs content or was skipped.
    if (status !== 'need' && status !== 'skipped') next.start?.()
    for (const early of next.early.splice(0)) next.output?.(early.stream, early.chunk)
  }

  /** Passes output on, or holds it until the step before has ended. */
  const passOn = (reading: Reading, stream: Stream, chunk: Buffer) => {
    if (!reading.output) return
    if (reading === unsettled[0]) return reading.output(stream, chunk)
    reading.early.push({ stream, chunk })
    reading.earlyBytes += chunk.length
    if (reading.earlyBytes > mostEarly)
      breach(`step ${reading.id} printed ${mostEarly} bytes before the end of the step before it`)
  }

  const takeOutput = (reading: Reading, stream: Stream, chunk: Buffer) => {
    if (stream === 'stdout' && reading.part) {
      reading.part.push(chunk)
      reading.held += chunk.length
      if (reading.held > longestTexts)
        breach(`step ${reading.id} sent more than ${longestTexts} bytes of text`)
    } else {
      reading.kept[stream].push(chunk)
      reading.answered += chunk.length
      if (reading.keep === undefined && reading.answered > longestTexts)
        return breach(`step ${reading.id} answered with more than ${longestTexts} bytes`)
      passOn(reading, stream, chunk)
    }
  }

  const takeEnd = (reading: Reading, stream: Stream, words: readonly string[]) => {
    if (Number(words[0]) !== reading.id) return breach(`step ${words[0]} ended, not ${reading.id}`)
    if (stream === 'stdout' && !readEnd(reading.result, words))
      return breach(`step ${reading.id} ended as “${words.slice(1, 3).join(' ')}”`)
    settle(stream, reading)
  }

  return {
    add: (id, listener) =>
      new Promise((resolve, reject) => {
        const reading = createReading(id, listener, resolve, reject)
        unsettled.push(reading)
        waiting.stdout.push(reading)
        waiting.stderr.push(reading)
      }),
    take: (stream, frame) => {
      const reading = waiting[stream][0]
      if (!reading) return false
      if (frame.kind === 'output') takeOutput(reading, stream, frame.chunk)
      else if (frame.words[0] === 'end') takeEnd(reading, stream, frame.words.slice(1))
      else if (!takeMark(reading, frame.words))
        breach(`step ${reading.id} sent more than ${mostMarkers} markers`)
      return true
    },
    fail: error => {
      for (const reading of unsettled) reading.reject(error)
      waiting.stdout = []
      waiting.stderr = []
      unsettled = []
    },
    get idle() {
      return unsettled.length === 0
    },
    get uneven() {
      return waiting.stdout.length !== waiting.stderr.length
    },
    get printed() {
      const { kept } = waiting.stderr[0] ?? {}
      return kept ? [kept.stdout.bytes(), kept.stderr.bytes()] : []
    },
  }
}

function createReading(
  id: number,
  listener: StepListener,
  resolve: Reading['resolve'],
  reject: Reading['reject'],
): Reading {
  const { keep = Number.POSITIVE_INFINITY } = listener
  return {
    ...listener,
    id,
    result: {
      status: 'ok',
      exitStatus: 0,
      code: '-',
      note: '',
      stdout: none,
      stderr: none,
      parts: new Map(),
      marks: [],
    },
    open: new Set(['stdout', 'stderr']),
    kept: { stdout: createTail(keep), stderr: createTail(keep) },
    early: [],
    earlyBytes: 0,
    parts: new Map(),
    held: 0,
    answered: 0,
    marked: 0,
    resolve,
    reject,
  }
}

/** Completes the result: the step has ended on both streams. */
function finish(reading: Reading): StepResult {
  const { result, kept, parts } = reading
  result.stdout = kept.stdout.bytes()
  result.stderr = kept.stderr.bytes()
  for (const [name, chunks] of parts) result.parts.set(name, Buffer.concat(chunks))
  try {
    reading.end?.(result)
    reading.resolve(result)
  } catch (error) {
    reading.reject(error as Error)
  }
  return result
}

/** Why a step can't have ended as its host says; undefined: it can. */
function faultOf({ id, result, maySkip, mayAsk = false }: Reading): string | undefined {
  if (result.status === 'need' && !mayAsk) return `step ${id} asks, but nothing can be asked for`
  if (result.status === 'skipped' && !maySkip?.(result))
    return `step ${id} was skipped for no reason`
  return undefined
}

/**
 * Reads the words of an end. False if they are incomplete or contradict each other: that must not count as success.
 */
function readEnd(result: StepResult, words: readonly string[]): boolean {
  const [, status, exitStatus = '', code = '-', ...note] = words
  if (!isStatus(status) || !/^\d{1,3}$/.test(exitStatus)) return false
  result.status = status
  result.exitStatus = Number(exitStatus)
  if (result.exitStatus > 255 || (status === 'failed') !== result.exitStatus > 0) return false
  // A claim of the lock is the one call whose failure is not that of a step: see lib/host/lock.ts.
  result.code = isHostCode(code) || code === 'locked' ? code : '-'
  result.note = note.join(' ')
  return true
}

/** Takes a marker within a step. False if there are too many. */
function takeMark(reading: Reading, words: string[]): boolean {
  if (++reading.marked > mostMarkers) return false
  if (words[0] && texts.has(words[0])) {
    reading.part = []
    reading.parts.set(words.join(' '), reading.part)
  } else {
    reading.result.marks.push(words)
    reading.mark?.(words)
  }
  return true
}

const none = Buffer.alloc(0)

/** First words of markers that begin a named text on standard output. */
const texts = new Set(['facts', 'file', 'old', 'new', 'text'])

/** How many markers one step may send, and how many bytes of named texts. */
const mostMarkers = 100_000
const longestTexts = 512 * 1_048_576

/** How many bytes of a step's output may come on one stream before the previous step has ended on the other. */
const mostEarly = 64 * 1_048_576

const statuses: readonly (string | undefined)[] = ['ok', 'changed', 'failed', 'skipped', 'need']
const isStatus = (word: string | undefined): word is CallStatus => statuses.includes(word)
