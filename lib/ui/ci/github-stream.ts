/**
 * The log of GitHub Actions, which obeys lines of its own form, workflow commands, whoever wrote them: what a host
 * prints must not be one. The forms are those that the runner parses (src/Runner.Common/ActionCommand.cs in
 * actions/runner): `::name key=value::data` at the beginning of a line, after white space, and `##[name]data` anywhere
 * in a line.
 */
import { isUtf8 } from 'node:buffer'
import type { Environment, OutputStream } from '../theme.ts'

export const isGithub = (env: Environment): boolean => env.GITHUB_ACTIONS === 'true'

/** A stream to the log: nothing that is written to it is a command, but for what `command` writes. */
export interface GithubStream extends OutputStream {
  /** Writes a workflow command as a line of its own. */
  command(line: string): void
}

export const isGithubStream = (stream: OutputStream): stream is GithubStream => 'command' in stream

/** White space to the runner, which may stand before a command. */
const blank = /^[\s\x85]*$/

const wholeCommand = /^([\s\x85]*):(?=:[A-Za-z])/
const openCommand = /^([\s\x85]*):(?=:[A-Za-z]|:?$)/

/**
 * Makes texts harmless that come in any parts. A command loses its first character to an escape that JSON has too:
 * `\u003a:set-output`, `#\u0023[error]`. All other text stays as it is.
 */
export function createGuard(): (text: string) => string {
  // Of the line so far: whether it is blank, and the end of it that may be the beginning of a command.
  let blankSoFar = true
  let held = ''
  return text => {
    const whole = held + text
    // The writer’s last write, which waits for all before it, is empty.
    held = text === '' ? '' : (/##?$/.exec(whole)?.[0] ?? '')
    let shown = whole.slice(0, whole.length - held.length)
    const lines = shown.split(/([\r\n])/)
    shown = lines
      .map((line, index) => {
        const starts = index > 0 || blankSoFar
        // How the last line goes on is not known yet.
        const command = index < lines.length - 1 ? wholeCommand : openCommand
        return (starts ? line.replace(command, '$1\\u003a') : line).replaceAll('##[', '#\\u0023[')
      })
      .join('')
    const last = lines.at(-1)!
    blankSoFar = (lines.length > 1 || blankSoFar) && blank.test(last)
    return shown
  }
}

/** `stream` as the log of GitHub Actions. */
export function githubStream(stream: OutputStream): GithubStream {
  const guard = createGuard()
  let lineOpen = false
  const harmless = (chunk: string | Uint8Array): string | Uint8Array => {
    if (typeof chunk !== 'string') {
      // One character for each byte, so that what is not UTF-8 stays unchanged.
      const bytes = Buffer.from(chunk)
      const encoding = isUtf8(bytes) ? 'utf8' : 'latin1'
      return Buffer.from(guard(bytes.toString(encoding)), encoding)
    }
    return guard(chunk)
  }
  const write = (chunk: string | Uint8Array, ...more: unknown[]) => {
    const shown = harmless(chunk)
    if (shown.length > 0) lineOpen = ![10, '\n'].includes(shown.at(-1)!)
    return (stream.write as (chunk: string | Uint8Array, ...more: unknown[]) => boolean)(
      shown,
      ...more,
    )
  }
  const guarded = {
    write,
    command: (line: string) => {
      if (lineOpen) write('\n')
      stream.write(`${line}\n`)
    },
    get isTTY() {
      return stream.isTTY
    },
    get columns() {
      return stream.columns
    },
    get rows() {
      return stream.rows
    },
    get _handle() {
      return (stream as { _handle?: unknown })._handle
    },
  }
  for (const name of ['on', 'once', 'off', 'removeListener', 'emit', 'end'] as const)
    Object.assign(guarded, { [name]: stream[name]?.bind(stream) })
  return guarded as unknown as GithubStream
}
