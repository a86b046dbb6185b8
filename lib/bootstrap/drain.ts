/**
 * Drains: where a host is out of service, as `products/NAME.drain` on it. The file is there before the first balancer is
 * asked to do anything, and goes when the host is back at all of them.
 */

/** How a server was at a balancer before: in service, or put out of it by somebody. */
export const serverStates = ['ready', 'drain', 'maint'] as const
export type ServerState = (typeof serverStates)[number]

export interface Drain {
  /** Which recipe has drained it. */
  recipe: string
  /** Id of the run. */
  run: string
  /** Person and machine. */
  by: string
  /** ISO 8601 */
  since: string
  /** Until somebody ends it, as `server.mode` does, whatever is done on the host meanwhile. */
  stays: boolean
  backend: string
  server: string
  /** Balancers by name, with what the server was there before. */
  balancers: ReadonlyMap<string, ServerState>
}

/** In a few words: `drained at lb1, lb2 as app/web1 by product.upgrade of run …, by anna@ci, since …`. */
export const describeDrain = ({
  recipe,
  run,
  by,
  since,
  backend,
  server,
  balancers,
}: Drain): string =>
  `drained at ${[...balancers.keys()].join(', ')} as ${backend}/${server} since ${since}, by ${recipe} of run ${run} (${by})`
