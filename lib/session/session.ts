/**
 * A session: one long-lived `sh` of one host and user, and everything that is asked of it. The first
 * write holds the prelude, the request for facts and state, and whatever the caller adds (the lock):
 * one round trip.
 */
import { randomBytes } from 'node:crypto'
import { text as readText } from 'node:stream/consumers'
import { asBootstrapError, errorCodes, StepError, UnreachableError } from '../errors.ts'
import { loadControl, partsFor } from '../remote/prelude.ts'
import { quoteAll } from '../shell/quote.ts'
import type { Transport } from '../transport/transport.ts'
import type { Answer, HostCall, StepResult } from './call.ts'
import { createChannel } from './channel.ts'
import { mapCondition } from './condition.ts'
import { createEdits, readingCall } from './edits.ts'
import { type Facts, parseFacts } from './facts.ts'
import type { StepListener } from './readings.ts'
import {
  againScript,
  beginSegment,
  functionsOf,
  type NumberedCall,
  type SegmentCall,
  type SegmentMode,
  segmentScript,
  stepScript,
} from './script.ts'
import { answerTo, createTransfers, prepare } from './transfers.ts'
import { createNotes, listed, type Watch } from './watch.ts'

export interface Session {
  readonly facts: Facts
  /**
   * Files of the dynamic state by name (`server.ini`), as they were when the session began.
   * @throws {StepError} state_unreadable
   */
  readonly stateFiles: ReadonlyMap<string, string>
  /** Results of the calls that went with the first write. */
  readonly first: readonly StepResult[]
  /** How often the controller waited for the host. */
  readonly roundTrips: number
  /**
   * Runs calls in order, stopping at the first that fails; the rest are `skipped`. Content travels
   * only where the host says that it lacks it. Results hold the last MiB of each output. Never rejects
   * for a failed step.
   * @throws {UnreachableError} the connection or the shell is gone
   */
  segment(calls: readonly SegmentCall[], mode: SegmentMode): Promise<StepResult[]>
  /**
   * Runs one call. Calls that are not awaited are pipelined. The result holds all of each output, or
   * the last 8 MiB where a listener takes it as it comes.
   */
  call(call: HostCall, listener?: StepListener): Promise<StepResult>
  /**
   * The running step ends by itself; what else was sent is skipped.
   * @throws {UnreachableError} the host lets no other shell begin
   */
  interrupt(): Promise<void>
  /** Ends a process on the host and all it started; without a pid, whatever this session runs. As `interrupt`. */
  kill(pid?: number, signal?: string): Promise<void>
  /** Ends the step of a segment that runs, and the segment; the session goes on. As `interrupt`. */
  expire(signal: string): Promise<void>
  /**
   * Ends the shell, which releases the lock and removes what it left, then the connection, unless it is
   * that of another user. What was asked and not awaited ends first; with `skip` only the running step
   * does.
   */
  close(skip?: boolean): Promise<void>
}

/** Loads what a first session would have to wait for. */
export const warmUp = (): void => void partsFor([], new Set())

const randomWord = () => randomBytes(12).toString('hex')

/**
 * @param options.first calls that travel with the first write
 * @param options.command what to start instead of `sh`: the shell of another user
 * @param options.user that user, for errors
 * @param options.warn called if the running work could be neither interrupted nor ended
 * @param options.watch who looks on
 * @throws {UnreachableError} no shell, or it does not speak our protocol
 */
