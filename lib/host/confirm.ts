/** Confirms changes that can cut a host off, by a new connection: see lib/remote/confirm.sh. */
import { setTimeout as delay } from 'node:timers/promises'
import { asBootstrapError, type BootstrapError } from '../errors.ts'
import type { Host } from '../inventory/inventory.ts'
import { type Change, canBeCutOff, changeCall } from '../program/change.ts'
import type { Step } from '../program/step.ts'
import type { StepResult } from '../session/call.ts'
import type { Session } from '../session/session.ts'
import { type Connecting, connectHost } from './connect.ts'
import type { Execution, LogInAnew } from './execution.ts'
import type { World } from './job.ts'
import { onlyLooks } from './mode.ts'

/** By the same way and with the same credentials as the run's own connection. */
export const createLogInAnew =
  (host: Host, { connector, timeouts }: Pick<World, 'connector' | 'timeouts'>): LogInAnew =>
  async (call, withinMs, over) => {
    const { signal: never } = new AbortController()
    const connecting: Connecting = {
      connector,
      apart: true,
      keepalive: timeouts.keepalive,
      timeoutMs: Math.max(leastMs, Math.min(timeouts.connectMs, inTenths(withinMs) - marginMs)),
      interrupts: { stop: over, kill: never, abandon: never },
    }
    const { session } = await connectHost(host, connecting, [call])
    await session.close().catch(() => {})
  }

/** Pause between two logins. */
const againMs = 500

/** A login has at least this time, and ends before the host decides: then it says why it could not be. */
const leastMs = 1000
const marginMs = 500

/** A message may have it, in seconds. */
const inTenths = (ms: number) => Math.floor(ms / 100) * 100

/** Sends a session what its steps are a part of. Costs no round trip: what is wrong shows in the steps. */
export function announceChanges(
  steps: readonly Step[],
  session: Session,
  { mode, host }: Execution,
): void {
  if (onlyLooks(mode) || !canBeCutOff(host.connection)) return
  const changes = new Set(steps.flatMap(({ confirming }) => confirming ?? []))
  for (const change of changes) session.call(changeCall(change)).catch(() => {})
}

/** What a step has, however often it is sent, if it is a part of such a change. */
export interface Confirming {
  /** What the host knows the change by. */
  id?: string
  /** Hears that the host waits. */
  mark?(words: string[]): void
  /** Hears the end of the step; an error says more of why no connection came. */
  end(result: StepResult): void
  /** The host is given up, or the step has ended: from now on nothing is confirmed. */
  giveUp(): void
}

export function confirmingOf(
  { confirming, confirms }: Step,
  { host, logInAnew }: Pick<Execution, 'host' | 'logInAnew'>,
): Confirming {
  if (!confirming || !canBeCutOff(host.connection)) return { end: () => {}, giveUp: () => {} }
  const over = new AbortController()
  const giveUp = () => over.abort()
  const attempts: Attempts = { busy: false }
  return {
    id: confirming.id,
    mark: words => {
      // It is still at it from before the connection was lost.
      if (!confirms || words[0] !== 'confirm' || attempts.busy) return
      const leftMs = Math.min(Number(words[3]) || 0, confirming.confirmation.seconds) * 1000
      attempts.busy = true
      void confirm(confirming, logInAnew, leftMs, over.signal, attempts).finally(() => {
        attempts.busy = false
      })
    },
    end: result => {
      giveUp()
      const { last } = attempts
      if (result.status !== 'failed' || !last) return
      const said = `no new connection: ${last.message}\n`
      result.stderr = Buffer.concat([Buffer.from(said), result.stderr])
    },
    giveUp,
  }
}

interface Attempts {
  busy: boolean
  last?: BootstrapError
}

/** The answer of the host is the end of the step, so only why there was no connection is of interest here. */
async function confirm(
  { id }: Change,
  logInAnew: LogInAnew,
  leftMs: number,
  over: AbortSignal,
  attempts: Attempts,
): Promise<void> {
  const untilMs = performance.now() + leftMs
  while (!over.aborted) {
    const restMs = untilMs - performance.now()
    if (restMs <= 0) return
    try {
      await logInAnew({ name: 'hw_confirm', args: [id] }, restMs, over)
      return
    } catch (error) {
      if (over.aborted) return
      attempts.last = asBootstrapError(error)
    }
    await delay(againMs, undefined, { signal: over }).catch(() => {})
  }
}
