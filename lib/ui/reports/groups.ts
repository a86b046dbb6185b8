/** What many hosts of a run have in common, so that a report says it once. Pure. */
import type { ErrorReport } from '../../events.ts'
import { groupErrors } from '../error.ts'
import type { RunReport } from './account.ts'

/** The same change of the same step, and the hosts that it was made on. */
export interface ChangeGroup {
  task: string
  step: string
  note?: string
  diff?: string
  hosts: readonly string[]
  /** The longest that it took. */
  durationMs: number
}

/** Changes that differ only in the host, in the order in which the first of each was made. */
export function changesOf({ hosts }: RunReport): ChangeGroup[] {
  const groups = new Map<string, ChangeGroup & { hosts: string[] }>()
  for (const { host, tasks } of hosts)
    for (const { title: task, steps } of tasks)
      for (const { title: step, status, note, diff, durationMs } of steps) {
        if (status !== 'changed') continue
        const key = JSON.stringify([task, step, note, diff])
        const group = groups.get(key) ?? { task, step, note, diff, hosts: [], durationMs }
        groups.set(key, group)
        group.hosts.push(host)
        group.durationMs = Math.max(group.durationMs, durationMs)
      }
  return [...groups.values()]
}

/** An error, and the hosts that it befell. */
export interface FailureGroup {
  error: ErrorReport
  hosts: readonly string[]
}

/** Errors that differ only in the host, those of most hosts first. */
export const failureGroupsOf = ({ failures }: RunReport): FailureGroup[] =>
  groupErrors(failures)
    .map(({ report, hosts }) => ({ error: report, hosts }))
    .sort((a, b) => b.hosts.length - a.hosts.length)

/** @example namesOf(['a', 'b', 'c'], 2) // 'a, b and 1 more' */
export function namesOf(hosts: readonly string[], most: number): string {
  const more = hosts.length - most
  return hosts.slice(0, most).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
