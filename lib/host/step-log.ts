/** What the host's log says of the steps of a segment: see lib/remote/log.sh. */
import { titleAs } from '../program/account.ts'
import type { Step } from '../program/step.ts'
import { oneLine } from '../session/words.ts'
import type { Execution } from './execution.ts'
import type { Running } from './step-ends.ts'

/** What the host's log is to say of the step, where it keeps one. */
export const loggedOf = ({ resource, as }: Step, { effects, progress }: Execution) =>
  effects && { title: progress.redact(titleAs({ title: resource.title, as })) }

/** Adds to the host's log what another user's session has changed, which may not write there. Costs no round trip. */
export function logOthers(steps: readonly Step[], { execution, changed }: Running): void {
  const did = steps.filter(({ declared }) => changed.has(declared))
  const titles = did.flatMap(step => loggedOf(step, execution)?.title ?? [])
  if (titles.length === 0) return
  const args = titles.flatMap(title => [oneLine(title), ''])
  execution.sessions.main.call({ name: 'hw_log', args }).catch(() => {})
}
