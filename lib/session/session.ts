/**
 * A session: one long-lived `sh` of one host and user, and everything that runs in it. The first
 * write holds the prelude, the request for facts and state, and what the caller adds (the lock):
 * one round trip.
 */
import { randomBytes } from 'node:crypto'
import { asBootstrapError, errorCodes, StepError, UnreachableError } from '../errors.ts'
import { partsFor } from '../remote/prelude.ts'
import type { Transport } from '../transport/transport.ts'
import type { HostCall, StepResult } from './call.ts'
import { type Channel, createChannel } from './channel.ts'
import { createControl, createSignals } from './control.ts'
import { type Facts, parseFacts } from './first-facts.ts'
import { defaultKeepalive, type Keepalive, keepAlive } from './keepalive.ts'
import type { StepListener } from './readings.ts'
import {
  beginSegment,
  functionsOf,
  type NumberedCall,
  type SegmentCall,
  type SegmentMode,
  stepScript,
} from './script.ts'
import { runSegment, type SegmentShell } from './segment.ts'
import { createStreamInput, type StreamInput } from './stream-input.ts'
import { createTransfers } from './transfers.ts'
import { createNotes, listed, type Notes, type Watch } from './watch.ts'

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
  /** Why nothing can be sent any more, if that is known. */
  readonly failure: Error | undefined
  /** The last id that a call has got. */
  readonly lastId: number
  /**
   * Runs calls in order, stopping at the first that fails; the rest are `skipped`. Content is sent
   * only if the host lacks it. A step that is held ends it: there are no results from that one on. Results keep the last MiB of each output. Never rejects because of
   * a failed step.
   * @throws {UnreachableError} the connection or the shell is lost
   */
  segment(calls: readonly SegmentCall[], mode: SegmentMode): Promise<StepResult[]>
  /**
   * Runs one call. Calls that are not awaited are pipelined. The result keeps all output, or
   * the last 8 MiB of each stream if a listener gets it as it comes.
   * @throws {UnreachableError} the connection or the shell is lost
   */
  call(call: HostCall, listener?: StepListener): Promise<StepResult>
  /**
   * Lets the running step end, and skips everything else that was sent.
   * @throws {UnreachableError} the host opens no other shell
   */
  interrupt(): Promise<void>
  /** Ends a process on the host and all that it started; without a pid, whatever this session runs. Throws as `interrupt`. */
  kill(pid?: number, signal?: string): Promise<void>
  /** Ends the running step of a segment, and the segment; the session continues. Throws as `interrupt`. */
  expire(signal: string): Promise<void>
  /**
   * Waits for everything that was sent (with `skip`, only for the running step), then ends the shell,
   * which releases the lock and removes its files, then the connection, unless this is another user's
   * session.
   */
  close(skip?: boolean): Promise<void>
  /** Whether its shell has said goodbye; if not, after `close`, it may still hold the lock. */
  readonly left: boolean
}

/** How long the first answer of a shell may take. */
export interface AnswerLimit {
  /** Aborted when the time is over. */
  signal: AbortSignal
  /** The error of a login that has said this. */
  late(said: string): Error
}

/** Loads the prelude, so that the first session need not wait for it. */
export const warmUp = (): void => void partsFor([], new Set())

const randomWord = () => randomBytes(12).toString('hex')

/**
 * @param options.first calls that travel with the first write
 * @param options.command what to start instead of `sh`: the shell of another user
 * @param options.user that user, for errors
 * @param options.warn called if the running work could be neither interrupted nor ended
 * @param options.watch its observers
 * @param options.limit until when its shell must have answered
 * @param options.after ids of calls begin after this: no call of this session has the id of one of the session that it
 *   replaces
 * @param options.keepalive when silence ends it
 * @throws {UnreachableError} the host opens no shell, or it does not follow our protocol
 * @throws {StepError} user_missing, user_refused: no session of `user`
 */
