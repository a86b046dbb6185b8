/** Segments: steps in a row that one session runs without us. Pure. */
import type { Step } from './step.ts'

export interface Segment {
  /** The user whose session it is; undefined: the connection's. */
  as?: string
  /** At least one. */
  steps: readonly Step[]
}

/**
 * Splits steps into segments: each has one user, and ends after a step that restarts the host.
 * @param oneByOne each step is a segment, because the user confirms it
 */
export function segmentsOf(steps: readonly Step[], oneByOne = false): Segment[] {
  const segments: { as?: string; steps: Step[] }[] = []
  for (const step of steps) {
    const open = segments.at(-1)
    const before = open?.steps.at(-1)
    if (open && before && !oneByOne && open.as === step.as && !before.resource.restarts) {
      open.steps.push(step)
    } else segments.push({ as: step.as, steps: [step] })
  }
  return segments
}
