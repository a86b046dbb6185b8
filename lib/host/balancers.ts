/** One host's server at its balancers: how they see it, and setting it. */
import { setTimeout as delay } from 'node:timers/promises'
import { parseSeen, type Seen, seeCommands } from '../balancer/haproxy.ts'
import { haproxyServer } from '../balancer/server.ts'
import type { BalancerDefinition } from '../bootstrap/definitions.ts'
import type { ServerState } from '../bootstrap/drain.ts'
import { expand } from '../bootstrap/expand.ts'
import { isBootstrapError, StepError } from '../errors.ts'
import { overlay, textVars } from '../inventory/host-vars.ts'
import { lastLines } from '../report/step-error.ts'
import type { Neighbour } from './on.ts'

/** The server at one balancer. */
export interface Place {
  at: Neighbour
  name: string
  server: { backend: string; server: string; socket: string }
}

/** A place, and what the server was there before. */
export interface KnownPlace extends Place {
  before: ServerState
}

export function placeAt(
  at: Neighbour,
  { backend, server, socket }: Pick<BalancerDefinition, 'backend' | 'server' | 'socket'>,
): Place {
  const { name, address, root, vars } = at.host
  const values = overlay(textVars(vars), { host: name, address, root })
  const path = socket === undefined ? '' : expand(socket, values)
  return { at, name, server: { backend, server, socket: path } }
}

/** Takes the balancer's lock for the time of it. */
export const setServer = async ({ at, server }: Place, wanted: ServerState): Promise<void> => {
  await at.converge(haproxyServer(server, wanted))
}

/** How a balancer sees it now. @throws {StepError} balancer_failed, other_host */
export async function see({ at, name, server }: Place): Promise<Seen> {
  const { backend, server: own, socket } = server
  const result = await at.ask({ name: 'hw_balancer', args: [socket, seeCommands(backend)] })
  try {
    if (result.status === 'failed') throw new StepError('balancer_failed', lastLines(result.stderr))
    return parseSeen(result.stdout.toString('utf8'), backend, own)
  } catch (error) {
    if (!isBootstrapError(error)) throw error
    const { hint } = error.details
    throw new StepError('balancer_failed', `balancer ${name}: ${error.message}`, { hint })
  }
}

/** How often balancers are asked while something is waited for, in milliseconds. */
const pollMs = 250

/**
 * Waits until all balancers see it as wanted, or the time is over.
 * @param limitMs 0: they are asked once
 * @returns those that do not
 */
export async function seenAs<P extends Place>(
  places: readonly P[],
  limitMs: number,
  wanted: (seen: Seen) => boolean,
  signal: AbortSignal,
): Promise<[P, Seen][]> {
  const end = Date.now() + limitMs
  for (;;) {
    const seen: [P, Seen][] = []
    for (const place of places) seen.push([place, await see(place)])
    const left = seen.filter(([, each]) => !wanted(each))
    if (left.length === 0 || Date.now() >= end) return left
    await delay(pollMs, undefined, { signal }).catch(() => {})
  }
}
