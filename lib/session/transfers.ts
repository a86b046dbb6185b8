/** Answers that take time: other shells beside the session's, progress, and how they end. */
import { isBootstrapError } from '../errors.ts'
import type { ShellStream } from '../transport/transport.ts'
import type { Answer, Asked, HostCall } from './call.ts'

export interface Transfers {
  /** Another shell, of the same user. */
  open(): Promise<ShellStream>
  /** Aborted by `end`. */
  readonly signal: AbortSignal
  /** Nothing more is sent over open ones: whoever waits for one sees it end. */
  end(): void
}

/** @param openShell opens one, on whatever connection there is */
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
 * The answer to a step that asked. A failure on the host while it is worked out is the step's own; a fault of
 * ours or of the connection is thrown.
 */
export async function answerTo(call: HostCall, asked: Asked): Promise<Answer> {
  try {
    return await call.answer!({ ...asked, progress: seldom(asked.progress) })
  } catch (error) {
    return { failure: failureOf(error) }
  }
}

/**
 * Calls as they are sent. One whose source can't be read fails when its turn comes.
 */
export async function prepare(call: HostCall): Promise<HostCall> {
  if (!call.prepare) return call
  try {
    return await call.prepare()
  } catch (error) {
    const { message, code } = failureOf(error)
    return { name: 'hw_fail', args: [message, code ?? 'step_failed'] }
  }
}

/** An error that belongs to one step; any other is thrown on. */
function failureOf(error: unknown): NonNullable<Answer['failure']> {
  if (isBootstrapError(error)) {
    if (error.exitCode !== 4) throw error
    const { message, code, details } = error
    // The last line says it; those before it say why.
    return { message: details.output ? `${details.output}\n${message}` : message, code }
  }
  // A file of ours that can't be read.
  if (error instanceof Error && 'syscall' in error) return { message: error.message }
  throw error
}

/** Reports the first, the last, and a few a second. */
function seldom(progress: Asked['progress'], everyMs = 250): Asked['progress'] {
  let reportedAt = Number.NEGATIVE_INFINITY
  return (done, total) => {
    const now = performance.now()
    if (done < total && now - reportedAt < everyMs) return
    reportedAt = now
    progress(done, total)
  }
}
