/** One server at one balancer, as a resource. Recipes drain by bootstrap.ini or `drain`, so it is not public. */
import type { ServerState } from '../bootstrap/drain.ts'
import { declare, type Resource } from '../resources/resource.ts'

/** @param socket '' for the one in its haproxy.cfg */
export const haproxyServer = (
  { backend, server, socket }: { backend: string; server: string; socket: string },
  state: ServerState,
): Resource =>
  declare({
    title: `server ${backend}/${server} ${state}`,
    options: {},
    call: { name: 'hw_balancer_server', args: [socket, backend, server, state] },
  })
