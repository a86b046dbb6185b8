/** Answers that take time: the shells that they open, their progress, and how to stop them. */
import { isBootstrapError } from '../errors.ts'
import type { ShellStream } from '../transport/transport.ts'
import type { Answer, Asked, HostCall } from './call.ts'

export interface Transfers {
  /** Another shell, of the same user. */
  open(): Promise<ShellStream>
  /** Aborted by `end`. */
  readonly signal: AbortSignal
  /** Ends the input of all open shells, and thereby the shells: whoever waits for one sees it end. */
  end(): void
}

/** @param openShell opens a shell on the session's connection */
export function createTransfers(openShell: () => Promise<ShellStream>): Transfers {
  const shells = new Set<ShellStream>()
  let ending = new AbortController()
  return {
    get signal() {
      return ending.signal
    },
    open: async () => {
      const shell = await openShell()
      shells.add(shell)
      shell.ended.then(() => shells.delete(shell))
      return shell
    },
    end: () => {
      ending.abort()
      ending = new AbortController()
      for (const { stdin } of shells) stdin.end()
    },
  }
}

/**
 * The answer to a step that asked. A failure on the host, or of a local file, fails the step; any other error
 * is thrown.
 */
export async function answerTo(call: HostCall, asked: Asked): Promise<Answer> {
  try {
    return await call.answer!({ ...asked, progress: seldom(asked.progress) })
  } catch (error) {
    return { failure: failureOf(error) }
  }
}

/** The call that is sent. If its source can't be read, it becomes one that fails when its turn comes. */
export async function prepare(call: HostCall): Promise<HostCall> {
  if (!call.prepare) return call
  try {
    return await call.prepare()
  } catch (error) {
    const { message, code } = failureOf(error)
    return { name: 'hw_fail', args: [message, code ?? 'step_failed'] }
  }
}

/** The failure of one step; any other error is thrown again. */
function failureOf(error: unknown): NonNullable<Answer['failure']> {
  if (isBootstrapError(error)) {
    if (error.exitCode !== 4) throw error
    const { message, code, details } = error
    // The last line becomes the step's message, the lines before it its output.
    return { message: details.output ? `${details.output}\n${message}` : message, code }
  }
  // A local file that can't be read.
  if (error instanceof Error && 'syscall' in error) return { message: error.message }
  throw error
}

/** Reports the first and the last call, and a few calls per second. */
function seldom(progress: Asked['progress'], everyMs = 250): Asked['progress'] {
  let reportedAt = Number.NEGATIVE_INFINITY
  return (done, total) => {
    const now = performance.now()
    if (done < total && now - reportedAt < everyMs) return
    reportedAt = now
    progress(done, total)
  }
}
