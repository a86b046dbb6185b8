/**
 * A transport is whatever carries bytes to and from a shell on a host: SSH in process, a local child
 * process. Sessions know only this. `test/contract/` holds every transport to the same behaviour.
 */
import type { Readable, Writable } from 'node:stream'
import type { UnreachableError } from '../errors.ts'

/** How a shell ended. `lost`: the connection went first; nothing is known of the shell. */
export type ShellEnd =
  | { lost: false; code: number | null; signal: string | null }
  | { lost: true; reason: string }

/** One running `sh` on the host. Both outputs must be read. */
export interface ShellStream {
  stdin: Writable
  stdout: Readable
  stderr: Readable
  /**
   * Hurries the other half of an answer. sshd leaves Nagle's algorithm on: the packet with standard
   * error waits until the one with standard output is acknowledged, which our system puts off for
   * 40 ms unless it has something to send. So it is given something: an empty line for the shell.
   */
  nudge?(): void
  /** Settles once, after both outputs have ended; never rejects. */
  ended: Promise<ShellEnd>
}

export interface Transport {
  /** `ssh` or `local`, for messages. */
  kind: string
  /** Whose its shells are, where they are not the login's. */
  user?: string
  /**
   * Starts another `sh` over the same connection.
   * @param command what to start instead, a program with its arguments, which becomes such a `sh`
   * @throws {UnreachableError} the connection is gone, or the host refuses another channel
   */
  open(command?: readonly string[]): Promise<ShellStream>
  /**
   * Starts a command on a terminal of its own, which its standard streams are: what it writes to standard
   * error comes with standard output. For programs that ask at a terminal; absent where there is none.
   * @throws {UnreachableError} as `open`
   */
  openTerminal?(command: readonly string[]): Promise<ShellStream>
  /**
   * What the last words of a shell mean that ended before it answered, where the transport knows: nobody
   * let it begin.
   * @returns why; `again`: the next one that is opened may do better, for now it is known what is wanted
   */
  explain?(output: string): UnreachableError | 'again' | undefined
  /** Ends the connection and everything on it. Idempotent. */
  close(): void
}
