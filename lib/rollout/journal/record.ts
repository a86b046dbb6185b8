/** The records of a journal: which events of a run are kept, and in what form. Pure. */

import type { Controller } from '../../controller.ts'
import type { HostOutcome, HostStatus, RunEvent, StepStatus } from '../../events.ts'
import type { HostLimits } from '../batches.ts'
import type { HookKey } from '../hooks.ts'

/** What kind of run: a recipe that may change hosts, one command, or what only looks. They are kept apart. */
export const runKinds = ['apply', 'exec', 'look'] as const

export type RunKind = (typeof runKinds)[number]

/** The files of a recipe's code, and the SHA-256 of each: names are relative to the project. */
export type CodeFiles = Readonly<Record<string, string>>

/** What was asked for on the command line, to be asked again. */
export interface Asked {
  /** The command before its words: a recipe, `exec`, or `apply`. */
  command: string
  /** Its words. `key=-` asks for the value, which was a secret; null is a word that was one. */
  words: readonly (string | null)[]
  /** Options by key, those that are about the run and not about what is shown of it. */
  options: Readonly<Record<string, string | boolean | readonly string[]>>
  /** The working directory. */
  cwd: string
}

/** A controller begins, or goes on with, the run. The first record, and one for each further attempt. */
export interface AttemptRecord {
  at: number
  type: 'attempt'
  /** From 1. */
  attempt: number
  run: string
  kind: RunKind
  recipe: string
  environment: string
  owner: string
  /** Of hostwright. */
  version: string
  controller: Controller
  /** Without secrets. */
  args: Record<string, unknown>
  asked: Asked
  code: CodeFiles
  /** The hosts of each batch. */
  batches: readonly (readonly string[])[]
  limits?: HostLimits
  /** Which hooks the recipe has. */
  hooks?: readonly HookKey[]
  /** Where its log is, if it has one. */
  log?: string
}

/** A run's end, without what is in the records of its hosts. */
export interface EndRecord {
  at: number
  type: 'run.end'
  /** Which attempt it ended. */
  attempt: number
  exitCode: number
  durationMs: number
  /** How many hosts ended how. */
  statuses: Partial<Record<HostStatus, number>>
}

type Kept<T extends RunEvent['type']> = Extract<RunEvent, { type: T }>

export type JournalRecord =
  | AttemptRecord
  | EndRecord
  | Kept<
      | 'batch.start'
      | 'batch.end'
      | 'host.start'
      | 'host.end'
      | 'task.start'
      | 'step.start'
      | 'step.end'
      | 'warning'
      | 'decision'
      | 'once.start'
      | 'once.end'
      | 'drain'
      | 'hook.start'
      | 'hook.end'
      | 'rollout.stage'
      | 'verdict'
      | 'rollback.start'
      | 'rollback.end'
    >

/** What is kept of a diff, and of what a recipe returned for a host. */
const mostCharacters = 65_536

/**
 * Chooses what of the events is kept. Of tasks and steps those that changed something or failed; of effects also
 * that they began. Tasks are kept when the first such step of theirs is.
 * @param attempt of whose events they are
 * @returns the records of an event; `decides`: what may follow relies on them
 */
export function createRecorder(attempt: number): (event: RunEvent) => {
  records: JournalRecord[]
  decides: boolean
} {
  const tasks = new Map<string, Kept<'task.start'>>()
  const taskOf = (host: string, task: string): JournalRecord[] => {
    const key = JSON.stringify([host, task])
    const found = tasks.get(key)
    tasks.delete(key)
    return found ? [found] : []
  }
  return event => {
    switch (event.type) {
      case 'task.start':
        tasks.set(JSON.stringify([event.host, event.task]), event)
        return nothing
      case 'task.end':
        tasks.delete(JSON.stringify([event.host, event.task]))
        return nothing
      case 'step.start':
        if (!event.effect) return nothing
        return { records: [...taskOf(event.host, event.task), event], decides: true }
      case 'step.end':
        if (!event.effect && !isNews[event.status]) return nothing
        return {
          records: [
            ...taskOf(event.host, event.task),
            { ...event, diff: event.diff?.slice(0, mostCharacters) },
          ],
          decides: event.effect === true,
        }
      case 'host.end':
        // It is in the record of an earlier attempt.
        if (event.earlier) return nothing
        return { records: [{ ...event, data: smallData(event.data) }], decides: true }
      case 'run.end':
        return { records: [endOf(event, attempt)], decides: true }
      case 'rollback.end':
        return { records: [{ ...event, data: smallData(event.data) }], decides: true }
      case 'batch.start':
      case 'batch.end':
      case 'rollout.stage':
      case 'verdict':
      case 'rollback.start':
      case 'host.start':
      case 'decision':
      case 'drain':
      case 'once.start':
      case 'once.end':
      case 'hook.start':
      case 'hook.end':
        return { records: [event], decides: true }
      case 'warning':
        return { records: [event], decides: false }
      default:
        return nothing
    }
  }
}

const nothing = { records: [], decides: false }

const isNews: Readonly<Record<StepStatus, boolean>> = {
  ok: false,
  skipped: false,
  changed: true,
  failed: true,
  unknown: true,
}

function smallData(data: unknown): unknown {
  try {
    return (JSON.stringify(data)?.length ?? 0) > mostCharacters ? undefined : data
  } catch {
    return undefined
  }
}

function endOf({ at, exitCode, durationMs, hosts }: Kept<'run.end'>, attempt: number): EndRecord {
  return { at, type: 'run.end', attempt, exitCode, durationMs, statuses: countStatuses(hosts) }
}

/** How many hosts ended how. */
export function countStatuses(
  hosts: readonly Pick<HostOutcome, 'status'>[],
): EndRecord['statuses'] {
  const counts: EndRecord['statuses'] = {}
  for (const { status } of hosts) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
