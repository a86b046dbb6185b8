/** Waits for a host that a step restarted. */
import type { Step } from '../program/step.ts'
import { stepStatusOf, thrownError } from '../report/report.ts'
import type { StepResult } from '../session/call.ts'
import type { Running } from './step-ends.ts'

/** Connects again after a restart; if that fails, the step fails. */
export async function restart(step: Step, { marks }: StepResult, running: Running): Promise<void> {
  const { resource } = step
  try {
    const boot = marks.find(([word]) => word === 'boot')?.[1] ?? ''
    await running.execution.sessions.reconnect({ withinMs: resource.restarts!.withinMs, boot })
  } catch (error) {
    running.failure = thrownError(error).within({ step: resource.title, at: resource.at() })
    running.shown.get(step)!.end(stepStatusOf(running.failure), { error: running.failure })
  }
}
