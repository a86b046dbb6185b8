/**
 * zx's `$`, running on the host instead of here: same templates, options, promises and results.
 * Differences, because a host is not this machine:
 *   - values are quoted for POSIX sh (zx quotes for bash), and no `set -e` prefix is added;
 *   - the environment of this process is not sent; `env` adds variables, also secrets;
 *   - standard input is empty unless `input`, a pipe or a write in the same tick provides it; it
 *     is sent whole, before the command starts;
 *   - `text()`, `json()`, `lines()` read standard output only (zx mixes standard error in);
 *   - `.pipe` to a template runs on the host too; to a stream or a file name, output comes here;
 *   - `kill()`, `timeout` and `signal` end the command on the host; it has then failed, whatever its
 *     exit status;
 *   - `as` runs it in the session of another user; commands of one user keep their order;
 *   - `nothrow` covers exit statuses only: a lost connection still throws.
 */
import { createWriteStream, type WriteStream } from 'node:fs'
import { createRequire } from 'node:module'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { Options, ProcessOutput, ProcessPromise } from 'zx/core'
import { isSecret, type Secret } from '../shell/secret.ts'
import { quoteValue } from '../shell/template.ts'
import {
  type CommandRequest,
  type CommandRunner,
  createRemoteProcess,
  type RemoteProcess,
} from './remote-process.ts'

/** zx's options that make sense on a host. */
export type DollarOptions = Partial<
  Pick<
    Options,
    | 'cwd'
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
> & {
  /** The user to run it as; default: the connection's. */
  as?: string
  /** What it is called, where the command itself says nothing to people. Default: its first line. */
  title?: string
  env?: Readonly<Record<string, string | number | Secret | undefined>>
  input?: string | Buffer | Secret | Readable | ProcessOutput | ProcessPromise
  /** Standard input that is passed on while the command runs, however long it is; it is destroyed at its end. */
  stream?: Readable
  /** Leaves the output out of the result, because there may be a lot: only streams and events get it. */
  discard?: boolean
}

/** `$`: runs a template as a command; `$({ nothrow: true })` is a `$` with other options. */
export interface Dollar {
  (pieces: TemplateStringsArray, ...values: unknown[]): ProcessPromise
  (options: DollarOptions): Dollar
}

export type { ProcessOutput, ProcessPromise }

/** What a failed command's ProcessOutput has beside zx's own properties. */
export interface FailedCommand {
  command: string
  /** What it is called instead. */
  title?: string
  /** The recipe's line. */
  at?: string
}

type Zx = typeof import('zx/core')

/** zx is slow to load: only recipes that use `$` load it. */
let loaded: Zx | undefined
const zx = (): Zx => {
  loaded ??= createRequire(import.meta.url)('zx/core') as Zx
  return loaded
}

/** Captures the caller's place; the function that it returns is called only if something fails. */
type Locate = () => () => string | undefined

/**
 * @param run how a command runs on this host
 * @param locate the recipe's line that calls `$`
 */
export function createDollar(
  run: CommandRunner,
  locate: Locate = () => () => undefined,
  base: DollarOptions = {},
): Dollar {
  const dollar = (first: TemplateStringsArray | DollarOptions, ...values: unknown[]) =>
    isTemplate(first)
      ? start(run, locate, base, first, values)
      : createDollar(run, locate, { ...base, ...first })
  return dollar as Dollar
}

const isTemplate = (value: unknown): value is TemplateStringsArray => Array.isArray(value)

