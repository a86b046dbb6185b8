/** All sessions of one host in a run: the connection's own user, and others over the same connection. */
import { UnreachableError } from '../errors.ts'
import type { HostCall } from '../session/call.ts'
import { noUserMark, openSession, type Session } from '../session/session.ts'
import type { Watch } from '../session/watch.ts'
import type { ConnectedHost, Restarting } from './connect.ts'
import { createLastingConnection, type Recover } from './lasting-connection.ts'

export interface HostSessions {
  /** The session of the connection's user; a new one after the connection was lost, or the host has restarted. */
  readonly main: Session
  /**
   * Works in the session of a user, as `as`. If the connection is lost meanwhile, and made again, `work` is called
   * again with the session that is there then: it does what has not been done.
   * @param mayRepeat whether that may be done; asked when the connection is lost
   * @throws what `work` throws, and {UnreachableError} the connection is lost for good
   */
  steadily<T>(
    user: string | undefined,
    work: (session: Session, changed: ReadonlySet<number>) => Promise<T>,
    mayRepeat?: () => boolean,
  ): Promise<T>
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
  /**
   * Another main session over the same connection, with a shell of its own: what takes a lock for a while ends with it. Its
   * end leaves the connection.
   * @throws {UnreachableError} the host opens no other shell
   */
  beside(opening: Beside): Promise<ConnectedHost>
  /** How often the controller waited for the host, in all sessions. */
  readonly roundTrips: number
  /** As `Session.interrupt` and `Session.kill`, for all sessions. */
  interrupt(): Promise<void>
  kill(): Promise<void>
  /** Ends the connection immediately, if nothing else ends a step. Pending calls fail. */
  drop(): void
  /**
   * As `Session.close`, for all sessions. If the connection is lost in that moment it is made again, so that the lock does
   * not stay on the host.
   */
  close(skip?: boolean): Promise<void>
}

/** A session that is opened beside the first one. */
export interface Beside {
  bootstrapDir: string
  /** Calls that go with its first write. */
  first: readonly HostCall[]
  warn?: (message: string) => void
  watch?: Watch
}

/**
 * @param first the connected host
 * @param connect connects to the host again after a restart, and opens its main session
 * @param watch its observers
 * @param recover the same after the connection was lost; undefined: that ends the host's part of the run
 */
export function createSessions(
  first: ConnectedHost,
  connect: (restarting: Restarting) => Promise<ConnectedHost>,
  watch?: Watch,
  recover?: Recover,
): HostSessions {
  const connection = createLastingConnection(first, recover)
  const others = new WeakMap<ConnectedHost, Map<string, Promise<Session>>>()
  /** Of other users, over this connection. */
  const othersNow = () => {
    const known = others.get(connection.now) ?? new Map<string, Promise<Session>>()
    others.set(connection.now, known)
    return known
  }
  const open = async () => {
    const opened = await Promise.allSettled(othersNow().values())
    return opened.flatMap(each => (each.status === 'fulfilled' ? [each.value] : []))
  }
  const every = async (work: (session: Session) => Promise<void>) => {
    await Promise.all([connection.now.session, ...(await open())].map(work))
  }
  const opened: Session[] = []
  /** Their shells by user, as hw_user_shell names them. One that has lost its connection may be at work still. */
  const shells = new Map<string, readonly string[]>()
  const isMain = (user?: string) => user === undefined || user === connection.now.transport.user
  const as = (user?: string) => {
    const { transport, session: main, keepalive } = connection.now
    if (user === undefined || isMain(user)) return Promise.resolve(main)
    const sessions = othersNow()
    const known = sessions.get(user)
    if (known) return known
    const first = [{ name: 'hw_user_shell', args: shells.get(user) ?? [] }]
    const wanted = { transport, bootstrapDir: '', command: shellOf(user), user, watch, keepalive }
    const session = openSession({ ...wanted, first }).then(session => {
      opened.push(session)
      shells.set(user, session.first[0]!.stdout.toString('utf8').trim().split(' '))
      return session
    })
    sessions.set(user, session)
    // The caller gets the error; a later attempt may succeed.
    session.catch(() => sessions.delete(user))
    return session
  }
  const steadily: HostSessions['steadily'] = async (user, work, mayRepeat = () => true) => {
    for (;;) {
      const from = connection.now
      try {
        // Await only what must be: calls must keep their order.
        const session = isMain(user) || from.session.failure ? from.session : await as(user)
        if (!session.failure) return await work(session, from.changed ?? none)
        // Nothing of the work has been sent.
        await connection.restore(session.failure, from)
      } catch (error) {
        if (!mayRepeat()) throw error
        await connection.restore(error, from)
      }
    }
  }
  return {
    get main() {
      return connection.now.session
    },
    as,
    steadily,
    beside: ({ bootstrapDir, first, warn, watch }) =>
      steadily(undefined, async () => {
        const { transport, keepalive } = connection.now
        const shared = { ...transport, close: () => {} }
        const opened = { transport: shared, bootstrapDir, first, warn, watch, keepalive }
        return { transport, keepalive, session: await openSession(opened) }
      }),
    reconnect: restarting => connection.replace(() => connect(restarting)),
    get roundTrips() {
      return opened.reduce((sum, session) => sum + session.roundTrips, connection.roundTrips)
    },
    interrupt: () => every(session => session.interrupt()),
    kill: () => every(session => session.kill()),
    drop: connection.drop,
    close: async skip => {
      // The main one last: it holds the lock.
      for (const session of await open()) await session.close(skip)
      const last = connection.now
      await last.session.close(skip)
      if (last.session.left || skip) return
      const lost = new UnreachableError('connection_lost', 'the connection was lost at the end')
      await connection.restore(lost, last, 'last').then(
        () => connection.now.session.close(),
        () => {},
      )
    },
  }
}

const none: ReadonlySet<number> = new Set()

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
