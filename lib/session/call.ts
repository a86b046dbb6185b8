/** Calls of prelude functions, as data: what resources compile to and a session sends. */

/** Content that travels only if the host does not have it. */
export interface Content {
  /** SHA-256, hexadecimal. */
  sha256: string
  bytes: Buffer
}

/** One call of a prelude function. */
export interface HostCall {
  /** Name of the function, `hw_file`. */
  name: string
  args: readonly string[]
  /** Sent as a function that prints it when the host asks; its name becomes the last argument. */
  content?: Content
  /** Standard input of a command: sent along as the function hw_input_ID. */
  input?: Buffer
  /** What the batch finds out beforehand, for all its calls with one process each. */
  gather?: {
    stat?: string
    sum?: string
    ini?: { path: string; format: 'ini' | 'words'; requests: readonly string[] }
  }
}

/** How a step ended on the host. `need`: it waits for content. */
export type CallStatus = 'ok' | 'changed' | 'failed' | 'skipped' | 'need'

export interface CallResult {
  status: CallStatus
  exitStatus: number
  /** Error code the host's side gave, or `-`. */
  code: string
  /** What changed, in a few words. */
  note: string
  stdout: Buffer
  stderr: Buffer
  /** Texts the step sent under a name: `facts`, `file server.ini`, `old`, `new`. */
  parts: Map<string, Buffer>
}