function start(
  run: CommandRunner,
  locate: Locate,
  options: DollarOptions,
  pieces: TemplateStringsArray,
  values: unknown[],
): ProcessPromise {
  const at = locate()
  const { input, stream: _flow, env, signal, as: _, title, discard, ...rest } = options
  const child = createRemoteProcess(run, error => {
    // A command that never ran has no exit status.
    if (error !== undefined) promise.nothrow(false)
    inside(promise)._snapshot.from = at() ?? ''
  })
  let piped = false
  let settled = false
  const promise: ProcessPromise = zx().$({
    // Everything that zx would read from the environment of this process.
    timeout: 0,
    timeoutSignal: 'SIGTERM',
    killSignal: 'SIGTERM',
    ...rest,
    ...(signal && { signal }),
    shell: 'sh',
    env: {},
    prefix: '',
    postfix: '',
    quote: quoteValue as Options['quote'],
    preferLocal: false,
    detached: false,
    verbose: false,
    log: () => {},
    store: discard ? nothing() : stdoutOnly(),
    spawn: ((command: string) => {
      child.run(() => withInput(request(command, options), options, child, piped))
      return child
    }) as unknown as Options['spawn'],
  })(pieces, ...(values.map(checkValue) as never[]))

  const end = (word?: string) => child.end(word ?? options.killSignal ?? 'SIGTERM')
  // zx would signal a process of this machine, and run the target of a pipe on this machine.
  const pipe = onHost(promise.pipe, createDollar(run, locate, { signal: promise.signal }))
  Object.defineProperties(promise, {
    kill: {
      value: (word?: string) => {
        if (settled) throw new Error('Too late to kill the process.')
        return end(word)
      },
    },
    pipe: { value: pipe },
    // Node's streams emit this when they are piped here; zx ignores it.
    emit: {
      value: (event: string) => {
        if (event === 'pipe') piped = true
        return promise
      },
    },
  })
  // zx's own promises emit it as well. `on` is public in fact, private in zx's types.
  inside(promise).on('pipe', () => {
    piped = true
  })
  if (input instanceof Promise) input.pipe(promise)

  const abort = () => void end('SIGTERM')
  const { signal: abortSignal } = promise
  if (abortSignal.aborted) abort()
  abortSignal.addEventListener('abort', abort)
  // Not `then`: that would count as handling the rejection.
  const { finalize } = inside(promise)
  Object.defineProperty(promise, 'finalize', {
    value: (output: ProcessOutput) => {
      settled = true
      abortSignal.removeEventListener('abort', abort)
      if (!output.ok)
        Object.assign(output, { command: promise.cmd, title, at: at() } satisfies FailedCommand)
      finalize.call(promise, output)
    },
  })
  return promise
}

/** Members of zx's promise that are private in its types only. */
const inside = (promise: ProcessPromise) =>
  promise as unknown as {
    _snapshot: { from: string }
    finalize(output: ProcessOutput): void
    on(event: string, listener: () => void): void
  }

/** Refuses secrets. zx turns values into text before it quotes them: a secret would become stars. */
function checkValue(value: unknown): unknown {
  if (isSecret(value)) quoteValue(value)
  if (Array.isArray(value)) return value.map(checkValue)
  return value instanceof Promise ? value.then(checkValue) : value
}

/** zx's `pipe`, with templates run by `dollar`. */
function onHost(pipe: ProcessPromise['pipe'], dollar: Dollar): ProcessPromise['pipe'] {
  const wrap =
    (method: (to: never) => unknown) =>
    (to: unknown, ...values: unknown[]) => {
      const target = isTemplate(to) ? dollar(to, ...values) : to
      return method((typeof target === 'string' ? fileStream(target) : target) as never)
    }
  const { stdout, stderr, stdall } = pipe
  return Object.assign(wrap(pipe), {
    stdout: wrap(stdout),
    stderr: wrap(stderr),
    stdall: wrap(stdall),
  }) as unknown as ProcessPromise['pipe']
}

/**
 * A local file to pipe to. zx emits an event of its own when all data has been passed on, and then considers
 * the file written: without that event it waits until everything is written.
 */
function fileStream(path: string): WriteStream {
  const stream = createWriteStream(path)
  const { emit } = stream
  stream.emit = (event: string | symbol, ...values: unknown[]) =>
    typeof event === 'symbol' && event.description === 'end-piped-from'
      ? true
      : emit.call(stream, event, ...values)
  return stream
}

function request(
  command: string,
  { as, title, shell, cwd, env = {}, input, stream }: DollarOptions,
): CommandRequest {
  const given = Object.entries(env).filter(([, value]) => value !== undefined)
  const secrets = [...Object.values(env), input].filter(isSecret)
  return {
    command,
    title,
    as,
    shell: typeof shell === 'string' ? shell : 'sh',
    cwd: String(cwd ?? ''),
    stream,
    env: Object.fromEntries(
      given.map(([name, value]) => [name, isSecret(value) ? value.reveal() : String(value)]),
    ),
    secrets: secrets.map(secret => secret.reveal()),
  }
}

function withInput(
  wanted: CommandRequest,
  { input }: DollarOptions,
  { stdin }: RemoteProcess,
  piped: boolean,
): CommandRequest | Promise<CommandRequest> {
  const read = async (stream: Readable) => ({ ...wanted, input: await buffer(stream) })
  if (input === undefined || input instanceof Promise) {
    const written = stdin.readableLength > 0 || stdin.writableEnded
    return piped || written ? read(stdin) : wanted
  }
  if (isSecret(input)) return { ...wanted, input: Buffer.from(input.reveal()) }
  if (typeof input === 'string' || Buffer.isBuffer(input)) {
    return { ...wanted, input: Buffer.from(input) }
  }
  return 'exitCode' in input ? { ...wanted, input: Buffer.from(input.stdout) } : read(input)
}

/** A store for zx that keeps nothing. */
function nothing(): Options['store'] {
  const none = () => Object.defineProperty([], 'push', { value: () => 0 })
  return { stdout: none(), stderr: none(), stdall: none() }
}

/** A store for zx whose third list keeps standard output only. */
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