export async function openSession(options: {
  transport: Transport
  bootstrapDir: string
  first?: readonly HostCall[]
  command?: readonly string[]
  user?: string
  warn?: (message: string) => void
  watch?: Watch
}): Promise<Session> {
  const { transport, bootstrapDir, command, user, warn, watch } = options
  const nonce = `hw${randomWord()}`
  let lastId = 0
  // What follows a segment waits for its end: a segment may need a second write.
  let barrier: Promise<unknown> = Promise.resolve()

  const begin: HostCall = { name: 'hw_begin', args: [nonce, bootstrapDir] }
  const opening = [begin, ...(options.first ?? [])].map(call => ({ id: ++lastId, call }))
  /** Parts of the prelude that the shell has. */
  const sent = new Set<string>()
  const partsOf = (steps: readonly NumberedCall[]) =>
    Buffer.from(partsFor(functionsOf(steps), sent))
  const notes = createNotes(watch, user)
  const script = Buffer.concat([
    Buffer.from(`hw_nonce=${nonce} hw_token=${randomWord()}\n`),
    ...opening.map(step =>
      stepScript(step, step.call.content && { content: step.call.content.bytes }),
    ),
  ])
  for (const { id, call } of opening) notes?.names(id, call.name)
  const prelude = partsOf(opening)
  const start = async () => {
    notes?.opens(`a shell by ${transport.kind}`)
    const channel = createChannel(await transport.open(command), nonce, notes)
    const parts = { names: [...sent], bytes: prelude.length }
    notes?.sends(`first write, ${listed(opening.map(({ call }) => call.name))}`, script, parts)
    channel.write(Buffer.concat([prelude, script]))
    // A login that prints a lot before our first marker must not fill the memory.
    const answers = opening.map(step => channel.expect(step.id, { keep: openingBytes }))
    return { channel, results: await Promise.all(answers) }
  }
  const { channel, results } = await start().catch(error => {
    if (user !== undefined) throw noShellOf(user, error)
    const why = refusalOf(transport, error)
    if (why === 'again') return start()
    throw why ?? error
  })
  const [begun, ...first] = results
  const { facts, pid } = parseFacts(begun!.parts.get('facts')!.toString('utf8'))

  /** Writes script, behind what of the prelude it needs and the shell lacks. */
  const send = (cause: () => string, steps: readonly NumberedCall[], script: Buffer) => {
    const had = sent.size
    const prelude = partsOf(steps)
    notes?.sends(cause(), script, { names: [...sent].slice(had), bytes: prelude.length })
    channel.write(Buffer.concat([prelude, script]))
  }

  /** Runs lines of remote/control.sh in a shell of their own, beside the one that is busy. */
  const control = async (words: readonly string[]) => {
    try {
      notes?.opens(`another shell, for ${words.join(' ')}`)
      const shell = await transport.open()
      shell.stdin.end(`${loadControl()}${quoteAll(words)}\n`)
      // Its output does not matter, nor that we closed it while it was writing.
      await Promise.allSettled([readText(shell.stdout), readText(shell.stderr), shell.ended])
    } catch (error) {
      // A lost connection is reported to everyone who waits anyway.
      const known = asBootstrapError(error)
      if (known.code !== 'connection_lost') {
        warn?.(`what runs can’t be interrupted or ended: ${known.message}`)
      }
      throw known
    }
  }

  const transfers = createTransfers(() => {
    notes?.opens('another shell, for content of its own')
    return transport.open(command)
  })

  const runSegment = async (
    calls: readonly SegmentCall[],
    mode: SegmentMode,
  ): Promise<StepResult[]> => {
    const base = lastId + 1
    lastId += calls.length
    const prepared = await Promise.all(calls.map(({ call }) => prepare(call)))
    const steps: NumberedCall[] = calls.map(({ when, listener: _, ...each }, index) => ({
      ...each,
      call: prepared[index]!,
      id: base + index,
      when: when && mapCondition(when, other => ({ kind: 'changed', of: base + other })),
    }))
    const results: StepResult[] = []
    /** Ids of steps whose content the host lacks. */
    const wanted = new Set<number>()
    /** Expects the steps from `from` on, up to the first that asks: what follows it comes again. */
    const expect = async (from: number): Promise<StepResult | undefined> => {
      let asking: StepResult | undefined
      const answers = steps.slice(from).map(async ({ id }, offset) => {
        const { listener } = calls[from + offset]!
        await channel.expect(id, {
          ...listener,
          keep: stepBytes,
          mark: words => {
            if (words[0] === 'want') for (const each of words.slice(1)) wanted.add(Number(each))
            else listener?.mark?.(words)
          },
          end: result => {
            if (result.status === 'need') asking ??= result
            if (asking) return
            results.push(result)
            listener?.end?.(result)
          },
        })
      })
      await Promise.all(answers)
      return asking
    }
    const read = readingCall(steps)
    const reading = read && { id: ++lastId, call: read }
    const titleAt = (index: number) => calls[index]!.listener?.title ?? steps[index]!.call.name
    for (const [index, { id }] of steps.entries()) notes?.names(id, titleAt(index))
    const segment = () => `segment of ${steps.length}: ${listed(steps.map((_, at) => titleAt(at)))}`
    send(segment, steps, segmentScript(steps, mode, nonce, reading))
    const edits = createEdits(steps, reading && channel.expect(reading.id))
    let asked = 0
    for (let asking = await expect(0); asking; asking = await expect(results.length)) {
      if (++asked > steps.length * mostAsked) {
        throw new UnreachableError('shell_failed', 'the host asks for the same content for ever')
      }
      const rest = steps.slice(results.length)
      const answers = new Map<number, Answer>()
      wanted.add(rest[0]!.id)
      for (const { id, call } of rest) {
        if (wanted.has(id) && call.content) answers.set(id, { content: call.content.bytes })
      }
      const { call, id } = rest[0]!
      for (const [of, answer] of await edits.answers(id, asking)) answers.set(of, answer)
      if (call.answer) {
        const progress = calls[results.length]!.listener?.progress ?? (() => {})
        const { open, signal } = transfers
        answers.set(
          id,
          await answerTo(call, { ...mode, result: asking, bootstrapDir, open, signal, progress }),
        )
      }
      const answer = () => `answer to ${titleAt(results.length)}, ${answers.size} in all`
      send(answer, [], againScript(rest, mode, answers))
    }
    return results
  }

  const interrupt = async () => {
    await control(['hw_interrupt', String(pid)])
    // A step that waits for content is skipped; what was sent of it is there for the next run.
    transfers.end()
  }

  const pending = new Set<Promise<unknown>>()
  const track = <T>(answer: Promise<T>): Promise<T> => {
    pending.add(answer)
    const done = () => pending.delete(answer)
    answer.then(done, done)
    return answer
  }

  const call = async (wanted: HostCall, listener?: StepListener) => {
    await barrier
    const step = { id: ++lastId, call: wanted }
    const title = listener?.title ?? wanted.name
    notes?.names(step.id, title)
    const script = Buffer.concat([
      Buffer.from(beginSegment({ check: false, diff: false })),
      stepScript(step, wanted.content && { content: wanted.content.bytes }),
    ])
    send(() => title, [step], script)
    return channel.expect(step.id, { keep: listener?.output && listenedBytes, ...listener })
  }

  return {
    facts,
    get stateFiles() {
      return stateFilesOf(begun!)
    },
    first,
    get roundTrips() {
      return channel.roundTrips
    },
    segment: (calls, mode) => {
      if (calls.length === 0) return Promise.resolve([])
      const result = barrier.then(() => runSegment(calls, mode))
      barrier = result.catch(() => {})
      return track(result)
    },
    call: (wanted, listener) => track(call(wanted, listener)),
    interrupt,
    kill: (victim, signal = 'TERM') => {
      if (victim) return control(['hw_kill', String(victim), signal, 'itself'])
      transfers.end()
      return control(['hw_kill', String(pid), signal])
    },
    expire: signal => {
      transfers.end()
      return control(['hw_expire', String(pid), signal])
    },
    close: async (skip = false) => {
      // If the connection is lost, everything that waits is too.
      if (skip && pending.size > 0) await interrupt().catch(() => {})
      while (pending.size > 0) await Promise.allSettled(pending)
      await channel.end()
      if (user === undefined) transport.close()
    },
  }
}

