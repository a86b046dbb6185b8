/**
 * The channel of a session: script goes in, results of steps come out, in order. What is written while
 * an answer is still awaited costs no round trip; `roundTrips` counts the writes that found the host
 * idle, which is how often the controller waited.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ErrorCode, errorCodes, UnreachableError } from '../errors.ts'
import { createFrameReader, type Frame } from '../shell/frames.ts'
import type { ShellEnd, ShellStream } from '../transport/transport.ts'
import type { CallStatus, StepResult } from './call.ts'
import { noShell } from './no-shell.ts'
import { createTail, type Tail } from './tail.ts'
import type { Notes } from './watch.ts'

/**
 * What a caller wants to know about a step while it runs. The calls of several steps never mix: a step's start and
 * output come only after the end of the step before it, whichever of its two streams is ahead.
 */
export interface StepListener {
  start?(): void
  output?(stream: 'stdout' | 'stderr', chunk: Buffer): void
  /** A marker within the step, or before it: `want 3 4`, `pid 12 345`. Not held back as output is. */
  mark?(words: string[]): void
  /** The step has ended. Called before the next one is said to have started, and before the promise settles. */
  end?(result: StepResult): void
  /** What a trace and --debug call the step. Default: the name of its function. */
  title?: string
  /** How many bytes of each output the result holds, the last ones. Default: all. */
  keep?: number
}

/** The answer of a step, while it is read. */
interface Reading extends StepListener {
  id: number
  result: StepResult
  /** Which of the two streams have ended; the step ends with both. */
  open: Set<'stdout' | 'stderr'>
  part?: Buffer[]
  /** Bytes of all parts, and the number of markers: a malicious host sends without end. */
  held: number
  marked: number
  kept: Record<'stdout' | 'stderr', Tail>
  /** Output that came before the end of the step before this one: the other stream is late. */
  early: { stream: 'stdout' | 'stderr'; chunk: Buffer }[]
  earlyBytes: number
  parts: Map<string, Buffer[]>
  resolve(result: StepResult): void
  reject(error: Error): void
}

export interface Channel {
  /** Writes script that holds the step `id`, or what comes before one. */
  write(script: Buffer | string): void
  /** Expects the end of step `id`; steps end in the order they were expected in. */
  expect(id: number, listener?: StepListener): Promise<StepResult>
  /** Ends the shell: no more script. Resolves when it has released and removed what was its own. */
  end(): Promise<void>
  readonly roundTrips: number
}

/**
 * @param shell a shell nobody else reads or writes
 * @param nonce the session's word
 * @param notes has all that comes, and each round trip
 */
