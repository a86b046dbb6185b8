/**
 * The run's log: all events of a run as JSON lines in a file of its own on the controller, with the whole
 * output of steps, of which a terminal shows a part. It is what `--output json` has, secrets hidden alike.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import type { Subscriber } from '../events.ts'
import { jsonLine } from './json.ts'
import type { Kept } from './output-lines.ts'
import type { Environment } from './theme.ts'

export interface RunLog extends Kept {
  subscriber: Subscriber
  /** Writes what is left and takes the oldest logs away. Call it after the last event. */
  end(): void
  /** Where the log is, if somebody was told to look there, or `failed` says that he may want to. */
  place(failed: boolean): string | undefined
}

/** Limits of what is kept of all runs together. Runs in number, sizes in bytes. */
export interface LogLimits {
  runs: number
  total: number
  /** Of one log; past that the output of steps is left out of it. */
  each: number
}

const limits: LogLimits = { runs: 100, total: 4 * 2 ** 30, each: 2 * 2 ** 30 }

/** Events are written when so many characters are waiting, or after so many milliseconds. */
const chunk = 65_536
const patienceMs = 100

/** Where logs are, unless `--log` says so. XDG Base Directory Specification: a relative path counts as none. */
export function logDirectory(env: Environment): string {
  const state = env.XDG_STATE_HOME ?? ''
  const base = isAbsolute(state) ? state : join(env.HOME || homedir(), '.local', 'state')
  return join(base, 'hostwright', 'runs')
}

/**
 * The log of one run. Nothing is opened before the first event. Where it can't be written, `warn` is told
 * once, and the run goes on without.
 *
 * Writes are synchronous, in chunks: output that comes faster than the disk takes it waits at the host.
 * @param options.run id of the run
 * @param options.wanted `--log`: a file, `none`, or undefined for the usual place
 */
export function createRunLog(options: {
  run: string
  wanted?: string
  cwd: string
  env: Environment
  warn: (message: string) => void
  limits?: LogLimits
}): RunLog {
  const { run, wanted, cwd, env, warn } = options
  const most = options.limits ?? limits
  const directory = wanted === undefined ? logDirectory(env) : undefined
  const file = directory ? join(directory, `${run}.jsonl`) : resolve(cwd, wanted!)
  let state: 'none' | 'waiting' | 'open' | 'closed' = wanted === 'none' ? 'none' : 'waiting'
  let handle = -1
  let size = 0
  let full = false
  let lines = ''
  let timer: NodeJS.Timeout | undefined
  let needed = false

  const give = (error: unknown) => {
    state = 'none'
    lines = ''
    warn(`the run’s log can’t be written: ${(error as Error).message}`)
  }
  const flush = () => {
    clearTimeout(timer)
    timer = undefined
    if (lines === '') return
    const bytes = Buffer.from(lines)
    lines = ''
    try {
      if (state === 'waiting') {
        if (directory) makeDirectory(directory)
        handle = openLog(file, directory !== undefined)
        state = 'open'
      }
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at)
      size += bytes.length
    } catch (error) {
      give(error)
    }
  }
  // An end by process.exit leaves no time for anything else.
  if (state === 'waiting') process.on('exit', flush)
  return {
    get kept() {
      return state !== 'none' && !full
    },
    cut: () => {
      needed = true
    },
    subscriber: event => {
      if (state === 'none' || state === 'closed') return
      if (size > most.each && event.type === 'step.output') {
        const first = !full
        full = true
        if (first) warn(`the run’s log has reached ${size} bytes: no more output is kept`)
        return
      }
      lines += `${jsonLine(event)}\n`
      if (lines.length >= chunk) flush()
      else timer ??= setTimeout(flush, patienceMs).unref()
    },
    end: () => {
      flush()
      process.off('exit', flush)
      if (state !== 'open') return
      state = 'closed'
      closeSync(handle)
      if (directory) removeOldest(directory, `${run}.jsonl`, most)
    },
    place: failed => (state === 'closed' && (failed || needed) ? file : undefined),
  }
}

/** The directory, ours alone; it and the one it is in are no links, which somebody else may have laid. */
function makeDirectory(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  for (const each of [dirname(path), path]) {
    const found = lstatSync(each)
    if (!found.isDirectory()) throw new Error(`${each} is not a directory`)
    if (!isOurs(found)) throw new Error(`${each} belongs to another user`)
    if ((found.mode & 0o077) === 0) continue
    const handle = openSync(each, constants.O_RDONLY | constants.O_DIRECTORY | constants.O_NOFOLLOW)
    try {
      fchmodSync(handle, 0o700)
    } finally {
      closeSync(handle)
    }
  }
}

/** A file for nobody else to read; never by way of a link. */
function openLog(path: string, fresh: boolean): number {
  const { O_WRONLY, O_CREAT, O_APPEND, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants
  // A pipe that nobody reads would be waited for.
  const flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | (fresh ? O_EXCL : 0)
  const handle = openSync(path, flags, 0o600)
  try {
    const found = fstatSync(handle)
    if (!found.isFile()) throw new Error(`${path} is not a file`)
    if (!isOurs(found)) throw new Error(`${path} belongs to another user`)
    // Named by --log, it may have been there before.
    if ((found.mode & 0o077) !== 0) fchmodSync(handle, 0o600)
  } catch (error) {
    closeSync(handle)
    throw error
  }
  return handle
}

const isOurs = ({ uid }: { uid: number }) => uid === (process.geteuid?.() ?? uid)

/** Names of logs sort by time: see the id of a run in lib/cli/run-id.ts. */
const ours = /^\d{8}T\d{6}Z-[0-9a-f]{6}\.jsonl$/

/** Takes the oldest logs away, past a number and a size. What has no name of ours stays, and so does `newest`. */
function removeOldest(directory: string, newest: string, most: LogLimits): void {
  let total = 0
  let count = 0
  try {
    const names = readdirSync(directory).filter(name => ours.test(name))
    names.sort((a, b) => (a === newest ? -1 : b === newest ? 1 : a < b ? 1 : -1))
    for (const name of names) {
      const path = join(directory, name)
      const found = lstatSync(path, { throwIfNoEntry: false })
      if (!found?.isFile()) continue
      count++
      total += found.size
      if (name !== newest && (count > most.runs || total > most.total)) unlinkSync(path)
    }
  } catch {
    // Another run does the same at this moment, or the next one will.
  }
}
