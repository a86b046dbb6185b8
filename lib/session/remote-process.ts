/** A command on a host, in the shape of a local child process, as zx expects it. */
import { EventEmitter } from 'node:events'
import { PassThrough, type Readable } from 'node:stream'

/** A command as a session runs it. */
export interface CommandRequest {
  command: string
  /** What it is called, instead of its first line. */
  title?: string
  /** The user to run it as; undefined: the connection's. */
  as?: string
  shell: string
  cwd: string
  /** Further variables, in clear text. */
  env: Readonly<Record<string, string>>
  input?: Buffer
  /** Its standard input as it comes, in place of `input`. */
  stream?: Readable
  /** Values in this request that must not be shown. */
  secrets: readonly string[]
}

/** Runs one command; output comes while it runs. */
export type CommandRunner = (
  request: CommandRequest,
  output: (stream: 'stdout' | 'stderr', chunk: Buffer) => void,
  /** Called with a function that ends the command, once it runs. */
  running: (kill: (signal: string) => Promise<void>) => void,
) => Promise<{ exitStatus: number }>

export interface RemoteProcess extends EventEmitter {
  readonly stdin: PassThrough
  readonly stdout: PassThrough
  readonly stderr: PassThrough
  /**
   * Runs the command at the next microtask: until then its input can be piped into it.
   * @param prepare makes the request, with all its input, which may take time
   */
  run(prepare: () => CommandRequest | Promise<CommandRequest>): void
  /** Ends the command on the host; if it was not sent yet, it never is. Never rejects. */
  end(signal: string): Promise<void>
}

/**
 * It has no `pid` on purpose: the host's number could be that of a local process, which
 * zx would signal.
 * @param failing called before the process ends in failure, with an error if the command could not run to its end
 */
export function createRemoteProcess(
  runner: CommandRunner,
  failing: (error?: unknown) => void,
): RemoteProcess {
  const events = new EventEmitter()
  const stdin = new PassThrough()
  const stdout = new PassThrough()
  const stderr = new PassThrough()
  let state: 'waiting' | 'sent' | 'ended' = 'waiting'
  let kill: ((signal: string) => Promise<void>) | undefined
  let wanted: string | undefined

  const finish = (status: number | null, error?: unknown) => {
    if (state === 'ended') return
    state = 'ended'
    // An ended command has failed, even if it exits with 0 on the signal.
    const code = status === 0 && wanted !== undefined ? null : status
    // From now on the host may reuse the process id.
    kill = undefined
    if (code !== 0) failing(error)
    if (error !== undefined) events.emit('error', error)
    // The shell reports a signal as 128 + n; zx wants it separately.
    const signal = code === null || code > 128 ? wanted : undefined
    let open = 2
    for (const stream of [stdout, stderr]) {
      stream.once('end', () => --open === 0 && events.emit('close', code, signal ?? null))
      stream.end()
      stream.resume()
    }
  }

  const start = async (prepare: () => CommandRequest | Promise<CommandRequest>) => {
    try {
      if (state === 'ended') return
      const prepared = prepare()
      // Await only a promise: commands must keep their order.
      const request = prepared instanceof Promise ? await prepared : prepared
      if ((state as string) === 'ended') return
      state = 'sent'
      const { exitStatus } = await runner(
        request,
        (stream, chunk) => (stream === 'stdout' ? stdout : stderr).write(chunk),
        way => {
          kill = way
          if (wanted !== undefined) void end(wanted)
        },
      )
      finish(exitStatus)
    } catch (error) {
      finish(null, error)
    }
  }

  const end = async (signal: string) => {
    wanted = signal
    if (state === 'waiting') finish(null)
    // If the connection is lost, the command itself reports that.
    else await kill?.(signal).catch(() => {})
  }

  return Object.assign(events, {
    stdin,
    stdout,
    stderr,
    run: (prepare: () => CommandRequest | Promise<CommandRequest>) =>
      queueMicrotask(() => void start(prepare)),
    end,
  })
}
