/** The renderers of the event stream: a tree for a terminal, lines for a log, JSON for programs. */
import { UsageError } from '../errors.ts'
import type { Subscriber } from '../events.ts'
import { createJsonRenderer } from './json.ts'
import type { Kept } from './output-lines.ts'
import { createPlainRenderer } from './plain.ts'
import type { Environment, OutputStream } from './theme.ts'

/** Where output goes and what is known of the place; `process` satisfies it. */
export interface Output {
  stdout: OutputStream
  stderr: OutputStream
  env: Environment
}

export interface Renderer {
  /** To be subscribed to the event stream of one run. */
  subscriber: Subscriber
  /** Resolves when all is drawn and handed to the system. Call it once, after the last event. */
  end(): Promise<void>
  /** Leaves the terminal to somebody who asks there: nothing is drawn until `resume`. */
  pause?(): void
  resume?(): void
}

export interface RenderOptions {
  output: Output
  /** Also steps that changed nothing, and the output of steps. */
  verbose: boolean
  /** Show the diffs of changed files. */
  diff: boolean
  /** The run's log, for what is not shown. */
  log?: Kept
}

export type OutputMode = 'pretty' | 'plain' | 'json'

export const outputModes: readonly OutputMode[] = ['pretty', 'plain', 'json']

/**
 * The renderer of a mode. `pretty` draws on standard error and loads listr2 only here; `plain` writes
 * lines to standard error; `json` writes each event to standard output.
 */
export function createRenderer(
  mode: OutputMode,
  options: RenderOptions,
): Renderer | Promise<Renderer> {
  if (mode === 'json') return createJsonRenderer(options)
  if (mode === 'plain') return createPlainRenderer(options)
  return import('./pretty.ts').then(({ createPrettyRenderer }) => createPrettyRenderer(options))
}

/**
 * The mode that was asked for, else `pretty` on a terminal that can be drawn on and `plain` elsewhere:
 * in CI, with TERM=dumb, or where standard error is not a terminal.
 * @throws {UsageError} `invalid_value`: no such mode
 */
export function chooseMode(option: string | undefined, output: Output): OutputMode {
  if (option !== undefined) {
    const mode = outputModes.find(known => known === option)
    if (mode) return mode
    const hint = `Use one of: ${outputModes.join(', ')}`
    throw new UsageError('invalid_value', `unknown output mode ${JSON.stringify(option)}`, {
      hint,
    })
  }
  const { env, stderr } = output
  const inCi = !['', '0', 'false', undefined].includes(env.CI)
  return stderr.isTTY === true && !inCi && env.TERM !== 'dumb' ? 'pretty' : 'plain'
}
