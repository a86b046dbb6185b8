/** An end of the process before the command's own: a recipe's `process.exit`, or nothing left to do. */
import { exitCodes } from '../errors.ts'

/**
 * Reports that the process ends before the command is done, and makes it a fault: silence with exit code 0
 * would look like success.
 * @param report shows a line, synchronously
 * @returns to be called when the command is done
 */
export function watchForEarlyExit(report: (line: string) => void): () => void {
  let idle = false
  // Emitted when nothing is left to do, but not by process.exit.
  const beforeExit = () => {
    idle = true
  }
  const exit = (code: number) => {
    // A third Ctrl-C means it.
    if (code === exitCodes.interrupted) return
    report(
      idle
        ? 'the command can’t continue: it awaits something that never happens (a top-level await in a recipe or module?)'
        : 'the process ended before the command was done: by process.exit in a recipe or module, or by an exception. To end a recipe, return or throw',
    )
    process.exitCode = exitCodes.fault
  }
  process.on('beforeExit', beforeExit)
  process.on('exit', exit)
  return () => {
    process.off('beforeExit', beforeExit)
    process.off('exit', exit)
  }
}
