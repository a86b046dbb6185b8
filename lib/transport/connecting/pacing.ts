/**
 * How many connections may be in progress with a server at the same time. sshd drops new ones while too many
 * have not logged in yet (sshd_config(5), MaxStartups 10:30:100: from ten on, at random). We stay below that;
 * if a server refuses us anyway, we halve the number, and raise it again while it accepts.
 */

/** From this number on, sshd drops some by default. */
export const mostAtOnce = 10

/** Keeps connections within the limit of one server. */
export interface Pace {
  /**
   * Settles when it is the caller’s turn, first come first served.
   * @param signal gives up the place
   */
  turn(signal?: AbortSignal): Promise<Turn>
  /** How many connections may be in progress now. */
  readonly limit: number
}

/** A place among the connections in progress. It is returned once, with one of these. */
export interface Turn {
  /** The connection was accepted: others may follow. */
  letIn(): void
  /** The server refused it before it sent anything: fewer may come. */
  turnedAway(): void
  /** It ended in another way. */
  end(): void
}

export interface Pacing {
  /** @param server the key shared by all connections to one server: `address:port` */
  paceOf(server: string): Pace
}

export function createPacing(): Pacing {
  const paces = new Map<string, Pace>()
  return {
    paceOf: server => {
      const known = paces.get(server)
      if (known) return known
      const pace = createPace()
      paces.set(server, pace)
      return pace
    },
  }
}

export function createPace(): Pace {
  let limit = mostAtOnce
  let knocking = 0
  /** Refusals before this belong to the crowd for which the limit was already halved. */
  let crowd = 0
  let letIn = 0
  const waiting: (() => void)[] = []
  const next = () => {
    while (knocking < limit && waiting.length > 0) {
      knocking++
      waiting.shift()!()
    }
  }
  const take = (): Turn => {
    const ofCrowd = crowd
    let over = false
    const end = (learn: () => void) => {
      if (over) return
      over = true
      knocking--
      learn()
      next()
    }
    return {
      letIn: () =>
        end(() => {
          if (++letIn < limit || limit >= mostAtOnce) return
          letIn = 0
          limit++
        }),
      turnedAway: () =>
        end(() => {
          letIn = 0
          if (ofCrowd !== crowd) return
          crowd++
          limit = Math.max(1, Math.floor(limit / 2))
        }),
      end: () => end(() => {}),
    }
  }
  return {
    get limit() {
      return limit
    },
    turn: signal =>
      new Promise((resolve, reject) => {
        const leave = () => {
          waiting.splice(waiting.indexOf(begin), 1)
          reject(signal!.reason)
        }
        const begin = () => {
          signal?.removeEventListener('abort', leave)
          resolve(take())
        }
        if (signal?.aborted) return reject(signal.reason)
        signal?.addEventListener('abort', leave)
        waiting.push(begin)
        next()
      }),
  }
}
