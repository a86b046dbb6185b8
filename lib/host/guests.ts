/** The connections of a run to hosts that `on()` names: one a host, for all who work there. */
import type { Host } from '../inventory/inventory.ts'
import { lockKey } from '../inventory/same-host.ts'
import type { Progress } from '../report/progress.ts'
import type { Facts } from '../session/first-facts.ts'
import type { Guests } from './across.ts'
import { type GivingUp, listenToInterrupts } from './giving-up.ts'
import type { World } from './job.ts'
import { openSessions, recoveryOf } from './open-sessions.ts'
import type { HostSessions } from './sessions.ts'
import { watchHost } from './watch.ts'

/**
 * @param facts gets what the hosts report of themselves
 * @param visitors those who may work there: what they hide is hidden in traces
 */
export function createGuests(
  { connector, prepare, timeouts, interrupts, events, reporting = {} }: World,
  facts: Map<string, Facts>,
  visitors: Iterable<Pick<Progress, 'hide' | 'redact' | 'forms'>>,
): Guests {
  const known = new Map<string, { sessions: Promise<HostSessions>; givingUp: GivingUp }>()
  const hidden: string[] = []
  const redact = (text: string) => [...visitors].reduce((rest, each) => each.redact(rest), text)
  const hiding = {
    redact,
    get forms() {
      return [...visitors].flatMap(({ forms }) => forms)
    },
  }
  const open = async (host: Host, givingUp: GivingUp) => {
    const passwords = (await prepare?.(host)) ?? []
    hidden.push(...passwords)
    for (const each of visitors) each.hide(passwords)
    const watch = watchHost(host, events, reporting, hiding)
    const warn = (message: string) =>
      events.emit({ type: 'warning', host: host.name, message: redact(message) })
    const reconnectMs = recoveryOf(host, timeouts)
    const world = { connector, timeouts, interrupts }
    const sessions = await openSessions(host, world, undefined, reconnectMs, warn, watch)
    givingUp.attend(sessions)
    facts.set(host.name, sessions.main.facts)
    return sessions
  }
  return {
    hidden,
    sessions: async host => {
      const key = lockKey(host)
      const before = known.get(key)
      // One that is lost for good is not an answer to later calls.
      if (before && !(await before.sessions).main.failure) return before.sessions
      const now = known.get(key)
      if (now && now !== before) return now.sessions
      before?.givingUp.dispose()
      const givingUp = listenToInterrupts(interrupts)
      const sessions = open(host, givingUp)
      known.set(key, { sessions, givingUp })
      sessions.catch(() => {
        givingUp.dispose()
        known.delete(key)
      })
      return sessions
    },
    close: async () => {
      for (const { sessions, givingUp } of known.values()) {
        const opened = await sessions.catch(() => undefined)
        if (interrupts.stop.aborted) opened?.drop()
        else await opened?.close().catch(() => {})
        givingUp.dispose()
      }
      known.clear()
    },
  }
}
