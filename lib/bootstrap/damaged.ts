import { StepError } from '../errors.ts'

/** The error of a state file that somebody has damaged: nothing in it is guessed. */
export function damaged(
  file: string,
  line: number,
  message: string,
  hint = 'Fix the line by hand, or move the file away and run server.provision again.',
): StepError {
  return new StepError('state_unreadable', `${file}:${line}: ${message}`, {
    at: `${file}:${line}`,
    hint,
  })
}
