/**
 * How many connections may knock at a server at once. sshd drops those that come while too many have not
 * logged in yet (sshd_config(5), MaxStartups 10:30:100: from ten on, by chance). We stay below that, and
 * where a server turns us away all the same we come in half the number, and more again while it lets us in.
 */

/** From sshd’s default on it drops some. */
export const mostAtOnce = 10

/** What keeps to one server’s limit. */
export interface Pace {
  /**
   * Settles when it is this one’s turn, in the order of asking.
   * @param signal gives up the place
   */
  turn(signal?: AbortSignal): Promise<Turn>
  /** How many are let knock at once now. */
  readonly limit: number
}

/** A place among those that knock. It is given back once, by one of these. */
export interface Turn {
  /** It was let in: others may follow. */
  letIn(): void
  /** The server turned it away before it said anything: fewer may come. */
  turnedAway(): void
  /** It ended otherwise. */
  end(): void
}

export interface Pacing {
  /** @param server the same for all connections that come to the same door: `address:port` */
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
  /** Turns away before this are of the crowd that the limit was halved for. */
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
