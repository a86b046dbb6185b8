/** Calls of prelude functions: what resources compile to and a session sends. Some can be asked for more later. */
import type { ShellStream } from '../transport/transport.ts'

/** Content that travels only if the host does not have it. */
export interface Content {
  /** SHA-256, hexadecimal. */
  sha256: string
  /** Absent where it is too large for the script: the call's `answer` sends it, see upload.ts. */
  bytes?: Buffer
}

/** What a step that ended with `need` gets with its second try. */
export interface Answer {
  /** Further arguments of the call. */
  args?: readonly string[]
  /** Sent as a function that prints it; its name is the last argument, `content=NAME`. */
  content?: Buffer
  /** The step fails instead. */
  failure?: { message: string; code?: string }
}

/** A step that ended with `need`, as seen by the code that answers it. */
export interface Asked {
  /** What it sent: `parts` have its texts, `marks` its other markers. */
  result: StepResult
  /** bootstrap_dir on the host; empty in sessions of other users than the connection's. */
  bootstrapDir: string
  /** Another shell beside the session's, of the same user: for what is too large for the script. */
  open(): Promise<ShellStream>
  /** Aborted by Ctrl-C: the input of such shells is then ended, their output is discarded. */
  signal: AbortSignal
  /** Reports how far a transfer is, in bytes. Call it as often as you like: it is shown a few times a second. */
  progress(done: number, total: number): void
  /** Whether this is a dry run. */
  check: boolean
  /** Whether the texts of what changes are wanted. */
  diff: boolean
}

/** What a text file becomes: nothing where it is as wanted already. */
export interface Edit {
  content?: Buffer
  /** What changes, in a few words. */
  note?: string
  failure?: Answer['failure']
}

/** What a step wants to know beforehand. All steps of a segment that name the same function share one call of it. */
export interface Gather {
  /** The shell function. It is called with the ids of the steps, as one word, and then what each asks of it. */
  by: string
  /** What to ask it of: words, the same number from each step, or words that are their own names. */
  of: readonly string[]
  /** Lines of its standard input; those of all steps follow one another. */
  input?: readonly string[]
  /** Left out where the step may be skipped: it has a condition, or is a handler. */
  certain?: boolean
}

/** One call of a prelude function. */
export interface HostCall {
  /** Name of the function, `hw_file`. */
  name: string
  args: readonly string[]
  /** Sent as a function that prints it when the host asks; its name is the last argument, `content=NAME`. */
  content?: Content
  /**
   * The call as it is sent, if it takes time to work out, such as hashing a large source. Called when
   * its segment begins; where it throws, the step fails.
   */
  prepare?(): Promise<HostCall>
  /** Called each time the step ends with `need`. Throws only for faults of the controller, not of the host. */
  answer?(asked: Asked): Promise<Answer>
  /**
   * A text file edited here: the host sends it, with all others of the segment at its beginning, and
   * `change` says what it becomes; undefined where there is none. See lib/resources/data/edit.sh.
   */
  edit?: { path: string; change(text: Buffer | undefined): Promise<Edit> }
  /** Standard input of a command: sent along as the function hw_input_ID. */
  input?: Buffer
  /** What the segment finds out beforehand, for all its calls with one process each. */
  gather?: readonly Gather[]
}

/** How a step ended on the host. `need`: it waits for content. */
export type CallStatus = 'ok' | 'changed' | 'failed' | 'skipped' | 'need'

export interface StepResult {
  status: CallStatus
  exitStatus: number
  /** Error code the host's side gave, or `-`. */
  code: string
  /** What changed, in a few words. */
  note: string
  stdout: Buffer
  stderr: Buffer
  /** Texts the step sent under a name: `facts`, `file server.ini`, `old`, `new`, `text`. */
  parts: Map<string, Buffer>
  /** Other markers it sent, as words: `saw 3 f00d…`. */
  marks: string[][]
}
