/**
 * HOSTWRIGHT_TRACE=<dir>: the traces of a run's sessions, one file each, readable only by the user and without
 * secrets. They are written while the run goes on, so that a run that hangs or is killed leaves them. A secret that
 * becomes known later is removed from what was written before.
 */

import { createHash, randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  ftruncateSync,
  lstatSync,
  openSync,
  readFileSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { UsageError } from '../errors.ts'
import { makeDirectory } from '../make-directory.ts'
import { createRedactor, withStars } from '../shell/redact.ts'
import { createSearch, type Form, type Search } from '../shell/search.ts'
import { createSessionTrace, type SessionTrace, type Sign, type TraceSink } from './trace.ts'

/** Whose session it is, and what to hide in its trace. */
export interface TracedSession {
  host: string
  user: string
  /** All that the run hides on this host now. Returns another array if there is more to hide. */
  forms(): readonly Form[]
}

export interface Tracer {
  session(of: TracedSession): SessionTrace
  /** Hides what was typed, in all traces. */
  hide(values: Iterable<string>): void
  /** Writes what is left. Call it when no more secrets can become known. */
  close(): void
}

/** Entries are written when this many characters wait, or after this many milliseconds. */
const chunk = 65_536
const patienceMs = 100

/**
 * Creates the directory if it does not exist, and checks that files can be created in it.
 * @throws {UsageError} invalid_value
 */
export function prepareTraceDirectory(path: string): void {
  const refuse = (reason: string, cause?: unknown) =>
    new UsageError('invalid_value', `HOSTWRIGHT_TRACE=${path} can’t be used: ${reason}`, {
      cause,
      hint: 'Name a directory that you own; it is created if it does not exist.',
    })
  try {
    if (makeDirectory(path, 0o700)) chmodSync(path, 0o700)
    const { uid, mode } = statSync(path)
    const own = process.geteuid?.() ?? uid
    if (uid !== own) throw refuse('it belongs to another user')
    // Whoever made a link chooses which of our directories the files get into.
    const { uid: linkedBy } = lstatSync(path)
    if (linkedBy !== own && linkedBy !== 0) throw refuse('it is a link of another user')
    if ((mode & 0o022) !== 0) throw refuse('others may write to it')
    const probe = join(path, `.probe-${randomBytes(8).toString('hex')}`)
    const handle = openSync(probe, 'wx', 0o600)
    try {
      writeSync(handle, '\n')
    } finally {
      closeSync(handle)
      unlinkSync(probe)
    }
  } catch (error) {
    if (error instanceof UsageError) throw error
    throw refuse((error as Error).message, error)
  }
}

/**
 * @param directory from `prepareTraceDirectory`
 * @param options.run id of the run
 * @param options.warn called once if traces can no longer be written: the run continues
 * @param options.now clock in milliseconds since the epoch; replaced in tests
 */
export function createTracer(
  directory: string,
  options: { run: string; warn(message: string): void; now?: () => number },
): Tracer {
  const { run, now = Date.now } = options
  const typed = createRedactor()
  const files: TraceFile[] = []
  const counts = new Map<string, number>()
  let broken = false
  const attempt = (write: () => void) => {
    if (broken) return
    try {
      write()
    } catch (error) {
      broken = true
      options.warn(`traces can no longer be written: ${(error as Error).message}`)
    }
  }
  const flushAll = () => {
    for (const file of files) attempt(file.flush)
    if (!broken) return
    // Even if nothing more can be written, as on a full disk, secrets that became known since must be removed.
    for (const file of files) {
      try {
        file.clean()
      } catch {
        // It was reported that traces can't be written.
      }
    }
  }
  // After process.exit, only synchronous code runs.
  process.on('exit', flushAll)
  return {
    session: of => {
      const name = `${safeName(of.host)}-${safeName(of.user)}`
      const head = (number: number) => headOf(of, { number, run, at: now() })
      const forms = () => [of.forms(), typed.forms] as const
      let file: TraceFile | undefined
      attempt(() => {
        const made = createFile(directory, name, (counts.get(name) ?? 0) + 1)
        counts.set(name, made.number)
        file = traceFile(made.path, head(made.number), forms, now)
        files.push(file)
      })
      let waiting = 0
      let timer: NodeJS.Timeout | undefined
      const flush = () => {
        clearTimeout(timer)
        timer = undefined
        waiting = 0
        if (file) attempt(file.flush)
      }
      const sink: TraceSink = {
        entry: (sign, text) => {
          if (!file || broken) return
          file.add(sign, text)
          waiting += text.length
          if (waiting > chunk) flush()
          else timer ??= setTimeout(flush, patienceMs).unref()
        },
        flush,
      }
      return createSessionTrace(sink)
    },
    hide: typed.hide,
    close: () => {
      flushAll()
      process.off('exit', flushAll)
    },
  }
}

interface TraceFile {
  add(sign: Sign, text: string): void
  /** Writes what was added, and removes secrets from the file that became known since. */
  flush(): void
  /** Removes from the file what has become known as a secret. */
  clean(): void
}

type Forms = readonly (readonly Form[])[]

function traceFile(
  path: string,
  head: string,
  formsNow: () => Forms,
  now: () => number,
): TraceFile {
  const since = now()
  let entries: { at: number; sign: Sign; text: string }[] = []
  let known: Forms = formsNow()
  let find: Search = createSearch(known.flat())
  let begun = false
  const clean = () => {
    const forms = formsNow()
    if (forms.every((list, at) => list === known[at])) return
    known = forms
    find = createSearch(forms.flat())
    if (begun) cleanFile(path, forms.flat())
  }
  return {
    add: (sign, text) => void entries.push({ at: now() - since, sign, text }),
    clean,
    flush: () => {
      clean()
      const lines = entries.map(({ at, sign, text }) =>
        formatEntry(at, sign, withStars(text, find(text))),
      )
      entries = []
      if (!begun) lines.unshift(head)
      begun = true
      append(path, lines.join(''))
    },
  }
}

/** `   0.046 <  end 1 ok 0`; further lines are indented. */
function formatEntry(atMs: number, sign: Sign, text: string): string {
  const [first, ...more] = visible(text).split('\n')
  const time = (atMs / 1000).toFixed(3).padStart(8)
  return [`${time} ${sign}  ${first}\n`, ...more.map(line => `${' '.repeat(12)}${line}\n`)].join('')
}

/** Control characters as escapes: a trace may be shown in a terminal, whatever a host sent. */
const visible = (text: string) =>
  text.replace(/(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, char => {
    const code = char.codePointAt(0)!.toString(16)
    return code.length > 2 ? `\\u{${code}}` : `\\x${code.padStart(2, '0')}`
  })

function headOf(
  { host, user }: TracedSession,
  { number, run, at }: { number: number; run: string; at: number },
): string {
  return visible(
    [
      `# hostwright trace: host ${host}, user ${user}, session ${number}, run ${run}`,
      `# Seconds since ${new Date(at).toISOString()}, then who acts:`,
      '#   > we write   < standard output   ! standard error   - what happens',
      '# Output of steps has a bar before each line. A step ends with: end ID STATUS EXIT CODE NOTE',
      '# Secrets are ********. docs/protocol.md explains the rest.',
      '',
    ].join('\n'),
  )
}

const { O_WRONLY, O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW, O_RDWR } = constants

/** Creates the file of the first free number, starting at `from`. */
function createFile(directory: string, name: string, from: number) {
  for (let number = from; ; number++) {
    const path = join(directory, `${name}-${number}.trace`)
    try {
      const handle = openSync(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600)
      // A default ACL of the directory may have widened the mode.
      fchmodSync(handle, 0o600)
      closeSync(handle)
      return { path, number }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

function append(path: string, text: string) {
  if (text === '') return
  const handle = openSync(path, O_WRONLY | O_APPEND | O_NOFOLLOW)
  try {
    writeAll(handle, text)
  } finally {
    closeSync(handle)
  }
}

/** Removes forms from a file. Control characters in it are escaped, so the forms are searched for escaped too. */
function cleanFile(path: string, forms: readonly Form[]) {
  const handle = openSync(path, O_RDWR | O_NOFOLLOW)
  try {
    const text = readFileSync(handle, 'utf8')
    const shown = forms.map(form => ({ ...form, text: visible(form.text) }))
    const clean = withStars(text, createSearch([...forms, ...shown])(text))
    if (clean === text) return
    ftruncateSync(handle)
    writeAll(handle, clean, 0)
  } finally {
    closeSync(handle)
  }
}

function writeAll(handle: number, text: string, from?: number) {
  const bytes = Buffer.from(text)
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(handle, bytes, at, undefined, from === undefined ? undefined : from + at)
  }
}

const longestName = 80

/** A safe part of a file name, for any text: other characters become %XX, a long text is cut and gets a hash. */
function safeName(text: string): string {
  const safe = [...Buffer.from(text)]
    .map(byte => {
      const char = String.fromCharCode(byte)
      return /[\w.-]/.test(char) ? char : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`
    })
    .join('')
    .replace(/^\./, '%2E')
  if (safe.length <= longestName) return safe
  return `${safe.slice(0, longestName)}~${createHash('sha256').update(text).digest('hex').slice(0, 12)}`
}