/** What the command that starts another user's shell says on standard error if there is no such user. */
export const noUserMark = 'hostwright: no such user'

/** Why there is no session of another user. */
function noShellOf(user: string, error: unknown) {
  const { code, details } = asBootstrapError(error)
  if (code !== 'shell_failed') return error
  if (details.output?.includes(noUserMark)) {
    const hint = errorCodes.user_missing.next
    return new StepError('user_missing', `there is no user ${user} on this host`, { hint })
  }
  return new StepError('user_refused', `this login can’t work as ${user}`, {
    output: details.output,
    hint: errorCodes.user_refused.next,
  })
}

/** How the transport explains a shell that ended before it answered. */
function refusalOf(transport: Transport, error: unknown) {
  const { code, details } = asBootstrapError(error)
  return code === 'shell_failed' ? transport.explain?.(details.output ?? '') : undefined
}

/** How much the results of the first calls hold of each output: answers about locks. */
const openingBytes = 65_536

/** How much the results of a segment hold of each output: enough for an error. */
const stepBytes = 1_048_576

/** How often a step may ask for what it lacks, on average; two are the most that any needs. */
const mostAsked = 10

/** The same of a call whose listener took the output as it came. */
const listenedBytes = 8 * 1_048_576

/**
 * The state files, by name, in the answer of `hw_begin` or `hw_read_state`.
 * @throws {StepError} state_unreadable: to take the host for new would be worse
 */
export function stateFilesOf({ status, parts, stderr }: StepResult): Map<string, string> {
  if (status === 'failed') {
    throw new StepError('state_unreadable', stderr.toString('utf8').trim().split('\n').at(-1)!, {
      hint: 'Most often it is another user’s, such as root’s: work as that user (--become), or give this login a bootstrap_dir of its own.',
    })
  }
  const files = [...parts].filter(([name]) => name.startsWith('file '))
  return new Map(files.map(([name, content]) => [name.slice(5), content.toString('utf8')]))
}