export async function openSession(options: {
  transport: Transport
  bootstrapDir: string
  first?: readonly HostCall[]
  command?: readonly string[]
  user?: string
  warn?: (message: string) => void
  watch?: Watch
  limit?: AnswerLimit
  after?: number
  keepalive?: Keepalive
}): Promise<Session> {
  const { transport, bootstrapDir, command, user, warn, watch, limit, after = 0 } = options
  const { keepalive = defaultKeepalive } = options
  const nonce = `hw${randomWord()}`
  const notes = createNotes(watch, user)
  const begin: HostCall = { name: 'hw_begin', args: [nonce, bootstrapDir] }
  const opening = [begin, ...(options.first ?? [])].map((call, at) => ({
    id: after + at + 1,
    call,
  }))
  const partsOf = createParts()
  const opened = { transport, command, user, nonce, notes, limit }
  const { channel, results } = await openChannel(opened, opening, partsOf(opening))
  const [begun, ...first] = results
  const { facts, pid } = parseFacts(factsIn(begun!))
  let lastId = after + opening.length
  const transfers = createTransfers(() => {
    notes?.opens('another shell, for content of its own')
    return transport.open(command)
  })
  const takeIds = (number: number) => {
    lastId += number
    return lastId - number + 1
  }
  const send: SegmentShell['send'] = (cause, steps, script) => {
    const { names, prelude } = partsOf(steps)
    notes?.sends(cause(), script, { names, bytes: prelude.length })
    channel.write(Buffer.concat([prelude, script]))
  }
  const control = createControl(transport, notes, warn)
  const signals = createSignals(control, transfers, pid, bootstrapDir)
  const stopped = () => signals.sent
  const shell = { nonce, channel, bootstrapDir, transfers, notes, takeIds, send, stopped }
  const work = createWork(shell, signals.kill)
  const endKeepalive = keepAlive(keepalive, {
    pid,
    bootstrapDir,
    open: () => {
      notes?.opens('another shell, which hears that the controller is there')
      return (transport.openHere ?? transport.open)(command)
    },
    writeIfIdle: channel.writeIfIdle,
    over: () => channel.failure !== undefined,
  })
  return {
    facts,
    get stateFiles() {
      return stateFilesOf(begun!)
    },
    first,
    get roundTrips() {
      return channel.roundTrips
    },
    get failure() {
      return channel.failure
    },
    get lastId() {
      return lastId
    },
    segment: work.segment,
    call: work.call,
    interrupt: signals.interrupt,
    kill: signals.kill,
    expire: signals.expire,
    close: async (skip = false) => {
      // If the connection is lost, everything that waits is too.
      if (skip && work.busy) await signals.interrupt().catch(() => {})
      await work.ended()
      endKeepalive()
      await channel.end(leaving)
      if (user === undefined) transport.close()
    },
    get left() {
      return channel.left
    },
  }
}

/** Says that the end of the input is meant, see hw_leaving in lib/remote/core.sh. */
const leaving = 'hw_leaving=1\n'

/** In containers the engine mounts files such as /etc/hosts: these are written to, as they can't be replaced. */
const mountsOf = ({ kind }: Transport) =>
  kind === 'docker' || kind === 'podman' ? ' hw_mounts_in_place=1' : ''

/** Tracks which parts of the prelude a shell has; returns those that it lacks for the given steps. */
function createParts() {
  const sent = new Set<string>()
  return (steps: readonly NumberedCall[]) => {
    const had = sent.size
    const prelude = Buffer.from(partsFor(functionsOf(steps), sent))
    return { names: [...sent].slice(had), prelude }
  }
}

/** Opens the shell and its channel, and waits for the answers to the first write. */
async function openChannel(
  shell: {
    transport: Transport
    command?: readonly string[]
    user?: string
    nonce: string
    notes?: Notes
    limit?: AnswerLimit
  },
  opening: readonly NumberedCall[],
  { names, prelude }: { names: readonly string[]; prelude: Buffer },
): Promise<{ channel: Channel; results: StepResult[] }> {
  const { transport, command, user, nonce, notes, limit } = shell
  const script = Buffer.concat([
    Buffer.from(`hw_nonce=${nonce} hw_token=${randomWord()}${mountsOf(transport)}\n`),
    ...opening.map(step =>
      stepScript(step, step.call.content && { content: step.call.content.bytes }),
    ),
  ])
  for (const { id, call } of opening) notes?.names(id, call.name)
  const start = async () => {
    notes?.opens(`a shell by ${transport.kind}`)
    const channel = createChannel(await transport.open(command), nonce, notes)
    limit?.signal.addEventListener('abort', () => void channel.giveUp(limit.late))
    const cause = `first write, ${listed(opening.map(({ call }) => call.name))}`
    notes?.sends(cause, script, { names, bytes: prelude.length })
    channel.write(Buffer.concat([prelude, script]))
    // A login that prints a lot before our first marker must not fill the memory.
    // After one that failed, the rest are skipped.
    let failed = false
    const answers = opening.map(step =>
      channel.expect(step.id, {
        keep: openingBytes,
        maySkip: () => failed,
        end: ({ status }) => {
          failed ||= status === 'failed'
        },
      }),
    )
    return { channel, results: await Promise.all(answers) }
  }
  return start().catch(error => {
    if (user !== undefined) throw noShellOf(user, error)
    const why = refusalOf(transport, error)
    if (why === 'again') return start()
    throw why ?? error
  })
}

