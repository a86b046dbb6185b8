/**
 * A transport carries bytes to and from a shell on a host: SSH, the system’s ssh, a container, a local child
 * process. Sessions know only this interface. `test/contract/` holds every transport to the same behaviour.
 */
import type { Readable, Writable } from 'node:stream'
import type { UnreachableError } from '../errors.ts'

/** How a shell ended. `lost`: the connection was lost first; nothing is known about the shell. */
export type ShellEnd =
  | { lost: false; code: number | null; signal: string | null }
  | { lost: true; reason: string }

/** One running `sh` on the host. Both outputs must be read. */
export interface ShellStream {
  stdin: Writable
  stdout: Readable
  stderr: Readable
  /**
   * Speeds up the other half of an answer. sshd leaves Nagle’s algorithm on: the packet with standard error
   * waits until the one with standard output is acknowledged, and our system delays the acknowledgement by 40
   * ms unless it has something to send. So we send something: an empty line for the shell.
   */
  nudge?(): void
  /** Settles once, after both outputs have ended; never rejects. */
  ended: Promise<ShellEnd>
}

export interface Transport {
  /** `ssh` or `local`, for messages. */
  kind: string
  /** The user of its shells, if it is not the login. */
  user?: string
  /**
   * Starts another `sh` over the same connection.
   * @param command a program with its arguments to start instead, which becomes such a `sh`
   * @throws {UnreachableError} the connection is lost, or the host refuses another channel
   */
  open(command?: readonly string[]): Promise<ShellStream>
  /**
   * The same, if the connection has room for another shell: another connection, with another login, is never opened.
   * Absent if there is none in any case.
   * @throws {UnreachableError} as `open`
   */
  openHere?(command?: readonly string[]): Promise<ShellStream>
  /**
   * Starts a command on its own terminal, to which its standard streams are connected: standard error is
   * mixed with standard output. For programs that prompt at a terminal; absent if the transport has none.
   * @throws {UnreachableError} as `open`
   */
  openTerminal?(command: readonly string[]): Promise<ShellStream>
  /**
   * Explains the last output of a shell that ended before it answered, if the transport knows why.
   * @returns the error; `again`: a retry may succeed, because the requirement is known now
   */
  explain?(output: string): UnreachableError | 'again' | undefined
  /** Ends the connection and everything on it. Idempotent. */
  close(): void
}
