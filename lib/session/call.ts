/** Calls of prelude functions: resources compile to them, sessions send them. The host may ask a call for more. */
import type { Readable } from 'node:stream'
import type { ShellStream } from '../transport/transport.ts'

/** Content that is sent only if the host does not have it. */
export interface Content {
  /** SHA-256, hexadecimal. */
  sha256: string
  /** Absent if it is too large for the script: the call's `answer` sends it, see upload.ts. */
  bytes?: Buffer
}

/** What a step that ended with `need` gets for its second try. */
export interface Answer {
  /** Further arguments of the call. */
  args?: readonly string[]
  /** Sent as a function that prints it; its name is the last argument, `content=NAME`. */
  content?: Buffer
  /** Makes the step fail instead. */
  failure?: { message: string; code?: string }
}

/** A step that ended with `need`, as seen by the code that answers it. */
export interface Asked {
  /** What it sent: named texts in `parts`, other markers in `marks`. */
  result: StepResult
  /** bootstrap_dir on the host; empty in sessions of users other than the connection's. */
  bootstrapDir: string
  /** Opens another shell of the same user, for content that is too large for the script. */
  open(): Promise<ShellStream>
  /** Aborted by Ctrl-C: the input of these shells is then ended, and their output discarded. */
  signal: AbortSignal
  /** Reports the progress of a transfer, in bytes. Call it as often as you like: it is shown a few times a second. */
  progress(done: number, total: number): void
  /** Whether this is a dry run. */
  check: boolean
  /** Whether to send the old and new text of what changes. */
  diff: boolean
}

/** The result of editing a text file: empty if the file is already as wanted. */
export interface Edit {
  content?: Buffer
  /** What changes, in a few words. */
  note?: string
  failure?: Answer['failure']
}

/** What a step wants to know beforehand. All steps of a segment that name the same function share one call. */
export interface Gather {
  /** The shell function. Its arguments are the ids of the steps, as one word, then what each step asks. */
  by: string
  /** What to ask: the same number of words from each step, or words that are their own names. */
  of: readonly string[]
  /** Lines for its standard input, step after step. */
  input?: readonly string[]
  /** Ask only if the step runs in any case: it has no condition and is not a handler. */
  certain?: boolean
}

/** A call that can't be asked whether it is done: the host remembers it, see lib/remote/effect.sh. */
export interface HostEffect {
  /** Letters and digits: the same in every attempt of a run. */
  key: string
  /** What people call it. */
  title: string
  /** It may run again if its end is not known. */
  again?: boolean
  /** Command that succeeds if it is done, asked if its end is not known. */
  verify?: string
  /** The user whose command it is, if not the session's. */
  user?: string
  /** It is an upgrade script, in this direction: its intent says when it runs again. */
  part?: 'forward' | 'back'
}

/** What the host's log says of a call that changes something: see lib/remote/log.sh. */
export interface Logged {
  /** What people call it, without secrets. */
  title: string
  /** What is said where it succeeds, whether or not it says that it changed something. */
  always?: 'ran' | 'changed'
}

/** One call of a prelude function. */
export interface HostCall {
  /** Name of the function, `hw_file`. */
  name: string
  args: readonly string[]
  /** Sent as a function that prints it when the host asks; its name is the last argument, `content=NAME`. */
  content?: Content
  /**
   * Makes the call that is sent, if that takes time, such as hashing a large source. Called when
   * its segment begins; if it throws, the step fails.
   */
  prepare?(): Promise<HostCall>
  /** Called each time the step ends with `need`. Throws only for faults of the controller, not of the host. */
  answer?(asked: Asked): Promise<Answer>
  /**
   * A text file edited on the controller: the host sends the texts of all such files when the segment begins,
   * and `change` returns the new one; its argument is undefined if there is no file. See lib/resources/data/edit.sh.
   */
  edit?: { path: string; change(text: Buffer | undefined): Promise<Edit> }
  /** Standard input of a command, sent as the function hw_input_ID. */
  input?: Buffer
  /** Standard input of a command that comes while it runs: see stream-input.ts. */
  stream?: Readable
  /** What the segment gathers beforehand: one process for all its calls. */
  gather?: readonly Gather[]
  /** Set where it is to run once a run, under a lock. */
  effect?: HostEffect
  /** Where the host keeps a log. */
  logged?: Logged
}

/** How a step ended on the host. `need`: it waits for content. */
export type CallStatus = 'ok' | 'changed' | 'failed' | 'skipped' | 'need'

export interface StepResult {
  status: CallStatus
  exitStatus: number
  /** Error code that the host reported, or `-`. */
  code: string
  /** What changed, in a few words. */
  note: string
  stdout: Buffer
  stderr: Buffer
  /** Texts that the step sent under a name: `facts`, `file server.ini`, `old`, `new`, `text`. */
  parts: Map<string, Buffer>
  /** Other markers that it sent, as words: `saw 3 f00d…`. */
  marks: string[][]
}
