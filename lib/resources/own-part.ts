/** What of a resource is done where a connection does not reach all that it acts on. Pure. */
import type { Host } from '../inventory/inventory.ts'
import { isOwn } from '../transport/offers.ts'
import type { Resource, TemplateHost } from './resource.ts'

const places: Record<Host['connection'], string> = {
  ssh: 'this host',
  local: 'the machine that hostwright runs on',
  docker: 'a container',
  podman: 'a container',
  chroot: 'a directory',
}

/** The resource as it is for one host: with its own content, and with no more than the connection reaches. */
export function forThisHost(declared: Resource, host: TemplateHost): Resource {
  const resource = declared.forHost?.(host) ?? declared
  const { need } = resource
  const { connection } = host
  if (!need || !connection || isOwn(connection, need.own)) return resource
  const { restarts: _, ...rest } = resource
  if (need.files) return { ...rest, call: need.files }
  const why = `${places[connection]} has no ${need.own} of its own that a connection by ${connection} may change`
  const call = need.leftOut
    ? { name: 'hw_leave_out', args: [why] }
    : { name: 'hw_refuse', args: [`${resource.title}: ${why}`, need.onlyIfThere ?? ''] }
  return { ...rest, call }
}
