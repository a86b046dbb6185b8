/** All sessions of one host in a run: the connection's own user, and others over the same connection. */
import { noUserMark, openSession, type Session } from '../session/session.ts'
import type { Watch } from '../session/watch.ts'
import type { ConnectedHost, Restarting } from './connect.ts'

export interface HostSessions {
  /** The session of the connection's user; a new one after `reconnect`. */
  readonly main: Session
  /**
   * The session of a user, opened at the first call; without a user, the main one.
   * @throws {StepError} user_missing, user_refused
   */
  as(user?: string): Promise<Session>
  /**
   * Connects again after a restart; sessions of other users are opened again when needed.
   * @throws {UnreachableError} the host is not back in time
   */
  reconnect(restarting: Restarting): Promise<void>
  /** How often the controller waited for the host, in all sessions. */
  readonly roundTrips: number
  /** As `Session.interrupt` and `Session.kill`, for all sessions. */
  interrupt(): Promise<void>
  kill(): Promise<void>
  /** Ends the connection immediately, if nothing else ends a step. Pending calls fail. */
  drop(): void
  close(skip?: boolean): Promise<void>
}

/**
 * @param first the connected host
 * @param connect connects to the host again after a restart, and opens its main session
 * @param watch its observers
 */
export function createSessions(
  first: ConnectedHost,
  connect: (restarting: Restarting) => Promise<ConnectedHost>,
  watch?: Watch,
): HostSessions {
  let connected = first
  let others = new Map<string, Promise<Session>>()
  let trips = 0
  const open = async () => {
    const opened = await Promise.allSettled(others.values())
    return opened.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
  }
  const every = async (work: (session: Session) => Promise<void>) => {
    await Promise.all([connected.session, ...(await open())].map(work))
  }
  const opened: Session[] = []
  return {
    get main() {
      return connected.session
    },
    as: user => {
      if (user === undefined || user === connected.transport.user) {
        return Promise.resolve(connected.session)
      }
      const known = others.get(user)
      if (known) return known
      const session = openSession({
        transport: connected.transport,
        bootstrapDir: '',
        command: shellOf(user),
        user,
        watch,
      }).then(session => {
        opened.push(session)
        return session
      })
      others.set(user, session)
      // The caller gets the error; a later attempt may succeed.
      session.catch(() => others.delete(user))
      return session
    },
    reconnect: async restarting => {
      trips += connected.session.roundTrips
      const before = connected
      others = new Map()
      // The host may be down already: don't wait for its goodbye.
      before.transport.close()
      connected = await connect(restarting)
    },
    get roundTrips() {
      return opened.reduce(
        (sum, session) => sum + session.roundTrips,
        trips + connected.session.roundTrips,
      )
    },
    interrupt: () => every(session => session.interrupt()),
    kill: () => every(session => session.kill()),
    drop: () => connected.transport.close(),
    close: async skip => {
      // The main one last: it holds the lock.
      for (const session of await open()) await session.close(skip)
      await connected.session.close(skip)
    },
  }
}

/**
 * The command that starts a shell of another user. Root needs no permission; others use sudo with -n,
 * because nobody could answer a prompt. The user's name is an argument, never code. One line, because
 * it goes through the login's own shell (see quoteForLogin).
 */
const shellOf = (user: string): readonly string[] => [
  'sh',
  '-c',
  [
    `id -u -- "$1" >/dev/null || { echo "${noUserMark}" >&2; exit; }`,
    'if [ "$(id -u -- "$1")" -eq "$(id -u)" ]; then exec sh; fi',
    'cd / || exit',
    'if [ "$(id -u)" -eq 0 ]; then exec su -s /bin/sh -- "$(id -un -- "$1")"; fi',
    'exec sudo -n -H -u "$(id -un -- "$1")" -- sh',
  ].join('; '),
  'sh',
  user,
]
