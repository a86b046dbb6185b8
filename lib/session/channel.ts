/**
 * The channel of a session: script goes in, results of steps come out, in order. Writing while
 * an answer is awaited costs no round trip; `roundTrips` counts the writes to an idle host,
 * which is how often the controller waited.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type ErrorCode, UnreachableError } from '../errors.ts'
import { createFrameReader, type Frame } from '../shell/frames.ts'
import type { ShellEnd, ShellStream } from '../transport/transport.ts'
import type { StepResult } from './call.ts'
import { noShell, watchStreams } from './no-shell.ts'
import { createReadings, type Readings, type StepListener } from './readings.ts'
import { createTail } from './tail.ts'
import type { Notes } from './watch.ts'

export interface Channel {
  /** Writes script: a step, or what comes before one. */
  write(script: Buffer | string): void
  /** The same, if nothing is awaited, and the shell has not ended. */
  writeIfIdle(script: string): void
  /** Expects the end of step `id`. Steps end in the order of these calls. */
  expect(id: number, listener?: StepListener): Promise<StepResult>
  /**
   * The shell has not answered in time: whatever waits fails, with its own words if it ends now.
   * @param late makes the error of what it has said
   */
  giveUp(late: (said: string) => Error): Promise<void>
  /**
   * Ends the shell: no more script. Resolves when the shell has released its locks and removed its files.
   * @param last script before the end
   */
  end(last?: string): Promise<void>
  /** Whether the shell has said that it ends: it had released its locks and removed its files. */
  readonly left: boolean
  readonly roundTrips: number
  /** Why no answer comes any more, if that is known. */
  readonly failure: Error | undefined
}

/**
 * @param shell a shell that nobody else reads or writes
 * @param nonce begins each marker of this session
 * @param notes gets each frame and each round trip
 */
