/** One command line from its words to its exit code. */
import type { Place } from './command.ts'
import { createSource } from './command-source.ts'
import { runProgram } from './program.ts'

/**
 * Runs a command line. Errors are shown on `place.stderr`.
 * @param version what `--version` prints
 * @returns the exit code
 */
export async function runWords(
  words: readonly string[],
  place: Place,
  version: string,
): Promise<number> {
  try {
    return await runProgram(words, createSource(place.project.recipes), place, version)
  } catch (error) {
    const { showError } = await import('./show-error.ts')
    const { exitCodeOfErrors } = await import('../report/exit-code.ts')
    // What fails once a host was touched, a command shows itself.
    const known = showError(error, place, words.includes('--verbose'))
    return exitCodeOfErrors([known], false)
  }
}
