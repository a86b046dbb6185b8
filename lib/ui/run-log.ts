/**
 * The run’s log: all events of a run as JSON lines in a file on the controller, with the complete output of
 * steps, of which a terminal shows only a part. It has the same content as `--output json`, with the same
 * secrets hidden.
 */
import { closeSync, writeSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Subscriber } from '../events.ts'
import { makePrivateDirectory, openPrivateFile, runsDirectory } from '../private-file.ts'
import { logFile } from '../rollout/journal/files.ts'
import { jsonLine } from './json.ts'
import type { Kept } from './output-lines.ts'
import type { Environment } from './theme.ts'

export interface RunLog extends Kept {
  subscriber: Subscriber
  /** Where it is, unless there is none. */
  readonly file: string | undefined
  /** Writes the rest. Call it after the last event. */
  end(): void
  /** The path of the log, if the output referred to it or the run `failed`. */
  place(failed: boolean): string | undefined
}

/** The most bytes of one log; beyond it, step output is left out. */
const mostBytes = 2 * 2 ** 30

/** Events are written when this many characters are waiting, or after this many milliseconds. */
const chunk = 65_536
const patienceMs = 100

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
  /** The run goes on: its log may be there. */
  resumed?: boolean
  cwd: string
  env: Environment
  warn: (message: string) => void
  /** Default: 2 GiB. */
  most?: number
}): RunLog {
  const { run, wanted, resumed = false, cwd, env, warn, most = mostBytes } = options
  const directory = wanted === undefined ? runsDirectory(env) : undefined
  const file = directory ? join(directory, logFile(run)) : resolve(cwd, wanted!)
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
        handle = openPrivateFile(file, {
          write: 'append',
          fresh: directory !== undefined && !resumed,
        })
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
    file: wanted === 'none' ? undefined : file,
    get kept() {
      return state !== 'none' && !full
    },
    cut: () => {
      needed = true
    },
    subscriber: event => {
      if (state === 'none' || state === 'closed') return
      if (size > most && event.type === 'step.output') {
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
    },
    place: failed => (state === 'closed' && (failed || needed) ? file : undefined),
  }
}