export function createChannel(shell: ShellStream, nonce: string, notes?: Notes): Channel {
  let roundTrips = 0
  let failure: Error | undefined
  /** Our shell has answered; before that it may be the login that should become one. */
  let begun = false
  // What the shell prints while no step runs, for the error if it ends.
  const noise = createTail(noiseBytes)
  const goodbye = createGoodbye()
  const fail = (error: Error) => {
    failure ??= error
    readings.fail(failure)
  }
  const readings = createReadings(message => fail(protocolError(message)))

  const lastSaid = () => lastOf(`${Buffer.concat([noise.bytes(), ...readings.printed])}`.trim())

  /** The shell ended by itself: whatever still waits for an answer fails. */
  const failEnded = (how: string) => {
    const said = lastSaid()
    fail(begun ? protocolError(`the host’s shell ended (${how})`, said) : noShell(how, said))
  }

  const take = (stream: 'stdout' | 'stderr', frame: Frame) => {
    notes?.received(stream, frame)
    const odd = late.hears(stream, frame)
    if (odd) return fail(odd)
    if (frame.kind === 'mark') begun = true
    if (frame.kind === 'mark' && frame.words[0] === 'bye') {
      if (!goodbye.hear(stream, frame.words[1] ?? '')) return
      failEnded(`exit status ${goodbye.status}`)
      return goodbye.leave()
    }
    if (!readings.take(stream, frame) && frame.kind === 'output') noise.push(frame.chunk)
  }

  const late = watchStreams(fail)

  listen(shell, nonce, take, readings, message => fail(protocolError(message)))
  const ended = watchEnd(shell, failEnded, end => {
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
    writeIfIdle: script => {
      if (!failure && readings.idle) shell.stdin.write(script)
    },
    expect: (id, listener = {}) => {
      if (failure) return Promise.reject(failure)
      const { idle } = readings
      const answer = readings.add(id, listener)
      if (idle) {
        roundTrips++
        notes?.waits(roundTrips)
        listener.start?.()
      }
      return answer
    },
    giveUp: async late => {
      if (begun) return fail(late(''))
      // Some programs run nothing before the end of their input; then they say what they are.
      shell.stdin.end()
      await Promise.race([ended, sleep(lastWordsMs, undefined, { ref: false })])
      fail(late(lastSaid()))
    },
    end: async (last = '') => {
      shell.stdin.end(last)
      const over = new AbortController()
      const { signal } = over
      // A shell that broke our protocol may not say goodbye either.
      const late = sleep(failure ? graceMs : goodbyeMs, undefined, { signal }).catch(() => {})
      const said = goodbye.said.then(() => sleep(graceMs, undefined, { ref: false }))
      await Promise.race([ended, said, late])
      over.abort()
    },
    get left() {
      return goodbye.heard
    },
    get roundTrips() {
      return roundTrips
    },
    get failure() {
      return failure
    },
  }
}

/**
 * A shell says goodbye on both streams. They may stay open after that: a background process that a step
 * started may hold them.
 */
function createGoodbye() {
  const streams = new Set<string>()
  let status = 'unknown'
  let leave = () => {}
  const said = new Promise<void>(resolve => {
    leave = resolve
  })
  return {
    /** @returns whether both streams have said goodbye */
    hear: (stream: string, word: string) => {
      streams.add(stream)
      if (stream === 'stdout' && /^\d{1,3}$/.test(word)) status = word
      return streams.size === 2
    },
    get status() {
      return status
    },
    get heard() {
      return streams.size === 2
    },
    said,
    leave: () => leave(),
  }
}

/** Reads both outputs of a shell. */
function listen(
  shell: ShellStream,
  nonce: string,
  take: (stream: 'stdout' | 'stderr', frame: Frame) => void,
  readings: Readings,
  breach: (message: string) => void,
): void {
  let nudging: NodeJS.Timeout | undefined
  for (const stream of ['stdout', 'stderr'] as const) {
    const reader = createFrameReader(nonce)
    shell[stream].on('data', (chunk: Buffer) => {
      try {
        for (const frame of reader.push(chunk)) take(stream, frame)
        // If one stream is ahead of the other, half an answer is still missing.
        clearTimeout(nudging)
        if (shell.nudge && readings.uneven) nudging = setTimeout(shell.nudge, patienceMs)
      } catch (error) {
        breach(error instanceof Error ? error.message : String(error))
      }
    })
  }
}

/**
 * Waits for the end of a shell. It follows the end of the outputs at once, unless the host never reports it.
 * @param silent called if the end is not reported
 * @param ended called when it is
 */
function watchEnd(
  shell: ShellStream,
  silent: (how: string) => void,
  ended: (end: ShellEnd) => void,
): Promise<void> {
  let silence: NodeJS.Timeout | undefined
  const outputs = [shell.stdout, shell.stderr].map(
    output => new Promise<void>(resolve => output.once('end', resolve)),
  )
  let over = false
  void Promise.all(outputs).then(() => {
    if (!over) silence = setTimeout(() => silent('it closed its outputs'), endMs)
  })
  return shell.ended.then(end => {
    over = true
    clearTimeout(silence)
    ended(end)
  })
}

const describeEnd = (end: ShellEnd) => {
  if (end.lost) return `the connection was lost (${end.reason})`
  return end.signal ? `signal ${end.signal}` : `exit status ${end.code}`
}

/**
 * How long to wait for a shell's end after its goodbye. The end comes with the next packet, unless a
 * background process keeps the streams open: then it may never come.
 */
const graceMs = 200

/** How long a login may take to say why it runs something else. */
const lastWordsMs = 1000

/** How long a shell may take to release its locks and remove its files. */
const goodbyeMs = 15_000

/** How long after its outputs a shell may end. */
const endMs = 2000

/** The end of a text, from the start of a line: half a secret would not be recognised and redacted. */
const lastOf = (text: string, length = 2000) =>
  text.length <= length ? text : text.slice(-length).replace(/^[^\n]*\n?/, '')

/** How long to wait for the other half of an answer before nudging the host. */
const patienceMs = 5

/** How much is kept of what a shell prints while no step runs. */
const noiseBytes = 65_536

function protocolError(message: string, output?: string) {
  const code: ErrorCode = 'shell_failed'
  return new UnreachableError(code, message, { output: output || undefined })
}
