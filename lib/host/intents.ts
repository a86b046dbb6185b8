/** Lets a host know what steps are a part of (see lib/remote/intent.sh), before they are sent. */
import { StepError } from '../errors.ts'
import type { Step } from '../program/step.ts'
import { lastLines } from '../report/step-error.ts'
import type { Session } from '../session/session.ts'
import type { Execution } from './execution.ts'
import { onlyLooks } from './mode.ts'

/** Sends the host what the steps are a part of. Costs no round trip: what is wrong shows in the steps. */
export function intend(steps: readonly Step[], session: Session): void {
  for (const { call, before } of undertakingsOf(steps)) {
    const held = before && !before.done ? [...call.args, 'hold=1'] : call.args
    session.call({ ...call, args: held }).catch(() => {})
  }
}

/**
 * Writes down what steps of another user are a part of, who may not do it.
 * @returns whether they may run
 */
export async function openIntents(steps: readonly Step[], execution: Execution): Promise<boolean> {
  const undertakings = undertakingsOf(steps)
  if (undertakings.length === 0 || onlyLooks(execution.mode)) return true
  await prepareFor(steps)
  const calls = undertakings.flatMap(({ call, number }) => [
    { call },
    { call: { name: 'hw_open_intent', args: [String(number)] } },
  ])
  const mode = { check: false, diff: false }
  const results = await execution.sessions.steadily(undefined, session =>
    session.segment(calls, mode),
  )
  const failed = results.find(({ status }) => status === 'failed')
  if (failed) throw new StepError(lastLines(failed.stderr))
  return results.every(({ status }) => status !== 'skipped')
}

/** Does what comes before the first change. @throws {StepError} it can't be done */
export async function prepareFor(steps: readonly Step[]): Promise<void> {
  for (const { before } of undertakingsOf(steps)) if (before && !before.done) await before.run()
}

/** Whether the first change that a step makes is held. */
export const isHeld = ({ within }: Step): boolean => within?.before?.done === false

const undertakingsOf = (steps: readonly Step[]) => [
  ...new Set(steps.flatMap(({ within }) => within ?? [])),
]
