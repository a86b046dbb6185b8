/** Tables of resources that need a whole system. */
import type { ResourceHost } from './resource-hosts.ts'
import { type ResourceCase, resourceTable } from './resource-table.ts'
import { anyShell, shells } from './shells.ts'

/** The shells that tests of whole systems run under. */
export const systemShells = shells.filter(
  shell => shell === anyShell || shell.name === 'busybox sh',
)

/**
 * A table under dash; under BusyBox' sh without the drifts, since finding out all that changed on a whole
 * system takes its time.
 */
export function systemTable(
  title: string,
  cases: readonly ResourceCase[],
  host: () => ResourceHost,
) {
  const short = cases.map(each => ({ ...each, drift: [] }))
  resourceTable(title, cases, { host, shells: systemShells.slice(0, 1) })
  resourceTable(title, short, { host, shells: systemShells.slice(1) })
}
