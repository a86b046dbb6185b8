/** The look of the output: colour or none, symbols or ASCII. Decided once, from the terminal. */
import type { HostStatus, StepStatus } from '../events.ts'

/** A stream for text: `process.stderr`, or a fake one in tests. */
export interface OutputStream extends NodeJS.WritableStream {
  isTTY?: boolean
  columns?: number
  rows?: number
}

export type Environment = Record<string, string | undefined>

/** The status of a node: its result, or that it has not ended. */
export type Status = HostStatus | StepStatus | 'waiting' | 'running'

export type Look = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan'

export interface Symbols {
  status: Record<Exclude<Status, 'running'>, string>
  spinner: readonly string[]
  /** Between host, task and step. */
  path: string
  next: string
  bar: string
  ellipsis: string
  dot: string
}

/** Everything that the drawing functions need to know about the terminal except its size. */
export interface Theme {
  color: boolean
  unicode: boolean
  symbols: Symbols
}

// None of these is an emoji, because terminals disagree on the width of emoji.
const unicode: Symbols = {
  status: {
    ok: '✓',
    changed: '●',
    failed: '✗',
    unknown: '?',
    uncertain: '?',
    unreachable: '✗',
    locked: '✗',
    interrupted: '✗',
    skipped: '○',
    waiting: '·',
  },
  spinner: ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'],
  path: '›',
  next: '→',
  bar: '│',
  ellipsis: '…',
  dot: '·',
}

const plainAscii: Symbols = {
  status: {
    ok: '=',
    changed: '*',
    failed: 'x',
    unknown: '?',
    uncertain: '?',
    unreachable: 'x',
    locked: 'x',
    interrupted: 'x',
    skipped: 'o',
    waiting: '.',
  },
  spinner: ['|', '/', '-', '\\'],
  path: '>',
  next: '->',
  bar: '|',
  ellipsis: '...',
  dot: '-',
}

const codes: Record<Look, readonly [number, number]> = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
}

const looks: Record<Status, Look> = {
  ok: 'green',
  changed: 'yellow',
  failed: 'red',
  unknown: 'red',
  uncertain: 'red',
  unreachable: 'red',
  locked: 'red',
  interrupted: 'red',
  skipped: 'dim',
  waiting: 'dim',
  running: 'cyan',
}

export function createTheme(options: { color: boolean; unicode: boolean }): Theme {
  return { ...options, symbols: options.unicode ? unicode : plainAscii }
}

/** The theme for a stream: see {@link useColor} and {@link useUnicode}. */
export function themeFor(stream: OutputStream, env: Environment): Theme {
  return createTheme({ color: useColor(stream, env), unicode: useUnicode(env) })
}

/**
 * Whether to colour output to `stream`. FORCE_COLOR decides if it is set; else a terminal, unless NO_COLOR
 * (no-color.org) or TERM=dumb is set.
 */
export function useColor(stream: OutputStream, env: Environment): boolean {
  const force = env.FORCE_COLOR
  if (force !== undefined) return force !== '0' && force !== 'false'
  return stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb'
}

/** Whether the locale uses UTF-8, in POSIX’s order of precedence. */
export function useUnicode(env: Environment): boolean {
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || '')
}

/** `text` in a colour, if colours are on. */
export function paint(theme: Theme, text: string, look?: Look): string {
  if (!theme.color || look === undefined || text === '') return text
  const [on, off] = codes[look]
  return `\x1b[${on}m${text}\x1b[${off}m`
}

export function statusLook(status: Status): Look {
  return looks[status]
}

/** The name of a status. With `--check` nothing was changed, so no status is called `changed`. */
export function statusWord(status: Status, check: boolean): string {
  return status === 'changed' && check ? 'would change' : status
}