export function createChannel(shell: ShellStream, nonce: string, notes?: Notes): Channel {
  // Steps by stream: standard output may be at a later step than standard error.
  const waiting = { stdout: [] as Reading[], stderr: [] as Reading[] }
  /** Steps whose end has not come on both streams: the first of them runs. */
  let unsettled: Reading[] = []
  let roundTrips = 0
  let failure: Error | undefined
  /** Our shell has answered; before that it may be the login that should become one. */
  let begun = false
  // What a shell prints while no step runs, for the error when it ends.
  const noise = createTail(noiseBytes)
  // A shell says goodbye on both streams. They may stay open after that, because a process that a step
  // left in the background has them too.
  const byes = new Set<string>()
  let status = ''
  let gone = () => {}
  const bye = new Promise<void>(resolve => {
    gone = resolve
  })

  const fail = (error: Error) => {
    failure ??= error
    for (const reading of unsettled) reading.reject(failure)
    waiting.stdout = []
    waiting.stderr = []
    unsettled = []
  }

  const settle = (stream: 'stdout' | 'stderr', reading: Reading) => {
    waiting[stream].shift()
    reading.open.delete(stream)
    if (reading.open.size > 0) return
    const { result } = reading
    result.stdout = reading.kept.stdout.bytes()
    result.stderr = reading.kept.stderr.bytes()
    for (const [name, chunks] of reading.parts) result.parts.set(name, Buffer.concat(chunks))
    unsettled.shift()
    try {
      reading.end?.(result)
      reading.resolve(result)
    } catch (error) {
      reading.reject(error as Error)
    }
    const [next] = unsettled
    if (!next) return
    // The next step runs from here on; behind one that needs content or was skipped, none does.
    if (result.status !== 'need' && result.status !== 'skipped') next.start?.()
    for (const { stream, chunk } of next.early.splice(0)) next.output?.(stream, chunk)
  }

  /** Passes output on, unless the step before has not ended: then it waits for that. */
  const passOn = (reading: Reading, stream: 'stdout' | 'stderr', chunk: Buffer) => {
    if (!reading.output) return
    if (reading === unsettled[0]) return reading.output(stream, chunk)
    reading.early.push({ stream, chunk })
    reading.earlyBytes += chunk.length
    if (reading.earlyBytes > mostEarly)
      fail(
        protocolError(
          `step ${reading.id} printed ${mostEarly} bytes before the end of the step before it`,
        ),
      )
  }

  /** The shell ended by itself: whatever still waits for an answer fails. */
  const failEnded = (how: string) => {
    const { stdout, stderr } = waiting.stderr[0]?.kept ?? {}
    const parts = [noise, stdout, stderr].map(part => part?.bytes() ?? none)
    const said = lastOf(Buffer.concat(parts).toString('utf8').trim())
    fail(begun ? protocolError(`the host’s shell ended (${how})`, said) : noShell(how, said))
  }

  const take = (stream: 'stdout' | 'stderr', frame: Frame) => {
    notes?.received(stream, frame)
    begun ||= frame.kind === 'mark'
    if (frame.kind === 'mark' && frame.words[0] === 'bye') {
      byes.add(stream)
      if (stream === 'stdout') status = frame.words[1] ?? ''
      if (byes.size < 2) return
      failEnded(`exit status ${status}`)
      return gone()
    }
    const reading = waiting[stream][0]
    if (!reading) {
      if (frame.kind === 'output') noise.push(frame.chunk)
      return
    }
    if (frame.kind === 'output') {
      if (stream === 'stdout' && reading.part) {
        reading.part.push(frame.chunk)
        reading.held += frame.chunk.length
        if (reading.held > longestTexts)
          return fail(protocolError(`step ${reading.id} sent more text than ${longestTexts} bytes`))
      } else {
        reading.kept[stream].push(frame.chunk)
        passOn(reading, stream, frame.chunk)
      }
      return
    }
    const [word, ...rest] = frame.words
    if (word === 'end') {
      if (Number(rest[0]) !== reading.id)
        return fail(protocolError(`step ${rest[0]} ended, not ${reading.id}`))
      if (stream === 'stdout') {
        const [, status, exitStatus = '', code = '-', ...note] = rest
        // An incomplete answer is no success.
        if (!isStatus(status) || !/^\d{1,3}$/.test(exitStatus))
          return fail(protocolError(`step ${reading.id} ended as “${rest.slice(1, 3).join(' ')}”`))
        reading.result.status = status
        reading.result.exitStatus = Number(exitStatus)
        reading.result.code = Object.hasOwn(errorCodes, code) ? code : '-'
        reading.result.note = note.join(' ')
      }
      settle(stream, reading)
      return
    }
    if (++reading.marked > mostMarkers)
      return fail(protocolError(`step ${reading.id} sent more than ${mostMarkers} markers`))
    if (word && parts.has(word)) {
      reading.part = []
      reading.parts.set(frame.words.join(' '), reading.part)
    } else {
      reading.result.marks.push(frame.words)
      reading.mark?.(frame.words)
    }
  }

  let nudging: NodeJS.Timeout | undefined
  for (const stream of ['stdout', 'stderr'] as const) {
    const reader = createFrameReader(nonce)
    shell[stream].on('data', (chunk: Buffer) => {
      try {
        for (const frame of reader.push(chunk)) take(stream, frame)
        // One stream is ahead of the other: half an answer is still under way.
        clearTimeout(nudging)
        if (shell.nudge && waiting.stdout.length !== waiting.stderr.length) {
          nudging = setTimeout(shell.nudge, patienceMs)
        }
      } catch (error) {
        fail(protocolError(error instanceof Error ? error.message : String(error)))
      }
    })
  }
  // No more answers can come. How the shell ended follows at once, unless the host never says.
  let silence: NodeJS.Timeout | undefined
  const outputs = [shell.stdout, shell.stderr].map(
    output => new Promise<void>(resolve => output.once('end', resolve)),
  )
  let over = false
  void Promise.all(outputs).then(() => {
    if (!over) silence = setTimeout(() => failEnded('it closed its outputs'), endMs)
  })
  const ended = shell.ended.then(end => {
    over = true
    clearTimeout(silence)
    notes?.ended(describeEnd(end))
    if (end.lost)
      return fail(new UnreachableError('connection_lost', `the connection was lost: ${end.reason}`))
    failEnded(describeEnd(end))
  })
  // Writing to a shell that has ended: `ended` says why.
  shell.stdin.on('error', () => {})

  return {
    write: script => {
      if (failure) throw failure
      shell.stdin.write(script)
    },
    expect: (id, listener = {}) =>
      new Promise((resolve, reject) => {
        if (failure) return reject(failure)
        const { keep = Number.POSITIVE_INFINITY } = listener
        const reading: Reading = {
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
          marked: 0,
          resolve,
          reject,
        }
        const idle = unsettled.length === 0
        unsettled.push(reading)
        waiting.stdout.push(reading)
        waiting.stderr.push(reading)
        if (idle) {
          roundTrips++
          notes?.waits(roundTrips)
          reading.start?.()
        }
      }),
    end: async () => {
      shell.stdin.end()
      const over = new AbortController()
      const { signal } = over
      // A shell that broke our protocol may not say goodbye either.
      const late = sleep(failure ? graceMs : goodbyeMs, undefined, { signal }).catch(() => {})
      const said = bye.then(() => sleep(graceMs, undefined, { ref: false }))
      await Promise.race([ended, said, late])
      over.abort()
    },
    get roundTrips() {
      return roundTrips
    },
  }
}

