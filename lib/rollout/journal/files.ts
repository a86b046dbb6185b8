/** The names of journals and logs, and which of them are kept. */
import { lstatSync, readdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type RunKind, runKinds } from './record.ts'

/** A journal in a directory. */
export interface JournalName {
  run: string
  kind: RunKind
  file: string
}

/** Names of runs sort by time: see lib/cli/run-id.ts. */
const names = /^(\d{8}T\d{6}Z-[0-9a-f]{6})\.(?:(apply|exec|look)\.journal|jsonl)$/

/** The name of a run's journal. The kind is in it, so that it is known without a look into the file. */
export const journalFile = (run: string, kind: RunKind): string => `${run}.${kind}.journal`

/** The name of a run's log. */
export const logFile = (run: string): string => `${run}.jsonl`

/** When a run began, by its id: milliseconds since 1970. */
export function startOfRun(run: string): number {
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(run) ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
}

/** The journals of a directory, the newest first; none if there is no directory. */
export function listJournals(directory: string): JournalName[] {
  return entriesOf(directory).flatMap(name => {
    const [, run, kind] = names.exec(name) ?? []
    if (kind === undefined) return []
    return [{ run: run!, kind: kind as RunKind, file: join(directory, name) }]
  })
}

function entriesOf(directory: string): string[] {
  try {
    return readdirSync(directory).sort((a, b) => (a < b ? 1 : -1))
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/** How much is kept. Runs by number, for each kind apart; age in days; sizes in bytes. */
export interface Keeping {
  journals: Readonly<Record<RunKind, number>>
  /** Of logs, for each kind. */
  logs: number
  days: number
  /** Of all logs together. */
  total: number
}

export const keeping: Keeping = {
  journals: { apply: 1000, exec: 300, look: 300 },
  logs: 100,
  days: 400,
  total: 4 * 2 ** 30,
}

/**
 * Removes the oldest journals and logs. Files with other names stay, and so does what belongs to `current`.
 * @param current the run that has just ended
 */
export function removeOldRuns(directory: string, current: string, keep: Keeping = keeping): void {
  try {
    for (const name of tooMany(directory, current, keep, Date.now()))
      unlinkSync(join(directory, name))
  } catch {
    // Another run is doing the same right now, or the next one will.
  }
}

function tooMany(directory: string, current: string, keep: Keeping, now: number): string[] {
  const all = entriesOf(directory)
  const kinds = new Map<string, RunKind>()
  for (const name of all) {
    const [, run, kind] = names.exec(name) ?? []
    if (kind) kinds.set(run!, kind as RunKind)
  }
  const counts = {
    journal: Object.fromEntries(runKinds.map(kind => [kind, 0])) as Record<RunKind, number>,
    log: Object.fromEntries(runKinds.map(kind => [kind, 0])) as Record<RunKind, number>,
  }
  const oldest = now - keep.days * 86_400_000
  let total = 0
  return all.filter(name => {
    const [, run, isJournal] = names.exec(name) ?? []
    if (run === undefined) return false
    // The log of a run without a journal is one of what only looks, or of a time before journals.
    const kind = kinds.get(run) ?? 'look'
    const number = ++counts[isJournal ? 'journal' : 'log'][kind]
    const found = isJournal
      ? undefined
      : lstatSync(join(directory, name), { throwIfNoEntry: false })
    total += found?.size ?? 0
    if (run === current || (found && !found.isFile())) return false
    if (startOfRun(run) < oldest) return true
    return isJournal ? number > keep.journals[kind] : number > keep.logs || total > keep.total
  })
}
