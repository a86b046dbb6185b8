/** What a renderer of the event stream is, and what it is given. */
import type { Subscriber } from '../events.ts'
import type { Kept } from './output-lines.ts'
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
