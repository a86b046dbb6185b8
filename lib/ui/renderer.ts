/** The interface of a renderer of the event stream, and its options. */
import type { Subscriber } from '../events.ts'
import type { Kept } from './output-lines.ts'
import type { Environment, OutputStream } from './theme.ts'

/** The output streams and environment; `process` satisfies it. */
export interface Output {
  stdout: OutputStream
  stderr: OutputStream
  env: Environment
}

export interface Renderer {
  /** The subscriber for the event stream of one run. */
  subscriber: Subscriber
  /** Resolves when everything has been drawn and handed to the system. Call it once, after the last event. */
  end(): Promise<void>
  /** Gives the terminal to a prompt: nothing is drawn until `resume`. */
  pause?(): void
  resume?(): void
}

export interface RenderOptions {
  output: Output
  /** Also show unchanged steps and the output of steps. */
  verbose: boolean
  /** Show the diffs of changed files. */
  diff: boolean
  /** The run’s log, for output that is not shown. */
  log?: Kept
}
