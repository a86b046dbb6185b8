/** The built command line, run as its users run it: a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { fileURLToPath } from 'node:url'

export const program = fileURLToPath(new URL('../../dist/lib/cli/main.js', import.meta.url))

/** The exit status and output of a command line. */
export interface Ended {
  status: number | null
  stdout: string
  stderr: string
}

export interface CliOptions {
  /** Working directory; default: a folder without a project. */
  cwd?: string
  /** Added to a plain environment; undefined removes a variable. */
  env?: Record<string, string | undefined>
}

export interface Running {
  child: ChildProcess
  ended: Promise<Ended>
  /** The output so far. */
  readonly stdout: string
  readonly stderr: string
  /** Resolves once standard error (or output) holds the text; rejects if the program ends without. */
  says(text: string): Promise<void>
}

/** Starts the built command line. Nothing of this terminal's own settings reaches it. */
export function startHostwright(words: readonly string[], options: CliOptions = {}): Running {
  if (!existsSync(program)) throw new Error(`${program} is missing: run the tests by npm test`)
  const { PATH, HOME, LANG, XDG_STATE_HOME } = process.env
  const child = spawn(process.execPath, [program, ...words], {
    cwd: options.cwd ?? tmpdir(),
    env: { PATH, HOME, LANG, XDG_STATE_HOME, ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const written = { stdout: '', stderr: '' }
  const listeners = new Set<() => void>()
  const report = () => {
    for (const listener of listeners) listener()
  }
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8')
    child[stream].on('data', (text: string) => {
      written[stream] += text
      report()
    })
  }
  let over = false
  const ended = once(child, 'close').then(([status]): Ended => {
    over = true
    report()
    return { status: status as number | null, ...written }
  })
  return {
    child,
    ended,
    get stdout() {
      return written.stdout
    },
    get stderr() {
      return written.stderr
    },
    says: text =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = `${written.stdout}\n${written.stderr}`.includes(text)
          if (!found && !over) return
          listeners.delete(look)
          if (found) resolve()
          else reject(new Error(`ended without ${JSON.stringify(text)}:\n${written.stderr}`))
        }
        listeners.add(look)
        look()
      }),
  }
}

/** Runs a command line to its end. */
export const hostwright = (words: readonly string[], options?: CliOptions): Promise<Ended> =>
  startHostwright(words, options).ended

/** The events of `--output json`; fails on a line that is not one. */
export const eventsOf = ({ stdout }: Ended): Record<string, never>[] =>
  stdout
    .split('\n')
    .filter(line => line !== '')
    .map(line => JSON.parse(line))
