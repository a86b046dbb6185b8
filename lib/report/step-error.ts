/** The error of a failed step, from its output and the place of its declaration. Pure. */
import { errorCodes, isHostCode, StepError } from '../errors.ts'
import type { Resource } from '../resources/resource.ts'
import type { StepResult } from '../session/call.ts'

export function stepError(resource: Resource, result: StepResult): StepError {
  const said = lastLines(result.stderr) || lastLines(result.stdout)
  const code = isHostCode(result.code) ? result.code : 'step_failed'
  // The last line is the message; the lines before it say why.
  const before = said.slice(0, Math.max(0, said.lastIndexOf('\n')))
  const message = said.slice(said.lastIndexOf('\n') + 1) || `exit status ${result.exitStatus}`
  return new StepError(code, message, {
    step: resource.title,
    command: resource.command?.split('\n', 10).join('\n'),
    exitStatus: result.exitStatus,
    output: before || undefined,
    at: resource.at(),
    // The general code has no useful hint.
    hint: code === 'step_failed' ? undefined : errorCodes[code].next,
  })
}

/** The last lines of a step's output, for an error. */
export function lastLines(output: Buffer, count = 20): string {
  return output.toString('utf8').trimEnd().split('\n').slice(-count).join('\n')
}
