/** The errors of a run, from its events: the same list for callbacks and the terminal. */
import type { ErrorReport, HostOutcome, HostStatus, Subscriber } from '../events.ts'

export interface FailureLog {
  subscriber: Subscriber
  /** The errors of the hosts that have ended so far, in the order in which the hosts ended. */
  failures(): ErrorReport[]
}

const good: readonly HostStatus[] = ['ok', 'changed', 'skipped']

/**
 * Collects the errors of hosts that failed, with `host` set: those of their steps, then the host’s own error,
 * unless it is one of its steps’ errors. A step’s error that the recipe handled, so that the host succeeded,
 * is not a failure of the run.
 */
export function createFailureLog(): FailureLog {
  const ofSteps = new Map<string, ErrorReport[]>()
  const failures: ErrorReport[] = []
  return {
    failures: () => failures,
    subscriber: event => {
      if (event.type === 'step.end' && event.error) {
        const list = ofSteps.get(event.host) ?? []
        ofSteps.set(event.host, [...list, { host: event.host, ...event.error }])
      }
      if (event.type === 'verdict' && event.error) failures.push(event.error)
      if (event.type === 'rollback.end' && event.how !== 'cut off' && event.error)
        failures.push({ host: event.host, ...event.error })
      if (event.type === 'host.end' || event.type === 'hook.end') {
        const steps = ofSteps.get(event.host) ?? []
        ofSteps.delete(event.host)
        failures.push(...failuresOf(event, steps))
      }
    },
  }
}

/**
 * The errors of one host.
 * @param steps the errors of its steps, with `host` set
 */
export function failuresOf(
  { host, status, error }: Pick<HostOutcome, 'host' | 'status' | 'error'>,
  steps: readonly ErrorReport[],
): ErrorReport[] {
  if (good.includes(status)) return []
  const own = error && { host, ...error }
  // The host’s own error may be that of a step, or may contain it together with its consequences.
  const others = steps.filter(step => !own?.message.includes(step.message))
  const same = steps.find(step => step.code === own?.code && step.message === own.message)
  return [...others, ...(own ? [same ?? own] : [])]
}