/** Runs the calls and segments of a session in order, and tracks those that have not ended. */
function createWork(shell: SegmentShell, kill: () => Promise<void>) {
  // Work after a segment waits for its end, because a segment may need a second write.
  let barrier: Promise<unknown> = Promise.resolve()
  const pending = new Set<Promise<unknown>>()
  const track = <T>(answer: Promise<T>): Promise<T> => {
    pending.add(answer)
    const done = () => pending.delete(answer)
    answer.then(done, done)
    return answer
  }
  const call = async (wanted: HostCall, listener?: StepListener) => {
    await barrier
    const step = { id: shell.takeIds(1), call: wanted }
    const title = listener?.title ?? wanted.name
    shell.notes?.names(step.id, title)
    const script = Buffer.concat([
      Buffer.from(beginSegment({ check: false, diff: false })),
      stepScript(step, wanted.content && { content: wanted.content.bytes }),
    ])
    shell.send(() => title, [step], script)
    const { keep = listener?.output && listenedBytes, maySkip = shell.stopped } = listener ?? {}
    const heard = { ...listener, keep, maySkip }
    if (!wanted.stream) return shell.channel.expect(step.id, heard)
    const input = createStreamInput(wanted.stream, shell.transfers.open, () => {
      kill().catch(() => {})
    })
    const result = await shell.channel.expect(step.id, fed(heard, input)).finally(input.end)
    if (input.failure !== undefined) throw input.failure
    return result
  }
  const segment: Session['segment'] = (calls, mode) => {
    if (calls.length === 0) return Promise.resolve([])
    const result = barrier.then(() => runSegment(calls, mode, shell))
    barrier = result.catch(() => {})
    return track(result)
  }
  return {
    segment,
    call: (wanted: HostCall, listener?: StepListener) => track(call(wanted, listener)),
    get busy() {
      return pending.size > 0
    },
    ended: async () => {
      while (pending.size > 0) await Promise.allSettled(pending)
    },
  }
}

/** The listener of a command that waits for its input. */
const fed = (listener: StepListener, input: StreamInput): StepListener => ({
  ...listener,
  mark: words => {
    if (words[0] === 'input') input.begin(words.slice(2).join(' '))
    else listener.mark?.(words)
  },
})

/** @throws {UnreachableError} shell_failed: the host's shell can't even say what host it is */
function factsIn({ parts, stderr, stdout, exitStatus }: StepResult): string {
  const facts = parts.get('facts')
  if (facts) return facts.toString('utf8')
  const output = Buffer.concat([stderr, stdout]).toString('utf8').trim().slice(-openingOutput)
  throw new UnreachableError(
    'shell_failed',
    `the host’s shell can’t run the first command (exit status ${exitStatus})`,
    {
      output: output || undefined,
      hint: 'Check what its output says is missing: /dev/null and the usual programs must be there.',
    },
  )
}

/** How much of the output of the first call is shown, in characters. */
const openingOutput = 2000

/** Printed on standard error by the command that starts another user's shell, if there is no such user. */
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

/** How many bytes of each output the results of the first calls keep: answers about locks. */
const openingBytes = 65_536

/** The same for a call whose listener got the output as it came. */
const listenedBytes = 8 * 1_048_576

/**
 * The state files, by name, in the answer of `hw_begin` or `hw_read_state`.
 * @throws {StepError} state_unreadable: mistaking it for a new host would be worse
 */
export function stateFilesOf({ status, parts, stderr }: StepResult): Map<string, string> {
  if (status === 'failed') {
    throw new StepError('state_unreadable', stderr.toString('utf8').trim().split('\n').at(-1)!, {
      hint: 'If it belongs to another user, such as root, work as that user (--become), or set another bootstrap_dir for this login.',
    })
  }
  const files = [...parts].filter(([name]) => name.startsWith('file '))
  return new Map(files.map(([name, content]) => [name.slice(5), content.toString('utf8')]))
}
