/** What programs of a run's steps are made for. */
import { createKeys, type Remembered } from '../program/remembered.ts'
import type { ScheduleOptions } from '../program/schedule.ts'
import type { Selection } from '../program/selection.ts'
import type { Progress } from '../report/progress.ts'
import type { TemplateHost } from '../resources/resource.ts'
import type { Job } from './job.ts'
import { confirmOf } from './mode.ts'

/** @param remembered handlers that an earlier run left due on the host */
export const schedulingFor = (
  { what, mode, world }: Pick<Job, 'mode' | 'world'> & { what: { name: string } },
  host: TemplateHost,
  remembered: readonly Remembered[],
  selection: Selection,
  { redact }: Progress,
): ScheduleOptions => ({
  host,
  origin: { run: world.identity.run, recipe: what.name },
  selection,
  oneByOne: confirmOf(mode) !== undefined,
  keyOf: createKeys(remembered, what.name, redact),
  redact,
})