const describeEnd = (end: ShellEnd) => {
  if (end.lost) return `the connection was lost (${end.reason})`
  return end.signal ? `signal ${end.signal}` : `exit status ${end.code}`
}

/**
 * How long after a shell's goodbye its end is waited for. The end comes with the next packet, unless a
 * process in the background keeps the streams open: then it may never come.
 */
const graceMs = 200

/** How long a shell may take to release and remove what is its own. */
const goodbyeMs = 15_000

/** How long after its outputs the end of a shell may come. */
const endMs = 2000

/** The end of a text, from the beginning of a line: half a secret would not be recognised as one. */
const lastOf = (text: string, length = 2000) =>
  text.length <= length ? text : text.slice(-length).replace(/^[^\n]*\n?/, '')

/** How long the other half of an answer may take of its own accord. */
const patienceMs = 5

/** How much is kept of what a shell prints while no step runs. */
const noiseBytes = 65_536

const none = Buffer.alloc(0)

/** Words of markers after which standard output is a text with a name. */
const parts = new Set(['facts', 'file', 'old', 'new', 'text'])

/** How many markers one step may send, and how many bytes of texts with a name. */
const mostMarkers = 100_000
const longestTexts = 512 * 1_048_576

/** How many bytes of a step's output may come before the end of the step before it, on the other stream. */
const mostEarly = 64 * 1_048_576

const statuses: readonly (string | undefined)[] = ['ok', 'changed', 'failed', 'skipped', 'need']
const isStatus = (word: string | undefined): word is CallStatus => statuses.includes(word)

function protocolError(message: string, output?: string) {
  const code: ErrorCode = 'shell_failed'
  return new UnreachableError(code, message, { output: output || undefined })
}
