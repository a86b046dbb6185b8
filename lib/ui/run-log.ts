/**
 * The run’s log: all events of a run as JSON lines in a file on the controller, with the complete output of
 * steps, of which a terminal shows only a part. It has the same content as `--output json`, with the same
 * secrets hidden.
 */
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import type { Subscriber } from '../events.ts'
import { makeDirectory } from '../make-directory.ts'
import { jsonLine } from './json.ts'
import type { Kept } from './output-lines.ts'
import type { Environment } from './theme.ts'

export interface RunLog extends Kept {
  subscriber: Subscriber
  /** Writes the rest and removes the oldest logs. Call it after the last event. */
  end(): void
  /** The path of the log, if the output referred to it or the run `failed`. */
  place(failed: boolean): string | undefined
}

/** Limits for all logs together. Runs by number, sizes in bytes. */
export interface LogLimits {
  runs: number
  total: number
  /** The limit of one log; beyond it, step output is left out. */
  each: number
}

const limits: LogLimits = { runs: 100, total: 4 * 2 ** 30, each: 2 * 2 ** 30 }

/** Events are written when this many characters are waiting, or after this many milliseconds. */
const chunk = 65_536
const patienceMs = 100

/** The default directory of logs. XDG Base Directory Specification: a relative path is ignored. */
export function logDirectory(env: Environment): string {
  const state = env.XDG_STATE_HOME ?? ''
  const base = isAbsolute(state) ? state : join(env.HOME || homedir(), '.local', 'state')
  return join(base, 'hostwright', 'runs')
}

/**
 * The log of one run. Nothing is opened before the first event. If it can’t be written, `warn` is called
 * once, and the run goes on without a log.
 *
 * Writes are synchronous, in chunks: output that arrives faster than the disk can write waits on the host.
 * @param options.run id of the run
 * @param options.wanted `--log`: a file, `none`, or undefined for the default path
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
        if (directory) makePrivateDirectory(directory)
        handle = openLog(file, directory !== undefined)
        state = 'open'
      }
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at)
      size += bytes.length
    } catch (error) {
      give(error)
    }
  }
  // After process.exit, only synchronous code runs.
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

/**
 * Creates a private directory; neither it nor its parent may be a link, which somebody else may have created.
 */
function makePrivateDirectory(path: string): void {
  makeDirectory(path, 0o700)
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

/** Opens a private file; never through a link. */
function openLog(path: string, fresh: boolean): number {
  const { O_WRONLY, O_CREAT, O_APPEND, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants
  // Opening a pipe without a reader would block.
  const flags = O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NONBLOCK | (fresh ? O_EXCL : 0)
  const handle = openSync(path, flags, 0o600)
  try {
    const found = fstatSync(handle)
    if (!found.isFile()) throw new Error(`${path} is not a file`)
    if (!isOurs(found)) throw new Error(`${path} belongs to another user`)
    // With --log, the file may already exist.
    if ((found.mode & 0o077) !== 0) fchmodSync(handle, 0o600)
  } catch (error) {
    closeSync(handle)
    throw error
  }
  return handle
}

const isOurs = ({ uid }: { uid: number }) => uid === (process.geteuid?.() ?? uid)

/** Log names sort by time: see the id of a run in lib/cli/run-id.ts. */
const ours = /^\d{8}T\d{6}Z-[0-9a-f]{6}\.jsonl$/

/** Removes the oldest logs beyond a number and a size. Files with other names and `newest` stay. */
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
    // Another run is doing the same right now, or the next one will.
  }
}
