/** Observers of the work on one host. Without them, nothing is built and nothing costs time. */
import type { Debug } from '../events.ts'
import type { Frame } from '../shell/frames.ts'
import type { SessionTrace } from './trace.ts'

export interface Watch {
  /** --debug: decisions, in words. */
  debug?: Debug
  /**
   * HOSTWRIGHT_TRACE: begins the trace of a session of this host.
   * @param user of the session, if it is not the connection's
   */
  trace?(user?: string): SessionTrace
}

/** What a session reports to its observers. */
export interface Notes {
  /** A shell is requested, and why. */
  opens(what: string): void
  /** The title of a step, for later lines about it. */
  names(id: number, title: string): void
  /**
   * Script is written.
   * @param cause why; names the round trip, if the host was idle
   * @param parts of the prelude that go before it, and their size in bytes
   */
  sends(cause: string, script: Buffer, parts: { names: readonly string[]; bytes: number }): void
  /** The host was idle: the session begins the round trip of this number. */
  waits(roundTrip: number): void
  received(stream: 'stdout' | 'stderr', frame: Frame): void
  ended(how: string): void
}

/**
 * @param user as of `Watch.trace`
 * @returns undefined if there is no observer
 */
export function createNotes(watch: Watch | undefined, user?: string): Notes | undefined {
  const debug = watch?.debug
  const trace = watch?.trace?.(user)
  if (!debug && !trace) return undefined
  const whose = user === undefined ? '' : `as ${user}: `
  let cause = ''
  const say = (text: string) => {
    debug?.('session', whose + text)
    trace?.note(text)
  }
  return {
    opens: what => say(`opens ${what}`),
    names: (id, title) => trace?.name(id, title),
    sends: (why, script, parts) => {
      cause = why
      if (parts.names.length > 0)
        debug?.(
          'session',
          `${whose}sends parts of the prelude: ${parts.names.join(', ')} (${parts.bytes.toLocaleString('en')} bytes)`,
        )
      trace?.sent(script, parts)
    },
    waits: roundTrip => say(`round trip ${roundTrip}: ${cause}`),
    received: (stream, frame) => trace?.received(stream, frame),
    ended: how => {
      debug?.('session', `${whose}the shell ended: ${how}`)
      trace?.end(`the shell ended: ${how}`)
    },
  }
}

/** `file /etc/motd, service haproxy running and 3 more` */
export function listed(titles: readonly string[], most = 3): string {
  const shown = titles.slice(0, most).join(', ')
  return titles.length > most ? `${shown} and ${titles.length - most} more` : shown
}
