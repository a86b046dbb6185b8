/**
 * zx's `$`, running on the host instead of here: same templates, options, promises and results. What
 * differs, because a host is not this machine:
 *   - values are quoted for POSIX sh (zx quotes for bash), and no `set -e` prefix is added;
 *   - the environment of this process does not travel; `env` adds variables;
 *   - standard input is empty unless `input` or a pipe gives some;
 *   - `text()`, `json()`, `lines()` read standard output only (zx mixes standard error in);
 *   - `kill()`, `timeout` and `signal` end the command on the host.
 */
import { EventEmitter } from 'node:events'
import { createRequire } from 'node:module'
import { PassThrough } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Options, ProcessOutput, ProcessPromise } from 'zx/core'
import { quoteValue } from '../shell/template.ts'

/** A command as a session runs it. */
export interface CommandRequest {
  command: string
  shell: string
  cwd: string
  env: Readonly<Record<string, string>>
  input?: Buffer
}

/** Runs one command; output comes while it runs. */
export type CommandRunner = (
  request: CommandRequest,
  output: (stream: 'stdout' | 'stderr', chunk: Buffer) => void,
  /** Given the way to end the command, once it runs. */
  running: (kill: (signal: string) => Promise<void>) => void,
) => Promise<{ exitStatus: number }>

/** zx's options that make sense on a host. */
export type DollarOptions = Partial<
  Pick<
    Options,
    | 'cwd'
    | 'env'
    | 'input'
    | 'nothrow'
    | 'quiet'
    | 'verbose'
    | 'shell'
    | 'signal'
    | 'timeout'
    | 'timeoutSignal'
    | 'killSignal'
    | 'delimiter'
    | 'halt'
  >
>

/** `$`: run a command as a template, or `$({ nothrow: true })` for a `$` with other options. */
export interface Dollar {
  (pieces: TemplateStringsArray, ...values: unknown[]): ProcessPromise
  (options: DollarOptions): Dollar
}

export type { ProcessOutput, ProcessPromise }

type Zx = typeof import('zx/core')

/** zx takes its time to load; recipes that run no command of their own are spared it. */
let loaded: Zx | undefined
const zx = (): Zx => {
  loaded ??= createRequire(import.meta.url)('zx/core') as Zx
  return loaded
}

/** @param run how a command runs on this host */
export function createDollar(run: CommandRunner, base: DollarOptions = {}): Dollar {
  const dollar = (first: TemplateStringsArray | DollarOptions, ...values: unknown[]) =>
    Array.isArray(first)
      ? start(run, base, first as unknown as TemplateStringsArray, values)
      : createDollar(run, { ...base, ...(first as DollarOptions) })
  return dollar as Dollar
}

function start(
  run: CommandRunner,
  options: DollarOptions,
  pieces: TemplateStringsArray,
  values: unknown[],
) {
  const child = new RemoteProcess()
  let piped = false
  const promise = zx().$({
    shell: 'sh',
    env: {},
    ...options,
    prefix: '',
    postfix: '',
    quote: quoteValue as Options['quote'],
    preferLocal: false,
    detached: false,
    verbose: false,
    log: () => {},
    store: stdoutOnly(),
    // It runs once the caller has had the time to pipe something into it.
    halt: true,
    spawn: ((
      command: string,
      _args: unknown,
      spawned: { shell: string; cwd?: string; env: Record<string, string> },
    ) => {
      const withInput = piped || options.input !== undefined
      child.run(
        run,
        { command, shell: spawned.shell, cwd: options.cwd ?? '', env: spawned.env },
        withInput,
      )
      return child
    }) as unknown as Options['spawn'],
  })(
    pieces,
    ...(values.map(value => (isOutput(value) ? value.stdout.trimEnd() : value)) as never[]),
  ) as ProcessPromise
  // zx would signal a process of this machine.
  Object.defineProperty(promise, 'kill', {
    value: (signal?: string) => child.end(signal ?? options.killSignal ?? 'SIGTERM'),
  })
  options.signal?.addEventListener('abort', () => child.end('SIGTERM'))
  // zx has it public in fact, private in its types.
  ;(promise as unknown as EventEmitter).on('pipe', () => {
    piped = true
  })
  if (!options.halt) queueMicrotask(() => !piped && promise.isHalted() && promise.run())
  return promise
}

const isOutput = (value: unknown): value is ProcessOutput =>
  typeof value === 'object' && value !== null && 'stdout' in value && 'exitCode' in value

/** zx's store, but for its third list, which takes what came on standard output only. */
function stdoutOnly(): Options['store'] {
  const stdout: Buffer[] = []
  const stderr: Buffer[] = []
  const all: Buffer[] = []
  const push = all.push.bind(all)
  // zx pushes each chunk to its own list first.
  Object.defineProperty(all, 'push', {
    value: (chunk: Buffer) => (stdout.at(-1) === chunk ? push(chunk) : all.length),
  })
  return { stdout, stderr, stdall: all } as unknown as Options['store']
}

/** What zx takes for a child process. */
class RemoteProcess extends EventEmitter {
  readonly stdin = new PassThrough()
  readonly stdout = new PassThrough()
  readonly stderr = new PassThrough()
  #kill: ((signal: string) => Promise<void>) | undefined
  #signal: string | null = null

  /** Runs the command, with the whole of standard input once it is there. */
  async run(runner: CommandRunner, request: CommandRequest, withInput: boolean): Promise<void> {
    try {
      const input = withInput ? await buffer(this.stdin) : undefined
      const { exitStatus } = await runner(
        { ...request, input },
        (stream, chunk) => this[stream].write(chunk),
        kill => {
          this.#kill = kill
          // Ended before it began.
          if (this.#signal) void kill(this.#signal)
        },
      )
      this.#finish(exitStatus)
    } catch (error) {
      this.emit('error', error)
      this.#finish(null)
    }
  }

  async end(signal: string): Promise<void> {
    this.#signal = signal
    await this.#kill?.(signal)
  }

  #finish(code: number | null) {
    // The shell reports a signal as 128 + n; zx wants it apart.
    const signal = code === null || code > 128 ? this.#signal : null
    this.emit('exit', code, signal)
    let open = 2
    for (const stream of [this.stdout, this.stderr]) {
      stream.once('end', () => --open === 0 && this.emit('close', code, signal))
      stream.end()
      stream.resume()
    }
  }
}
