/** An end of the process before the command's own: a recipe's `process.exit`, or nothing left to do. */
import { exitCodes } from '../errors.ts'

/**
 * Tells of an end that the command did not come to, and makes it a fault: silence with exit code 0 would
 * look like a good run.
 * @param tell shows a line; has to do so at once
 * @returns to be called when the command is done
 */
export function watchForEarlyExit(tell: (line: string) => void): () => void {
  let idle = false
  // Comes when there is nothing left to do, and not with process.exit.
  const beforeExit = () => {
    idle = true
  }
  const exit = (code: number) => {
    // A third Ctrl-C means it.
    if (code === exitCodes.interrupted) return
    tell(
      idle
        ? 'the command can’t go on: it awaits something that never comes (a top-level await in a recipe or in a module?)'
        : 'the command was ended before it was done, by process.exit in a recipe or a module, or by an exception: to end a recipe, return or throw',
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
